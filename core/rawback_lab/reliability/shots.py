"""Small carriers of every kind, to be mutated, killed and rewritten."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rawback import container
from rawback.geometry import Aligned, Transform, Warped
from rawback.jpegio import decode_jpeg
from rawback.rate import Rate
from rawback_lab.camera import CameraSpec
from rawback_lab.render import encode_jpeg
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    from rawback.encoder.learned_layer import Use

__all__ = ["carriers", "small_shot"]

_SIDE = 64


@cache
def small_shot(seed: int = 0) -> tuple[bytes, bytes]:
    """A DNG of 64 x 64 samples and the JPEG made from it."""
    from rawback import rawio

    frame, jpeg = made_up_shot(_SIDE, _SIDE, seed=seed)
    return rawio.write_dng(frame), jpeg


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
) -> bytes:
    frame, jpeg = made_up_shot(_SIDE, _SIDE, spec)
    frame = replace(frame, cfa=(frame.cfa // every * every).astype(np.uint16))
    if crop is not None:
        top, bottom, left, right = crop
        pixels = decode_jpeg(jpeg).pixels[top:bottom, left:right]
        jpeg = encode_jpeg(np.ascontiguousarray(pixels), 90)
    session, _ = session_at(frame, decode_jpeg(jpeg), transform, use)
    return container.embed_payload(jpeg, session.encode(rate).payload)
