"""What a payload tells of a raw besides its samples, and what comes back of it."""

from __future__ import annotations

import dataclasses
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import rawback
from rawback import bitstream, container, rawio
from rawback.metadata import Directory, Entry, Metadata, TiffType
from rawback.rawio.describe import ascii_entry
from rawback.types import Border

if TYPE_CHECKING:
    from collections.abc import Iterator

ARTIST, MODEL, SERIAL, MAKER_NOTE, OPCODES = 315, 272, 42033, 50740, 51009
WORDS = (b"Berta Beispiel", b"SN-4711-0815")
LOSSLESS, SMALL = rawback.Rate.lossless(), rawback.Rate.quality(20)


def described(raw: bytes, *entries: Entry) -> bytes:
    """The raw with these tags besides its own."""
    frame = rawio.read_raw(raw)
    return rawio.write_dng(dataclasses.replace(frame, metadata=frame.metadata.updated(entries)))


@pytest.fixture(scope="module")
def private(shot: tuple[bytes, bytes]) -> bytes:
    """The raw with an author and a serial number."""
    return described(
        shot[0],
        ascii_entry(ARTIST, WORDS[0].decode()),
        ascii_entry(SERIAL, WORDS[1].decode(), Directory.EXIF),
    )


@pytest.fixture(scope="module")
def telling(shot: tuple[bytes, bytes]) -> bytes:
    """The JPEG with an author."""
    exif, out = Image.Exif(), io.BytesIO()
    exif[ARTIST] = "Somebody in the JPEG"
    Image.open(io.BytesIO(shot[1])).save(out, "JPEG", quality="keep", exif=exif)
    return out.getvalue()


def opened(payload: bytes) -> Iterator[bytes]:
    """The payload's sections, as they are and unpacked."""
    for section in bitstream.unpack(payload).sections:
        yield section.data
        for start in range(min(len(section.data), 64)):
            try:
                filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
                unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
                yield unpacker.decompress(section.data[start:])
            except lzma.LZMAError:
                pass
            for bits in (-15, 15):
                try:
                    yield zlib.decompressobj(bits).decompress(section.data[start:])
                except zlib.error:
                    continue


def restored(carrier: bytes) -> Metadata:
    return rawio.read_raw(rawback.restore_bytes(carrier)[0]).metadata


def says(metadata: Metadata, word: bytes) -> bool:
    return any(word in entry.data for entry in metadata.entries)


@pytest.mark.parametrize("choice", ["auto", "rendering"])
def test_a_lossy_payload_says_nothing_personal(
    private: bytes, shot: tuple[bytes, bytes], choice: rawback.MetadataChoice
) -> None:
    carrier, result = rawback.embed_bytes(private, shot[1], rate=SMALL, metadata=choice)
    assert result.metadata.personal == {"auto": "in the JPEG", "rendering": "left out"}[choice]
    texts = list(opened(container.extract_payload(carrier)))
    found = restored(carrier)
    for word in WORDS:
        assert word not in carrier
        assert not any(word in text for text in texts)
        assert not says(found, word)


def test_all_is_stored_where_that_is_asked_for(private: bytes, shot: tuple[bytes, bytes]) -> None:
    carrier, result = rawback.embed_bytes(private, shot[1], rate=SMALL, metadata="all")
    assert result.metadata.personal == "stored"
    texts = list(opened(container.extract_payload(carrier)))
    assert all(any(word in text for text in texts) for word in WORDS)
    assert all(says(restored(carrier), word) for word in WORDS)


def test_what_the_jpeg_tells_comes_back_only_while_it_does(private: bytes, telling: bytes) -> None:
    carrier, _ = rawback.embed_bytes(private, telling, rate=SMALL)
    assert says(restored(carrier), b"Somebody in the JPEG")
    start = carrier.index(b"\xff\xe1")
    size = int.from_bytes(carrier[start + 2 : start + 4], "big")
    stripped = carrier[:start] + carrier[start + 2 + size :]
    assert not says(restored(stripped), b"Somebody")
    carrier, _ = rawback.embed_bytes(private, telling, rate=SMALL, metadata="rendering")
    assert not says(restored(carrier), b"Somebody")


