"""Registration against truth: ``python -m rawback_lab.bench registration --real R --photos P``.

Renderings of raws are warped by known maps and finished as raw developers do, registered, and
compared as `rawback_lab.bench.registered` says. Raws are those marked ``train``, and photographs
taken by simulated cameras.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from rawback.jpegio import decode_jpeg
from rawback_lab.bench.registered import RATE, Outcome, Pair, outcome_of, table
from rawback_lab.contexts.material import real_frames, simulated_frames
from rawback_lab.finishes import FINISHES
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.warps import WARPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.types import RawFrame


def measured(name: str, frame: RawFrame, warp: str, finish: str, *, loss: bool) -> Outcome:
    """Warp a rendering, register it and compare."""
    look = FilmicLook.random(np.random.default_rng(len(name)))
    true = WARPS[warp]((frame.width, frame.height))
    upright = render_filmic(frame, look)
    plain, warped = (
        decode_jpeg(encode_jpeg(FINISHES[finish](pixels), 92, "4:2:0"))
        for pixels in (upright, true.shown(upright))
    )
    return outcome_of(Pair(name, warp, finish, frame, warped), loss=loss, plain=plain)


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


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure registration against truth.")
    parser.add_argument("--real", type=Path, help="folder of raws with a manifest")
    parser.add_argument("--photos", type=Path, help="folder of JPEG XL photographs")
    parser.add_argument("--raws", type=int, default=10, help="how many raws marked train")
    parser.add_argument("--side", type=int, default=2048, help="of the part of raws, pixels")
    parser.add_argument("--count", type=int, default=6, help="how many photographs")
    parser.add_argument("--warps", nargs="*", default=list(WARPS), help="names of maps")
    parser.add_argument("--loss", type=float, default=0.25, help="share whose loss is measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()

    def frames() -> Iterator[tuple[str, RawFrame]]:
        rng = np.random.default_rng(options.seed)
        if options.real:
            real = real_frames(options.real, "train", rng, options.side)
            yield from islice(real, options.raws)
        if options.photos:
            paths = sorted(options.photos.glob("*.jxl"))
            yield from simulated_frames(paths, options.count, rng)

    outcomes: list[Outcome] = []
    if options.json and options.json.exists():
        # What was measured before is not measured again.
        kept = json.loads(options.json.read_text("utf-8"))["outcomes"]
        outcomes = [Outcome(**outcome) for outcome in kept]
    cases = _cases(frames(), options.warps, options.loss, options.seed)
    for name, frame, warp, finish, loss in islice(cases, len(outcomes), None):
        outcomes.append(measured(name, frame, warp, finish, loss=loss))
        print(outcomes[-1], flush=True)
        if options.json:
            results = {"bpp": RATE, "outcomes": [asdict(outcome) for outcome in outcomes]}
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    for key, names in (("warp", WARPS), ("finish", FINISHES)):
        Console(width=140).print(table(outcomes, names, key))


if __name__ == "__main__":
    main()
