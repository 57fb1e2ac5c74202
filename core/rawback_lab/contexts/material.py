"""Shots that contexts are fitted to and measured on.

Frames of real cameras that the folder's manifest names, and photographs shot with simulated
cameras, each rendered in a style drawn at random.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from rawback import encoder, rawio
from rawback.jpegio import decode_jpeg
from rawback_lab.camera import CameraSpec
from rawback_lab.render import STYLES, Subsampling, encode_jpeg
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rawback.encoder.analysis import Analysis
    from rawback.types import RawFrame

HELD_OUT = slice(4, None, 9)
"""Photographs, in the order of their names, that are kept for measuring."""

_CROP = 2048

_RENDERINGS: tuple[tuple[int, Subsampling], ...] = (
    (92, "4:2:0"),
    (96, "4:4:4"),
    (80, "4:2:0"),
    (88, "4:2:2"),
)


def shots(
    real: Path, photos: Path, photo_count: int, rng: np.random.Generator
) -> Iterator[Analysis]:
    """Analysis shots, frames of real cameras first."""
    for index, (_, frame) in enumerate(real_frames(real, "train", rng)):
        yield rendered(frame, index, rng)
    every = sorted(photos.glob("*.jxl"))
    paths = [path for path in every if path not in every[HELD_OUT]]
    for index, (_, frame) in enumerate(simulated_frames(paths, photo_count, rng)):
        yield rendered(frame, index, rng)


def real_frames(
    folder: Path, split: str, rng: np.random.Generator, side: int = _CROP
) -> Iterator[tuple[str, RawFrame]]:
    """Names and square parts of the frames that the folder's manifest marks `split`."""
    with (folder / "manifest.csv").open(encoding="utf-8") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["split"] == split]
    for name in names:
        yield name, _cropped(rawio.read_raw(folder / name), rng, side)


def simulated_frames(
    paths: list[Path], count: int, rng: np.random.Generator
) -> Iterator[tuple[str, RawFrame]]:
    """Names of photographs drawn at random, and frames of simulated cameras that shot them."""
    for _ in range(count):
        path = paths[rng.integers(len(paths))]
        picture = imagecodecs.jpegxl_decode(path.read_bytes())
        if picture.dtype != np.uint8:
            picture = (picture.astype(np.float32) / 65535) ** 2
        yield path.name, simulate(picture, CameraSpec.random(rng), rng, 1500)


def _cropped(frame: RawFrame, rng: np.random.Generator, side: int) -> RawFrame:
    top, left = (
        2 * int(rng.integers(max(length - side, 0) // 2 + 1)) for length in frame.cfa.shape
    )
    part = frame.cfa[top : top + side, left : left + side]
    return replace(frame.excerpt(np.ascontiguousarray(part)), orientation=1)


def rendered(frame: RawFrame, index: int, rng: np.random.Generator) -> Analysis:
    """A frame and a carrier made of it in a style drawn at random, ready for coding."""
    style = list(STYLES.values())[rng.integers(len(STYLES))]
    quality, subsampling = _RENDERINGS[index % len(_RENDERINGS)]
    carrier = decode_jpeg(encode_jpeg(style(frame), quality, subsampling))
    return encoder.prepare(frame, carrier).analysis(0)
