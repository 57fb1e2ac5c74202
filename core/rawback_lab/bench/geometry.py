"""Carriers that were turned, cropped, scaled and bent: ``python -m rawback_lab.bench.geometry``.

Each warped carrier is rendered as the plain one is and warped before its JPEG encoding. What counts
is the raw PSNR at one rate inside the area that the carrier covers, beside the same area of the
plain carrier's result.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from rawback import jpegio, metrics, rawio
from rawback._api.packaging import payload_room
from rawback.rate import Rate
from rawback_lab.bench.carriers import carrier_file
from rawback_lab.orient import upright
from rawback_lab.peers import PEERS, Shot
from rawback_lab.render import encode_jpeg
from rawback_lab.scenes import comparable_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.types import Guide, RawFrame

RATE = 0.1


def _crop(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle 70 % of each side."""
    height, width = pixels.shape[:2]
    top, left = (round(side * 0.15) for side in (height, width))
    return np.ascontiguousarray(
        pixels[top : top + round(height * 0.7), left : left + round(width * 0.7)]
    )


def _scale(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """40 % of each side."""
    size = (round(pixels.shape[1] * 0.4), round(pixels.shape[0] * 0.4))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tilt(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turned by 2 degrees about the middle, the corners cut off, as straightening does."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 2.0, 1.07)
    turned = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LANCZOS4)
    return np.asarray(turned, np.uint8)


def _barrel(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Barrel distortion of 3 % at the corners taken out, as lens correction does."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x - (width - 1) / 2, y - (height - 1) / 2
    radius = (u * u + v * v) / ((width / 2) ** 2 + (height / 2) ** 2)
    factor = (1 - 0.03 * radius).astype(np.float32)
    places = (u * factor + (width - 1) / 2, v * factor + (height - 1) / 2)
    return np.asarray(cv2.remap(pixels, *places, cv2.INTER_LANCZOS4), np.uint8)


WARPS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "plain": lambda pixels: pixels,
    "turned 90": lambda pixels: upright(pixels, 6),
    "turned 180": lambda pixels: upright(pixels, 3),
    "mirrored": lambda pixels: upright(pixels, 2),
    "crop 70 %": _crop,
    "scale 40 %": _scale,
    "tilt 2 deg": _tilt,
    "barrel": _barrel,
}


def measured(frame: RawFrame, jpeg: bytes) -> tuple[RawFrame, Guide]:
    """What a carrier restores to at the benchmark's rate, and its guide."""
    session = comparable_session(frame, jpegio.decode_jpeg(jpeg))
    room = payload_room(int(RATE * frame.cfa.size / 8))
    return session.encode(Rate.size(room)).restored, session.guide


def figures(raw_file: Path, scratch: Path) -> dict[str, Any]:
    """Raw PSNR inside the covered area for each warp, and of the plain carrier there."""
    frame = rawio.read_raw(raw_file)
    pixels = jpegio.decode_jpeg(carrier_file(raw_file, scratch).read_bytes()).pixels
    plain, guide = measured(frame, encode_jpeg(pixels, 92, "4:2:0"))
    alone = PEERS["jpegxl"](Shot(frame, guide), int(RATE * frame.cfa.size / 8))
    found: dict[str, Any] = {}
    for name, warp in WARPS.items():
        restored, guide = (
            (plain, guide)
            if name == "plain"
            else measured(frame, encode_jpeg(warp(pixels), 92, "4:2:0"))
        )
        found[name] = {
            "covered": float(guide.mask.mean()),
            "psnr_db": metrics.raw_psnr(frame, restored, guide.mask),
            "plain_psnr_db": metrics.raw_psnr(frame, plain, guide.mask),
        }
        print(raw_file.name, name, found[name], flush=True)
    if alone is not None:
        restored = replace(frame, cfa=alone.samples)
        found["jpegxl_alone_psnr_db"] = metrics.raw_psnr(frame, restored)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure warped carriers.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    results: dict[str, Any] = {"bpp": RATE, "frames": {}}
    if options.json.exists():
        # Raws that are not asked for keep their figures.
        results["frames"] = json.loads(options.json.read_text("utf-8"))["frames"]
    for raw_file in options.raws:
        results["frames"][raw_file.stem] = figures(raw_file, options.scratch)
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    grid = Table("raw", *WARPS, "JPEG XL alone")
    for name, found in results["frames"].items():
        cells = [f"{found[w]['psnr_db']:.2f} ({found[w]['plain_psnr_db']:.2f})" for w in WARPS]
        grid.add_row(name, *cells, f"{found.get('jpegxl_alone_psnr_db', 0):.2f}")
    Console(width=180).print(grid)


if __name__ == "__main__":
    main()
