"""The carriers that real raws are benchmarked with, rendered once and kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from rawback import jpegio, rawio
from rawback.types import Guide
from rawback_lab.orient import to_sensor
from rawback_lab.peers import Shot
from rawback_lab.protocols import P2Case

if TYPE_CHECKING:
    from pathlib import Path

    from rawback_lab.render import Subsampling

__all__ = ["carrier_file", "case_file", "darktable_file", "digest", "load_shot"]


def load_shot(
    raw_file: Path, kept_in: Path, quality: int = 92, subsampling: Subsampling = "4:2:0"
) -> Shot:
    """A raw and the guide of LibRaw's rendering of it, taken from `kept_in` where it is there.

    Raises:
        ValueError: LibRaw's rendering and the frame differ in size.
    """
    carrier = carrier_file(raw_file, kept_in, quality, subsampling)
    frame = rawio.read_raw(raw_file)
    pixels = to_sensor(jpegio.decode_jpeg(carrier.read_bytes()).pixels, frame.orientation)
    if pixels.shape[:2] != frame.cfa.shape:
        message = f"{raw_file.name}: a rendering of {pixels.shape} for a raw of {frame.cfa.shape}"
        raise ValueError(message)
    return Shot(frame, Guide(pixels, np.ones(frame.cfa.shape, np.uint8)))


def darktable_file(raw_file: Path, kept_in: Path, quality: int = 92) -> Path | None:
    """darktable's rendering of a raw with its defaults; None where darktable is not installed."""
    return case_file(P2Case("darktable", quality), raw_file, kept_in)


def carrier_file(
    raw_file: Path, kept_in: Path, quality: int = 92, subsampling: Subsampling = "4:2:0"
) -> Path:
    """LibRaw's rendering of a raw, upright, with the camera's white balance, as a JPEG."""
    carrier = case_file(P2Case("libraw", quality, subsampling), raw_file, kept_in)
    if carrier is None:
        message = f"LibRaw makes no picture of {raw_file.name}"
        raise ValueError(message)
    return carrier


def case_file(case: P2Case, raw_file: Path, kept_in: Path) -> Path | None:
    """The carrier of a raw in a case of the protocol; None where it cannot be made here."""
    carrier = kept_in / f"{raw_file.stem}-{digest(raw_file)}-{case.name}.jpg"
    if not carrier.exists():
        rendered = case.carrier(raw_file)
        if rendered is None:
            return None
        kept_in.mkdir(parents=True, exist_ok=True)
        carrier.write_bytes(rendered)
    return carrier


def digest(path: Path) -> str:
    """A short name of a file's contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