def test_a_lossless_payload_says_all_until_it_is_cut(
    private: bytes, shot: tuple[bytes, bytes]
) -> None:
    carrier, result = rawback.embed_bytes(private, shot[1], rate=LOSSLESS)
    assert result.metadata.personal == "stored"
    assert all(says(restored(carrier), word) for word in WORDS)
    smaller, _ = rawback.shrink_bytes(carrier, result.payload_bytes - 1)
    assert not any(says(restored(smaller), word) for word in WORDS)
    assert rawback.restore_bytes(smaller)[1].exact
    assert rawback.inspect(smaller).metadata.personal == "in the JPEG"


def test_a_choice_that_is_none(shot: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="auto, all, rendering"):
        rawback.embed_bytes(*shot, metadata="some")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["x" * 1025, "ü" * 600, "Κάμερα " * 300])
@pytest.mark.parametrize("tag", [ARTIST, MODEL])
def test_texts_of_any_length(shot: tuple[bytes, bytes], text: str, tag: int) -> None:
    raw = described(shot[0], ascii_entry(tag, text))
    carrier, _ = rawback.embed_bytes(raw, shot[1], rate=SMALL, metadata="all")
    assert restored(carrier).text(tag).strip() == text.strip()


@pytest.mark.parametrize("rate", [SMALL, LOSSLESS], ids=["lossy", "lossless"])
def test_opcodes_come_back_byte_for_byte(shot: tuple[bytes, bytes], rate: rawback.Rate) -> None:
    # One opcode, optional, of a number that nobody reads.
    data = np.array([1, 99, 0x01030000, 1, 4, 0x12345678], ">u4").tobytes()
    opcodes = Entry(Directory.IMAGE, OPCODES, TiffType.UNDEFINED, data)
    carrier, _ = rawback.embed_bytes(described(shot[0], opcodes), shot[1], rate=rate)
    again = restored(carrier).get(OPCODES)
    assert again is not None
    assert again.data == data


def test_the_border_comes_back(shot: tuple[bytes, bytes]) -> None:
    rng = np.random.default_rng(0)
    frame = rawio.read_raw(shot[0])
    height, width = frame.cfa.shape

    def strip(rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
        return rng.integers(500, 540, (rows, columns), dtype=np.uint16)

    border = Border(
        top=strip(6, width + 12),
        bottom=strip(2, width + 12),
        left=strip(height, 8),
        right=strip(height, 4),
    )
    raw = rawio.write_dng(dataclasses.replace(frame, border=border))
    read = rawio.read_raw(raw)
    assert read.border is not None
    again = rawio.read_raw(
        rawback.restore_bytes(rawback.embed_bytes(raw, shot[1], rate=LOSSLESS)[0])[0]
    )
    assert again.border is not None
    np.testing.assert_array_equal(again.border.joined(again.cfa), read.border.joined(read.cfa))


def test_samples_above_white_stay_above(shot: tuple[bytes, bytes]) -> None:
    frame = rawio.read_raw(shot[0])
    cfa = frame.cfa.copy()
    cfa[40:72, 40:72] = frame.white + 400
    raw = rawio.write_dng(dataclasses.replace(frame, cfa=cfa))
    carrier, _ = rawback.embed_bytes(raw, shot[1], rate=rawback.Rate.quality(60))
    again = rawio.read_raw(rawback.restore_bytes(carrier)[0])
    assert again.white == frame.white
    inside = again.cfa[48:64, 48:64].astype(int)
    assert abs(inside.mean() - (frame.white + 400)) < 100


def test_unknown_colours_stay_unknown(shot: tuple[bytes, bytes]) -> None:
    frame = rawio.read_raw(shot[0])
    colours = {50721, 50722, 50728, 50778, 50779, 50964, 50965}
    metadata = Metadata(tuple(e for e in frame.metadata.entries if e.tag not in colours))
    raw = rawio.write_dng(
        dataclasses.replace(frame, neutral=None, color_matrix=None, metadata=metadata)
    )
    carrier, _ = rawback.embed_bytes(raw, shot[1], rate=SMALL)
    again = rawio.read_raw(rawback.restore_bytes(carrier)[0])
    assert again.neutral is None
    assert again.color_matrix is None
