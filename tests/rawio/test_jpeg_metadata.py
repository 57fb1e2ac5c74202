"""What a JPEG tells of the raw it was made from."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rawback.jpegio import read_jpeg_metadata
from rawback.metadata import Directory
from rawback.rawio import metadata_of_jpeg
from rawback.rawio.tags import Tag
from rawback.rawio.xmp import descriptive_xmp

XMP = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
<rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4'
 xmp:CreatorTool='darktable' xmlns:darktable='http://darktable.sf.net/' darktable:history_end='3'
 xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/'
 crs:Exposure2012='+1.00'>
<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>K\u00e4se am Morgen</rdf:li></rdf:Alt></dc:title>
<dc:format>image/jpeg</dc:format>
<darktable:history><rdf:Seq><rdf:li>exposure</rdf:li></rdf:Seq></darktable:history>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>""".encode()


def test_descriptions_are_kept_and_edits_are_not() -> None:
    kept = descriptive_xmp(XMP)
    assert kept is not None
    text = kept.decode()
    assert "Käse am Morgen" in text
    assert "Rating" in text
    for word in ("darktable", "crs", "exposure", "CreatorTool", "image/jpeg"):
        assert word not in text
    # What is kept is a packet again.
    assert descriptive_xmp(kept) == kept


def test_packets_in_utf_16_are_read() -> None:
    assert descriptive_xmp(XMP.decode().encode("utf-16")) == descriptive_xmp(XMP)


BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<x:xmpmeta xmlns:x='adobe:ns:meta/'>&b;</x:xmpmeta>"""


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        b"not XML",
        XMP[:200],
        BOMB,
        b"\xff\xfe<",
        b"<a>" * 5000,
        b"<a>" * 99 + b"</a>" * 99,
    ],
    ids=["empty", "start", "text", "cut", "entities", "half", "deep", "nested"],
)
def test_what_is_no_packet_says_nothing(packet: bytes) -> None:
    assert descriptive_xmp(packet) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_packet_or_nothing(data: bytes) -> None:
    descriptive_xmp(data)
    descriptive_xmp(XMP[:400] + data + XMP[400:])


def jpeg(order: str = "<", xmp: bytes = b"", iptc: bytes = b"") -> bytes:
    exif = Image.Exif()
    exif.endian = order
    exif[271], exif[305], exif[315] = "Acme", "an editor", "Ada"
    exif[18246] = 4
    inner = exif.get_ifd(0x8769)
    inner[36867], inner[36880], inner[36881] = "2024:05:31 17:02:09", "+09:00", "+02:00"
    inner[33434], inner[34855], inner[42033] = 0.01, 200, "SERIAL"
    inner[37500], inner[40962] = b"the maker's note", 16
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    data = {} if not xmp else {"xmp": xmp}
    Image.new("RGB", (16, 16)).save(file, "JPEG", exif=exif.tobytes(), **data)
    made = file.getvalue()
    if iptc:
        resource = b"8BIM" + struct.pack(">H", 0x0404) + b"\5names" + struct.pack(">I", len(iptc))
        other = b"8BIM" + struct.pack(">H", 1005) + b"\0\0" + struct.pack(">I", 3) + b"dpi\0"
        body = b"Photoshop 3.0\0" + other + resource + iptc
        made = made[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + made[2:]
    return made


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_holds_for_the_raw_is_taken(order: str) -> None:
    read = read_jpeg_metadata(jpeg(order, XMP, b"\x1c\2\5\0\5Title"))
    metadata = metadata_of_jpeg(read.exif, read.xmp, read.iptc)
    exif = Directory.EXIF
    assert metadata.text(Tag.ARTIST) == "Ada"
    assert metadata.integers(18246) == (4,)
    assert metadata.text(36867, exif) == "2024:05:31 17:02:09"
    assert metadata.text(36881, exif) == "+02:00"
    assert metadata.numbers(33434, exif) == (0.01,)
    assert metadata.text(42033, exif) == "SERIAL"
    assert metadata.text(1, Directory.GPS) == "N"
    iptc, xmp, notes = map(metadata.get, (Tag.IPTC, Tag.XMP, Tag.DNG_PRIVATE_DATA))
    assert iptc is not None
    assert iptc.data == b"\x1c\2\5\0\5Title"
    assert xmp is not None
    assert xmp.data == descriptive_xmp(XMP)
    assert notes is not None
    assert notes.data.endswith(b"the maker's note")
    # What the JPEG says of itself is not said of the raw.
    for directory, tag in ((0, 271), (0, 305), (exif, 36880), (exif, 40962), (exif, 37500)):
        assert metadata.get(tag, directory) is None


def test_a_jpeg_that_tells_nothing_tells_nothing() -> None:
    assert metadata_of_jpeg(b"", b"", b"").entries == ()
