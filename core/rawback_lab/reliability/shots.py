"""Small carriers of every kind, to be mutated, killed and rewritten."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rawback import container
from rawback._api.metadata import attachments
from rawback.geometry import Aligned, Transform, Warped
from rawback.jpegio import decode_jpeg
from rawback.metadata import Directory, TiffType
from rawback.rate import Rate
from rawback.rawio.describe import ascii_entry, number_entry
from rawback.types import BlackOffsets, Border
from rawback_lab.camera import CameraSpec
from rawback_lab.render import encode_jpeg
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    from rawback.encoder.learned_layer import Use
    from rawback.types import RawFrame

__all__ = ["carriers", "described_shot", "small_shot"]

_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"

_SIDE = 64


@cache
def small_shot(seed: int = 0) -> tuple[bytes, bytes]:
    """A DNG of 64 x 64 samples and the JPEG made from it."""
    from rawback import rawio

    frame, jpeg = made_up_shot(_SIDE, _SIDE, seed=seed)
    return rawio.write_dng(frame), jpeg


@cache
def described_shot() -> tuple[bytes, bytes]:
    """A DNG with tags of all kinds and a border, and a JPEG with Exif, XMP and IPTC."""
    from rawback import rawio

    frame, jpeg = made_up_shot(_SIDE, _SIDE)
    exif = Image.Exif()
    exif[315], exif[18246] = "Somebody", 4
    inner = exif.get_ifd(0x8769)
    inner[36867], inner[37500] = "2024:05:31 17:02:09", b"a maker's note"
    exif.get_ifd(0x8825)[1] = "N"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='" + _RDF + b"'>"
    xmp += b"<rdf:Description xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4'/>"
    xmp += b"</rdf:RDF></x:xmpmeta>"
    file = io.BytesIO()
    picture = Image.fromarray(decode_jpeg(jpeg).pixels)
    picture.save(file, "JPEG", exif=exif.tobytes(), xmp=xmp)
    return rawio.write_dng(_described(frame)), file.getvalue()


def _described(frame: RawFrame) -> RawFrame:
    """A frame with tags in every directory, black of its own in each row, and a border."""
    rows = np.arange(_SIDE, dtype=np.int32) % 5
    offsets = BlackOffsets(np.zeros((2, 2), np.int32), rows, np.zeros(_SIDE, np.int32))
    whole = np.full((_SIDE + 6, _SIDE + 8), 500, np.uint16)
    whole[::3] = 510
    cfa = offsets.added_to(frame.cfa)
    whole[4 : 4 + _SIDE, 6 : 6 + _SIDE] = cfa
    area = (4, 6, 4 + _SIDE, 6 + _SIDE)
    directories = (Directory.EXIF, Directory.GPS, Directory.INTEROPERABILITY, Directory.PROFILE)
    told = frame.metadata.updated(
        [
            number_entry(50829, TiffType.LONG, area, "<"),
            number_entry(50830, TiffType.LONG, (0, 0, 4, _SIDE + 8), "<"),
            number_entry(
                50716, TiffType.SRATIONAL, [n for row in rows for n in (int(row), 1)], "<"
            ),
            number_entry(51009, TiffType.UNDEFINED, bytes(4) * 40, "<"),
            number_entry(50722, TiffType.SRATIONAL, [1, 1, 0, 1, 0, 1] * 3, "<"),
            *(ascii_entry(50936, f"profile {d}", d) for d in directories),
        ]
    )
    return replace(
        frame, cfa=cfa, metadata=told, black_offsets=offsets, border=Border.around(whole, area)
    )


@cache
def carriers() -> dict[str, bytes]:
    """Carriers of 64 x 64 pixels by what their payloads hold."""
    lossy, lossless = Rate.quality(70), Rate.lossless()
    spec = CameraSpec(pattern="GBRG", bits=12, black=64, white=4092)
    return {
        "lossy": _carrier(lossy),
        "base": _carrier(Rate.quality(0)),
        "lossless": _carrier(lossless, spec=spec, every=4),
        "learned": _carrier(Rate.quality(30), use="full"),
        "bare": _carrier(lossless, use="bare"),
        "turned": _carrier(lossy, Aligned(6)),
        "cropped": _carrier(lossy, Aligned(1, -10, -6), crop=(6, 60, 10, 58)),
        "described": _carrier(lossless, described=True),
        "warped": _carrier(lossless, Warped((40, 90), (64 * 50, 30), (-20, 64 * 50), (300, -200))),
    }


def _carrier(
    rate: Rate,
    transform: Transform | None = None,
    use: Use = "never",
    *,
    spec: CameraSpec | None = None,
    every: int = 1,
    crop: tuple[int, int, int, int] | None = None,
    described: bool = False,
) -> bytes:
    frame, jpeg = made_up_shot(_SIDE, _SIDE, spec)
    if described:
        frame = _described(frame)
    frame = replace(frame, cfa=(frame.cfa // every * every).astype(np.uint16))
    if crop is not None:
        top, bottom, left, right = crop
        pixels = decode_jpeg(jpeg).pixels[top:bottom, left:right]
        jpeg = encode_jpeg(np.ascontiguousarray(pixels), 90)
    session, _ = session_at(frame, decode_jpeg(jpeg), transform, use)
    session.attached = attachments(frame, "auto")
    return container.embed_payload(jpeg, session.encode(rate).payload)
