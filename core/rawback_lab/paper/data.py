"""Pairs to train the paper's network on: the raws marked ``train``, and simulated shots of photos.

A pair is a raw, uint16 ``[H, W, raw_channels]`` with white at 65535, and its guide, uint8
``[H, W, guide_channels]``. Making them takes minutes, so they are kept in a file of their own.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import imagecodecs
import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

from rawback import rawio
from rawback_lab.camera import CameraSpec
from rawback_lab.pictures import WHITE
from rawback_lab.protocols import P1Case, listed_raws
from rawback_lab.render import STYLES, FilmicLook, Subsampling, encode_jpeg
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rawback.types import RawFrame
    from rawback_lab.paper.config import Protocol

__all__ = ["Pairs", "make_pairs", "to_quads"]

_CROP = 2048
_HALVED_FROM = 1500
_LOOKS_PER_RAW = 3
_PHOTO_FACTOR = 2
"""Photographs come scaled down already, so that one more halving does for theirs."""

_JPEGS: tuple[tuple[int, Subsampling], ...] = (
    (92, "4:2:0"),
    (96, "4:4:4"),
    (80, "4:2:0"),
    (88, "4:2:2"),
)


@dataclass(frozen=True)
class Pairs:
    """Raws and guides of many sizes.

    Attributes:
        raws: uint16 ``[H, W, raw_channels]`` each.
        guides: uint8 ``[H, W, guide_channels]`` each.
    """

    raws: list[NDArray[np.uint16]]
    guides: list[NDArray[np.uint8]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        arrays = load_file(path)
        count = len(arrays) // 2
        return cls(
            [arrays[f"raw{k}"] for k in range(count)], [arrays[f"guide{k}"] for k in range(count)]
        )

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[np.generic]] = {}
        for k, (raw, guide) in enumerate(zip(self.raws, self.guides, strict=True)):
            arrays |= {
                f"raw{k}": np.ascontiguousarray(raw),
                f"guide{k}": np.ascontiguousarray(guide),
            }
        save_file(arrays, path)

    def batch(
        self, rng: np.random.Generator, count: int, side: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw patches; larger pairs are drawn from more often, as their number of pixels' root.

        Returns:
            Raw ``[count, raw_channels, side, side]`` and guide, float32 in [0, 1].
        """
        sizes = np.sqrt([min(raw.shape[:2]) >= side and raw.size for raw in self.raws])
        chosen = rng.choice(len(sizes), count, p=sizes / sizes.sum())
        raws, guides = [], []
        for index in chosen:
            height, width = self.raws[index].shape[:2]
            top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
            part = slice(top, top + side), slice(left, left + side)
            raws.append(self.raws[index][part])
            guides.append(self.guides[index][part])
        return _tensor(np.stack(raws), WHITE), _tensor(np.stack(guides), 255)


def make_pairs(
    protocol: Protocol, real: Path, photos: Path, photo_count: int, seed: int = 0
) -> Pairs:
    """Render raws and simulated shots as a protocol has them.

    Args:
        protocol: ``p1`` or ``p2``.
        real: Folder of raws whose ``manifest.csv`` tells which are for training.
        photos: Folder of photographs as JPEG XL.
        photo_count: How many of them to shoot; each with a camera of its own.
        seed: Of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    raws, guides = [], []
    for frame, factor in _frames(real, photos, photo_count, rng):
        for _ in range(_LOOKS_PER_RAW if factor != _PHOTO_FACTOR else 1):
            raw, guide = _picture(frame, factor, rng) if protocol == "p1" else _mosaic(frame, rng)
            raws.append(raw)
            guides.append(guide)
    return Pairs(raws, guides)


def to_quads(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The four pixels of each quad side by side, ``[H, W, C]`` to ``[H/2, W/2, 4 C]``."""
    return np.concatenate([image[p // 2 :: 2, p % 2 :: 2] for p in range(4)], axis=2)


def _frames(
    real: Path, photos: Path, photo_count: int, rng: np.random.Generator
) -> Iterator[tuple[RawFrame, int]]:
    """Raws, and by how much the papers' protocol scales them down."""
    for file in listed_raws(real, "train"):
        yield rawio.read_raw(file), P1Case().factor
    paths = sorted(photos.glob("*.jxl"))
    for index in rng.permutation(len(paths))[:photo_count]:
        photo = imagecodecs.jpegxl_decode(paths[index].read_bytes())
        if photo.dtype != np.uint8:
            photo = (photo.astype(np.float32) / 65535) ** 2
        yield simulate(photo, CameraSpec.random(rng), rng, _HALVED_FROM), _PHOTO_FACTOR


def _picture(
    frame: RawFrame, factor: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    picture = P1Case("drawn", FilmicLook.random(rng), factor).picture(frame)
    return picture.linear, picture.guide


def _mosaic(
    frame: RawFrame, rng: np.random.Generator
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    top, left = (2 * int(rng.integers(max(side - _CROP, 0) // 2 + 1)) for side in frame.cfa.shape)
    cfa = frame.cfa[top : top + _CROP, left : left + _CROP]
    cfa = np.ascontiguousarray(cfa[: cfa.shape[0] & ~1, : cfa.shape[1] & ~1])
    part = replace(frame.excerpt(cfa), orientation=1)
    style = list(STYLES.values())[rng.integers(len(STYLES))]
    jpeg = encode_jpeg(style(part), *_JPEGS[rng.integers(len(_JPEGS))])
    with Image.open(io.BytesIO(jpeg)) as image:
        pixels = np.asarray(image.convert("RGB"))
    levels = np.array(frame.black, np.float32)
    planes = np.stack([cfa[p // 2 :: 2, p % 2 :: 2] for p in range(4)], axis=2)
    signal = np.clip((planes - levels) / (frame.white - levels), 0, 1)
    return np.rint(signal * WHITE).astype(np.uint16), to_quads(pixels)


def _tensor(images: NDArray[np.generic], white: int) -> torch.Tensor:
    """``[B, H, W, C]`` to float32 ``[B, C, H, W]``, white at 1."""
    scaled = np.asarray(images, np.float32).transpose(0, 3, 1, 2) / np.float32(white)
    return torch.from_numpy(np.ascontiguousarray(scaled))
