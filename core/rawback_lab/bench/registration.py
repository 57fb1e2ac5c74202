"""Registration against truth: ``python -m rawback_lab.bench registration --real R --photos P``.

Renderings of raws are warped by known maps and finished as raw developers do. Of each, what counts
is how far raw pixels are placed wrongly, in raw pixels, and what that costs: the raw PSNR at
0.1 bpp against the one with the true map. Raws are those marked ``train``, and photographs taken
by simulated cameras.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from rawback import metrics
from rawback.errors import ShotMismatch
from rawback.geometry.registration import register
from rawback.jpegio import decode_jpeg
from rawback.rate import Rate
from rawback_lab.contexts.material import real_frames, simulated_frames
from rawback_lab.finishes import FINISHES
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.scenes import session_at
from rawback_lab.warps import WARPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.geometry import Geometry
    from rawback.jpegio import DecodedJpeg
    from rawback.types import RawFrame
    from rawback_lab.warps import Warp

RATE = 0.1


@dataclass(frozen=True)
class Result:
    """One warped rendering.

    Attributes:
        raw: Name of the frame.
        warp: Name of the map.
        finish: What else was done.
        seconds: That registration took.
        error: Why the raw was not found, empty where it was.
        median: Of the error in raw pixels.
        p95: Its 95th percentile.
        loss: Decibels lost against the true map; None where that was not measured.
        correlation: Of the raw and the rendering.
        disagreement: Part of the structure that does not correlate.
    """

    raw: str
    warp: str
    finish: str
    seconds: float
    error: str = ""
    median: float = 0.0
    p95: float = 0.0
    loss: float | None = None
    correlation: float = 0.0
    disagreement: float = 0.0


def measured(name: str, frame: RawFrame, warp: str, finish: str, *, loss: bool) -> Result:
    """Warp a rendering, register it and compare."""
    look = FilmicLook.random(np.random.default_rng(len(name)))
    true = WARPS[warp]((frame.width, frame.height))
    pixels = FINISHES[finish](true.shown(render_filmic(frame, look)))
    carrier = decode_jpeg(encode_jpeg(pixels, 92, "4:2:0"))
    start = time.perf_counter()
    try:
        registration = register(frame, carrier.pixels)
    except ShotMismatch as error:
        return Result(name, warp, finish, time.perf_counter() - start, str(error))
    seconds = time.perf_counter() - start
    geometry = registration.geometry
    errors = true.errors(geometry)
    lost = loss_in_decibels(frame, carrier, true, geometry) if loss else None
    median, p95 = (float(np.percentile(errors, share)) for share in (50, 95))
    seen = registration.correlation, registration.disagreement
    return Result(name, warp, finish, seconds, "", median, p95, lost, *seen)


def loss_in_decibels(
    frame: RawFrame, carrier: DecodedJpeg, warp: Warp, geometry: Geometry
) -> float:
    """Decibels that a geometry costs against the true one, where the true one covers the raw."""
    truth = warp.geometry()
    if truth == geometry:
        return 0.0
    sessions = [session_at(frame, carrier, g.transform)[0] for g in (truth, geometry)]
    best, seen = (
        metrics.raw_psnr(frame, session.encode(Rate.bpp(RATE)).restored, sessions[0].guide.mask)
        for session in sessions
    )
    return best - seen


def _cases(
    frames: Iterator[tuple[str, RawFrame]], warps: list[str], share: float, seed: int
) -> Iterator[tuple[str, RawFrame, str, str, bool]]:
    """Each frame with each map; every other one with a finish, a share of them to be coded."""
    rng = np.random.default_rng(seed)
    finishes = list(FINISHES)
    for name, frame in frames:
        for index, warp in enumerate(warps):
            finish = "none" if index % 2 == 0 else finishes[rng.integers(1, len(finishes))]
            yield name, frame, warp, finish, bool(rng.random() < share)


def table(results: list[Result]) -> Table:
    """One row a map: shares and percentiles over its renderings."""
    grid = Table("map", "found", "median px", "95 % px", "loss dB, mean", "worst", "seconds")
    names = [name for name in WARPS if any(result.warp == name for result in results)]
    for name in [*names, "all"]:
        rows = [r for r in results if name in (r.warp, "all")]
        seen = [r for r in rows if not r.error]
        losses = [r.loss for r in seen if r.loss is not None]
        grid.add_row(
            name,
            f"{len(seen)} of {len(rows)}",
            f"{np.median([r.median for r in seen]):.3f}" if seen else "",
            f"{np.percentile([r.p95 for r in seen], 95):.3f}" if seen else "",
            f"{np.mean(losses):.2f}" if losses else "",
            f"{max(losses):.2f}" if losses else "",
            f"{np.median([r.seconds for r in rows]):.1f}",
        )
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure registration against truth.")
    parser.add_argument("--real", type=Path, help="folder of raws with a manifest")
    parser.add_argument("--photos", type=Path, help="folder of JPEG XL photographs")
    parser.add_argument("--raws", type=int, default=10, help="how many raws marked train")
    parser.add_argument("--count", type=int, default=6, help="how many photographs")
    parser.add_argument("--warps", nargs="*", default=list(WARPS), help="names of maps")
    parser.add_argument("--loss", type=float, default=0.25, help="share whose loss is measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()

    def frames() -> Iterator[tuple[str, RawFrame]]:
        rng = np.random.default_rng(options.seed)
        if options.real:
            yield from islice(real_frames(options.real, "train", rng), options.raws)
        if options.photos:
            paths = sorted(options.photos.glob("*.jxl"))
            yield from simulated_frames(paths, options.count, rng)

    results = []
    for name, frame, warp, finish, loss in _cases(
        frames(), options.warps, options.loss, options.seed
    ):
        result = measured(name, frame, warp, finish, loss=loss)
        results.append(result)
        print(result, flush=True)
    if options.json:
        found: dict[str, Any] = {"bpp": RATE, "results": [asdict(result) for result in results]}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    Console(width=120).print(table(results))


if __name__ == "__main__":
    main()
