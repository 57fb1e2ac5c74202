"""Pair a library without names and times: ``python -m rawback_lab.bench.pairing --photos P``.

Each shot is a part of a photograph, taken by a simulated camera and rendered by another look; parts
of one photograph overlap, so that strangers resemble each other: a JPEG whose raw is not there, and
which lies wholly within another shot's part, is a crop of that one as far as anybody can see. JPEGs
are whole, cropped, turned, small or black and white, and called by a number of their own. A tenth
of the raws have no JPEG, and a tenth of the JPEGs no raw.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import imagecodecs
import numpy as np

import rawback
from rawback import rawio
from rawback.rendering import from_srgb
from rawback_lab.camera import CameraSpec
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.simulate import simulate
from rawback_lab.warps import WARPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["make_library", "measured"]

_WIDTH, _HEIGHT = 768, 512
_KINDS = ("whole",) * 9 + ("crop 70 %", "crop 50 %", "turn 3", "turn 10", "keystone", "grey")
_TENTH = 10
_PREVIEW_QUALITY, _QUALITY = 85, 90


def make_library(
    folder: Path, photos: Sequence[Path], shots: int, rng: np.random.Generator
) -> dict[str, str]:
    """Write raws and JPEGs.

    Returns:
        The name of each JPEG to that of its raw; empty where it has none.
    """
    truth: dict[str, str] = {}
    numbers = rng.permutation(shots)
    for shot in range(shots):
        photo = _photo(photos[shot % len(photos)])
        frame = simulate(_part(photo, rng), CameraSpec.random(rng), rng)
        raw = folder / f"{shot:05}.dng"
        # Every tenth has no JPEG, and the one after it no raw.
        if shot % _TENTH != 1:
            preview = encode_jpeg(render_filmic(frame), _PREVIEW_QUALITY)
            raw.write_bytes(rawio.write_dng(frame, preview_jpeg=preview))
        if shot % _TENTH != 0:
            jpeg = folder / f"web {numbers[shot]}.jpg"
            jpeg.write_bytes(_exported(render_filmic(frame, FilmicLook.random(rng)), shot, rng))
            truth[jpeg.name] = raw.name if shot % _TENTH != 1 else ""
    return truth


def _photo(path: Path) -> NDArray[np.uint8] | NDArray[np.float32]:
    pixels = imagecodecs.imread(path)
    if pixels.dtype == np.uint16:
        # Scene-referred ones are stored as the square root of light.
        return np.asarray(np.square(pixels / np.float32(0xFFFF)), np.float32)
    return np.asarray(pixels[..., :3], np.uint8)


def _part(
    photo: NDArray[np.uint8] | NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A random part, at least half as wide as it could be, linear light ``[H, W, 3]``."""
    light = photo if photo.dtype != np.uint8 else from_srgb((photo / 255).astype(np.float32))
    rows, columns = light.shape[:2]
    width = int(min(columns, rows * _WIDTH / _HEIGHT) * rng.uniform(0.5, 1))
    height = int(width * _HEIGHT / _WIDTH)
    top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
    part = light[top : top + height, left : left + width]
    resized = cv2.resize(part, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.float32)


def _exported(pixels: NDArray[np.uint8], shot: int, rng: np.random.Generator) -> bytes:
    kind = _KINDS[shot % len(_KINDS)]
    if kind in WARPS:
        pixels = WARPS[kind]((pixels.shape[1], pixels.shape[0])).shown(pixels)
    elif kind == "grey":
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    scale = rng.uniform(0.5, 1)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    smaller = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encode_jpeg(smaller, _QUALITY)


def measured(folder: Path, truth: dict[str, str]) -> dict[str, Any]:
    """Pair a library, and compare with what is true."""
    started, cpu = time.perf_counter(), time.process_time()
    pairing = rawback.pair_up([folder])
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    paired = {pair.jpeg.name: pair.raw.name for pair in pairing.pairs}
    with_raw = [name for name, raw in truth.items() if raw]
    return {
        "jpegs": len(truth),
        "with_raw": len(with_raw),
        "paired": sum(paired.get(name) == truth[name] for name in with_raw),
        "wrong": sum(paired.get(name, truth[name]) != truth[name] for name in with_raw),
        "strangers_paired": sum(name in paired for name, raw in truth.items() if not raw),
        "ambiguous": len(pairing.ambiguous),
        "missed": sum(name not in paired for name in with_raw),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "missed_names": sorted(name for name in with_raw if name not in paired),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Pair a library by its pictures alone.")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--library", type=Path, help="where the library is kept, once it is made")
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*.jxl"))
    with tempfile.TemporaryDirectory() as name:
        folder = options.library or Path(name)
        known = folder / "truth.json"
        if not known.exists():
            folder.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(options.seed)
            known.write_text(json.dumps(make_library(folder, photos, options.shots, rng)), "utf-8")
        truth: dict[str, str] = json.loads(known.read_text("utf-8"))
        results = {"shots": options.shots, "seed": options.seed} | measured(folder, truth)
    print(json.dumps(results, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
