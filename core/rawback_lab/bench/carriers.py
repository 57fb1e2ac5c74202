"""The carriers that real raws are benchmarked with, rendered once and kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import rawpy

from rawback import jpegio, rawio
from rawback.types import Guide
from rawback_lab.darktable import render_darktable
from rawback_lab.orient import to_sensor
from rawback_lab.peers import Shot
from rawback_lab.render import Subsampling, encode_jpeg

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["carrier_file", "darktable_file", "digest", "load_shot"]


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
    carrier = kept_in / f"{raw_file.stem}-{digest(raw_file)}-darktable-q{quality}.jpg"
    if not carrier.exists():
        kept_in.mkdir(parents=True, exist_ok=True)
        # darktable does not read every DNG of the set, but it reads those that we write.
        rendered = render_darktable(rawio.write_dng(rawio.read_raw(raw_file)), quality)
        if rendered is None:
            return None
        carrier.write_bytes(rendered)
    return carrier


def carrier_file(
    raw_file: Path, kept_in: Path, quality: int = 92, subsampling: Subsampling = "4:2:0"
) -> Path:
    """LibRaw's rendering of a raw, upright, with the camera's white balance, as a JPEG."""
    name = f"{raw_file.stem}-{digest(raw_file)}-q{quality}-{subsampling.replace(':', '')}.jpg"
    carrier = kept_in / name
    if not carrier.exists():
        kept_in.mkdir(parents=True, exist_ok=True)
        with rawpy.imread(str(raw_file)) as raw:
            rendered = raw.postprocess(use_camera_wb=True)
        carrier.write_bytes(encode_jpeg(rendered, quality, subsampling))
    return carrier


def digest(path: Path) -> str:
    """A short name of a file's contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
