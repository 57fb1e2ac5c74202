"""Write the stored carriers and the digests of what they restore.

::

    PYTHONPATH=core python tests/golden/make.py

Run it only where the format or the stored tables change on purpose: what is in this folder is what
every later version must restore, bit for bit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Payload, unpack
from rawback.codec import Rate, decode
from rawback.container import embed_payload, extract_payload
from rawback.geometry import Aligned, Placement, Warped
from rawback.jpegio import decode_jpeg
from rawback_lab.camera import CameraSpec
from rawback_lab.pictures import Picture, linear_picture, quads, software_isp
from rawback_lab.render import FilmicLook, encode_jpeg
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    from rawback.codec.refine import Use
    from rawback.types import RawFrame

FOLDER = Path(__file__).parent


def carrier_of(
    frame: RawFrame,
    jpeg: bytes,
    rate: Rate,
    placement: Placement,
    use: Use = "never",
    member: str = "bayer",
) -> bytes:
    """The JPEG with its payload inside, seen to restore what was meant."""
    session, carrier = session_at(frame, decode_jpeg(jpeg), placement, use, member)
    encoded = session.encode(rate)
    restored = decode(unpack(encoded.payload), carrier)
    if not np.array_equal(restored.cfa, encoded.restored.cfa):
        message = "the payload does not restore what the encoder said"
        raise RuntimeError(message)
    return embed_payload(jpeg, encoded.payload)


def lossy() -> bytes:
    """All sections but those of the exact layer."""
    frame, jpeg = made_up_shot(150, 202, CameraSpec(pattern="GRBG"), 85)
    return carrier_of(frame, jpeg, Rate.quality(80), Aligned())


def lossless() -> bytes:
    """Odd sides, and a sensor that uses every fourth code."""
    frame, jpeg = made_up_shot(97, 131, CameraSpec(pattern="GBRG", bits=12, black=64, white=4092))
    frame = replace(frame, cfa=(frame.cfa // 4 * 4).astype(np.uint16))
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def gains() -> bytes:
    """A grid of gains."""
    spec = CameraSpec(pattern="BGGR", vignetting=0.5)
    frame, _ = made_up_shot(512, 520, spec, seed=1)
    _, jpeg = made_up_shot(512, 520, replace(spec, vignetting=0.0), 60, seed=1)
    return carrier_of(frame, jpeg, Rate.quality(25), Aligned())


def cropped() -> bytes:
    """A carrier that lies within the frame."""
    frame, jpeg = made_up_shot(120, 160, seed=2)
    pixels = np.ascontiguousarray(decode_jpeg(jpeg).pixels[14:110, 22:140])
    return carrier_of(frame, encode_jpeg(pixels, 90), Rate.quality(70), Aligned(1, -22, -14))


def warped() -> bytes:
    """A carrier seen at an angle, all of the raw."""
    frame, jpeg = made_up_shot(90, 110, seed=3)
    placement = Warped((40, 90), (64 * 180, 300), (-200, 64 * 170), (3000, -2000))
    return carrier_of(frame, jpeg, Rate.lossless(), placement)


def learned() -> bytes:
    """All groups of latents under a few bits of residual, and two tiles of the networks."""
    frame, jpeg = made_up_shot(200, 580, CameraSpec(pattern="GRBG"), 80, seed=4)
    return carrier_of(frame, jpeg, Rate.quality(30), Aligned(), "full")


def bare() -> bytes:
    """The networks without latents, and an exact layer on top of them."""
    frame, jpeg = made_up_shot(131, 97, CameraSpec(pattern="BGGR"), 90, "4:4:4", seed=5)
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned(), "bare")


def linear() -> bytes:
    """A linear picture, each pixel a quad, with networks and latents of its own."""
    shot, _ = made_up_shot(260, 420, seed=6)
    colours = linear_picture(shot, 2)
    picture = Picture(colours, software_isp(colours, shot, FilmicLook()), shot)
    frame, carrier = quads(picture)
    jpeg = encode_jpeg(carrier.pixels, 95, "4:4:4")
    return carrier_of(frame, jpeg, Rate.quality(20), Aligned(), "full", "linear")


def restored(carrier: bytes) -> tuple[Payload, RawFrame]:
    """The payload of a carrier, and what it restores."""
    payload = unpack(extract_payload(carrier))
    return payload, decode(payload, decode_jpeg(carrier))


def main() -> None:
    digests = {}
    for make in (lossy, lossless, gains, cropped, warped, learned, bare, linear):
        carrier = make()
        payload, frame = restored(carrier)
        (FOLDER / f"{make.__name__}.jpg").write_bytes(carrier)
        digests[make.__name__] = {
            "sections": [f"{s.kind}.{s.layer}.{s.tile}" for s in payload.sections],
            "sha256": hashlib.sha256(frame.cfa.astype("<u2").tobytes()).hexdigest(),
        }
    text = json.dumps(digests, indent=1)
    (FOLDER / "digests.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
