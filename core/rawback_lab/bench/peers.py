"""Measure the peers on real raws: ``python -m rawback_lab.bench.peers FOLDER --json FILE``.

Figures that the JSON file has already are not measured again, so a run can be stopped and taken
up, and benchmarks of rawback itself can set their own figures beside these. Keys, from outside
in: raw file, peer, rate. A raw whose contents changed is measured anew.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from rich.console import Console
from rich.table import Table

from rawback import metrics
from rawback_lab.bench.carriers import digest, load_shot
from rawback_lab.peers import FIXED_SIZE, PEERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rawback_lab.peers import Coded, Shot

__all__ = ["ANY_RATE", "Figures", "FileFigures", "load_results", "measure", "write_json"]

RATES = (0.02, 0.1, 0.5)
"""Bits per pixel the peers are asked for."""

ANY_RATE = "any"
"""The rate key of peers with one size whatever the rate."""


class Figures(TypedDict):
    """What was measured of one peer at one rate; null is infinite, or nothing to measure."""

    bytes: int
    bpp: float
    raw_psnr: float | None
    highlight_psnr: float | None
    error_over_sigma: float
    seconds: float


class FileFigures(TypedDict):
    """What was measured on one raw; a peer that cannot go as low as a rate has null there."""

    digest: str
    pixels: int
    peers: dict[str, dict[str, Figures | None]]


def measure(shot: Shot, coded: Coded, seconds: float) -> Figures:
    """Measure what a peer made of a shot."""
    restored = replace(shot.frame, cfa=coded.samples)
    return Figures(
        bytes=coded.size,
        bpp=metrics.bits_per_pixel(coded.size, shot.frame),
        raw_psnr=_finite(metrics.raw_psnr(shot.frame, restored)),
        highlight_psnr=_finite(metrics.highlight_psnr(shot.frame, restored, shot.guide)),
        error_over_sigma=metrics.error_over_sigma(shot.frame, restored),
        seconds=round(seconds, 2),
    )


def load_results(path: Path) -> dict[str, FileFigures]:
    """The figures kept so far; none where the file is not there."""
    if not path.exists():
        return {}
    results: dict[str, FileFigures] = json.loads(path.read_text("utf-8"))
    return results


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    """Keep figures; a run that is killed meanwhile leaves the old ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    new.replace(path)


def run(
    raw_files: Sequence[Path],
    json_file: Path,
    scratch: Path,
    rates: Sequence[float] = RATES,
    peers: Sequence[str] = tuple(PEERS),
) -> dict[str, FileFigures]:
    """Measure what is not in `json_file` yet, and keep each figure as it comes."""
    results = load_results(json_file)
    for raw_file in raw_files:
        name = digest(raw_file)
        figures = results.get(raw_file.name)
        if figures is None or figures["digest"] != name:
            figures = FileFigures(digest=name, pixels=0, peers={})
        missing = [
            (peer, rate)
            for peer in peers
            for rate in ([ANY_RATE] if peer in FIXED_SIZE else map(str, rates))
            if rate not in figures["peers"].get(peer, {})
        ]
        if not missing:
            continue
        shot = load_shot(raw_file, scratch)
        figures["pixels"] = shot.frame.cfa.size
        results[raw_file.name] = figures
        for peer, rate in missing:
            figures["peers"].setdefault(peer, {})[rate] = _figures_of(shot, peer, rate)
            write_json(json_file, results)
    return results


def _figures_of(shot: Shot, peer: str, rate: str) -> Figures | None:
    pixels = shot.frame.cfa.size
    budget = 2 * pixels if rate == ANY_RATE else int(float(rate) * pixels / 8)
    started = time.perf_counter()
    coded = PEERS[peer](shot, budget)
    return None if coded is None else measure(shot, coded, time.perf_counter() - started)


def _finite(decibels: float) -> float | None:
    return round(decibels, 4) if math.isfinite(decibels) else None


def table(results: Mapping[str, FileFigures], rates: Sequence[float] = RATES) -> Table:
    """Raw PSNR by file, peer and rate; of peers with one size, their rate too."""
    grid = Table()
    for title in ("raw", "peer", "one size", *(f"{rate} bpp" for rate in rates)):
        grid.add_column(title, no_wrap=True)
    for file, figures in results.items():
        for peer, by_rate in figures["peers"].items():
            columns = [_cell(by_rate.get(ANY_RATE), with_rate=True)]
            columns += [_cell(by_rate.get(str(rate)), with_rate=False) for rate in rates]
            grid.add_row(file, peer, *columns)
            file = ""
        grid.add_section()
    return grid


def _cell(figures: Figures | None, *, with_rate: bool) -> str:
    if figures is None:
        return ""
    psnr = "lossless" if figures["raw_psnr"] is None else f"{figures['raw_psnr']:.2f} dB"
    return f"{psnr}, {figures['bpp']:.3f} bpp" if with_rate else psnr


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the peers on real raws.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files, or folders of DNGs")
    parser.add_argument("--json", type=Path, required=True, help="where the figures are kept")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES))
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    options = parser.parse_args()
    files = [
        file
        for path in options.raws
        for file in (sorted(path.glob("*.dng")) if path.is_dir() else [path])
    ]
    # Small raws first: a run that is stopped has figures of as many as possible.
    files.sort(key=lambda file: file.stat().st_size)
    results = run(files, options.json, options.scratch, options.rates, options.peers)
    Console(width=120).print(table(results, options.rates))


if __name__ == "__main__":
    main()
