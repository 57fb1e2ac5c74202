"""What DNGs take, compressed or not: ``python -m rawback_lab.bench dng RAW... --json FILE``.

Each raw's mosaic is written as a DNG as it is, and repeated to 24 megapixels for the time it takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rawback import rawio
from rawback.parallel import threads
from rawback_lab.bench.peers import write_json

if TYPE_CHECKING:
    from rawback.rawio.write import Compression
    from rawback.types import RawFrame

__all__ = ["lines", "measured"]

_HEIGHT, _WIDTH = 4000, 6000
_RUNS = 7


def measured(raw: Path) -> dict[str, Any]:
    """Sizes of one raw's DNGs, and the medians of the seconds that writing 24 megapixels takes."""
    frame = rawio.read_raw(raw)
    height, width = (side & ~1 for side in frame.cfa.shape)
    times = (-(-_HEIGHT // height), -(-_WIDTH // width))
    cfa = np.tile(frame.cfa[:height, :width], times)[:_HEIGHT, :_WIDTH]
    large = replace(frame, cfa=np.ascontiguousarray(cfa), border=None, black_offsets=None)
    figures: dict[str, Any] = {"raw": raw.name, "file_bytes": raw.stat().st_size}
    for name in ("none", "ljpeg"):
        wall, cpu = _seconds(large, name)
        figures[name] = {
            "bytes": len(rawio.write_dng(frame, compression=name)),
            "seconds": round(wall, 3),
            "cpu_seconds": round(cpu, 3),
        }
    return figures


def _seconds(frame: RawFrame, compression: Compression) -> tuple[float, float]:
    runs: list[tuple[float, float]] = []
    for _ in range(_RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        rawio.write_dng(frame, compression=compression)
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = zip(*runs, strict=True)
    return statistics.median(walls), statistics.median(cpus)


def lines(results: dict[str, Any]) -> list[str]:
    """The results as a table."""
    table = [
        "| raw | the camera's file | DNG | compressed | 24 MP: s | CPU s |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["raws"]:
        plain, packed = row["none"], row["ljpeg"]
        table.append(
            f"| `{row['raw']}` | {row['file_bytes']:,} | {plain['bytes']:,} | {packed['bytes']:,} "
            f"| {plain['seconds']:.2f}, compressed {packed['seconds']:.2f} "
            f"| {plain['cpu_seconds']:.2f}, {packed['cpu_seconds']:.2f} |"
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure sizes of DNGs, and the time they take.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    options = parser.parse_args()
    results: dict[str, Any] = {"pixels": _HEIGHT * _WIDTH, "threads": threads(), "raws": []}
    for raw in options.raws:
        results["raws"].append(measured(raw))
        print(*lines({"raws": results["raws"][-1:]})[2:], sep="\n", flush=True)
        write_json(options.json, results)


if __name__ == "__main__":
    main()
