"""X-Trans beside Bayer, of one scene: ``python -m rawback_lab.bench.xtrans PHOTOS --names ...``.

Photographs are shot by one simulated camera with both mosaics, see :mod:`.sensors`, and coded at
equal bytes without networks, tuned for raw PSNR. Two JPEGs are tried: LibRaw's rendering of each
frame, and, for both, its rendering of the scene itself: linear RGB without noise. So what the
demosaicing takes away is told from what coding does. More of X-Trans's samples are green, whose
errors are larger in bright light: so figures are also given for each colour, with the colours'
shares of a Bayer frame, and in units of the noise.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from rich.console import Console
from rich.table import Table

from rawback import encoder
from rawback.jpegio import decode_jpeg
from rawback.metrics import RawErrors, raw_psnr
from rawback.rate import Rate
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.sensors import MARGIN, RATES, rendered, restored, simulated
from rawback_lab.camera import CameraSpec
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.types import RawFrame

__all__ = ["SHARES", "errors_by_colour", "figures", "table"]

SHARES = {"R": 0.25, "G": 0.5, "B": 0.25}
"""Of the samples of a Bayer frame."""

_FIGURES = ("all", "even", *SHARES, "noise")
_HEADS = ("all samples", "shares of Bayer", "red", "green", "blue", "in units of the noise")


def errors_by_colour(original: RawFrame, again: RawFrame) -> dict[str, float]:
    """Raw PSNR of all samples, of those of each colour, and with the shares of a Bayer frame.

    Args:
        original: The raw as the camera gave it.
        again: As it was restored.

    Returns:
        Decibels: ``all``, ``R``, ``G``, ``B``; ``even`` with `SHARES`; and ``noise``, by how much
        errors lie below the noise.
    """
    height, width = original.cfa.shape
    found: dict[str, float] = {"all": raw_psnr(original, again)}
    mean = 0.0
    for colour, share in SHARES.items():
        found[colour] = raw_psnr(original, again, original.mosaic.mask(colour, height, width))
        mean += share * 10 ** (-found[colour] / 10)
    found["even"] = -10 * math.log10(mean) if mean else math.inf
    over = RawErrors.of(original, again).over_sigma
    found["noise"] = -20 * math.log10(over) if over else math.inf
    return found


def scene_rendering(photo: Path) -> bytes:
    """LibRaw's rendering of the scene as a camera without mosaic and noise would see it."""
    picture = np.asarray(imagecodecs.jpegxl_decode(photo.read_bytes()))
    clean = replace(CameraSpec(), pattern="R+G+B", full_well=4e7, read_noise=0.1)
    return rendered(simulate(picture, clean, np.random.default_rng(3), 1500), MARGIN)


def figures(photo: Path) -> dict[str, Any]:
    """What becomes of a photograph: by rendering, rate and mosaic."""
    found: dict[str, Any] = {"own": {}, "scene": {}}
    scene = scene_rendering(photo)
    for case in islice(simulated(photo), 2):
        kind, frame = case.name, case.frame
        for rendering, jpeg in (("own", case.jpeg), ("scene", scene)):
            session = encoder.prepare(frame, decode_jpeg(jpeg), tune="psnr", use="never")
            for rate in RATES:
                size, again = restored(session, jpeg, Rate.size(int(rate * frame.cfa.size / 8)))
                row = {"bytes": size, **errors_by_colour(frame, again)}
                found[rendering].setdefault(str(rate), {})[kind] = row
    return found


def table(results: dict[str, Any]) -> Table:
    """By how many decibels X-Trans lies above Bayer, and the means."""
    grid = Table("photograph", "rendering of", "bpp", *_HEADS)
    for rendering, name in (("own", "the frame"), ("scene", "the scene")):
        for rate in map(str, RATES):
            rows = []
            for photo, found in results.items():
                both = found[rendering][rate]
                rows.append([both["X-Trans"][key] - both["Bayer"][key] for key in _FIGURES])
                grid.add_row(photo, name, rate, *(f"{value:+.2f}" for value in rows[-1]))
            means = np.mean(rows, axis=0)
            grid.add_row("mean", name, rate, *(f"{value:+.2f}" for value in means))
    return grid


def _photos(folder: Path, names: Sequence[str]) -> list[Path]:
    every = sorted(folder.glob("*.jxl"))
    return [path for name in names for path in every if name in path.stem]


def main() -> None:
    """Measure photographs with both mosaics."""
    parser = argparse.ArgumentParser(description="X-Trans beside Bayer, of one scene.")
    parser.add_argument("photos", type=Path, help="folder of JPEG XL photographs")
    parser.add_argument("--names", nargs="+", required=True, help="parts of the names of those")
    parser.add_argument("--json", type=Path, help="where figures go")
    options = parser.parse_args()
    photos = _photos(options.photos, options.names)
    if not photos:
        parser.error(f"no photograph in {options.photos} has such a name")
    results: dict[str, Any] = {}
    for photo in photos:
        results[photo.stem] = figures(photo)
        if options.json:
            write_json(options.json, results)
    Console(width=160).print(table(results))


if __name__ == "__main__":
    main()
