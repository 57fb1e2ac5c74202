"""What a library costs: ``python -m rawback_lab.bench throughput --json FILE RAW ...``.

Each raw's mosaic is repeated to 24 megapixels, and so is LibRaw's rendering of it. The worker
processes of a batch embed them, verify them, and restore them, after they have loaded all that they
need: one with one thread, one with a thread for each of two cores, and two with one thread each.
CPU seconds are those of the workers. The cost of a million files is worked out from these figures.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from rich.console import Console
from rich.table import Table

import rawback
from rawback.batch.control import Control
from rawback.batch.pool import Processes
from rawback.batch.storage import fingerprint
from rawback.batch.tasks import EmbedTask, RestoreTask
from rawback_lab.bench.speed import tiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.batch.outcome import Outcome
    from rawback.batch.tasks import Task

_SIZE = 4000, 6000
_TINY = 512, 768
_CREWS = ((1, 1), (1, 2), (2, 1))
"""Workers, and the threads of each."""

_MILLION = 1_000_000


def embeddings(shots: Sequence[tuple[Path, Path]], folder: Path) -> list[Task]:
    """Tasks as `rawback batch` makes them for shots."""
    return [
        EmbedTask(
            raw=raw,
            jpeg=jpeg,
            output=folder / f"{jpeg.stem}.rawback.jpg",
            input_fingerprints=(fingerprint(raw), fingerprint(jpeg)),
            rate=rawback.Rate.quality(rawback.DEFAULT_QUALITY),
            overwrite=True,
        )
        for raw, jpeg in shots
    ]


def restorings(embedded: Sequence[Task]) -> list[Task]:
    """Tasks as `rawback restore` makes them for the outputs of others."""
    return [
        RestoreTask(
            carrier=task.output,
            output=task.output.with_suffix(".dng"),
            input_fingerprints=(fingerprint(task.output),),
            overwrite=True,
        )
        for task in embedded
    ]


def timed(workers: Processes, tasks: Sequence[Task], tiny: Sequence[Task]) -> dict[str, Any]:
    """Figures of some tasks, done by workers that have all done something tiny before."""
    warm = _done(workers, tiny)
    processes = [psutil.Process(int(pid)) for pid in {outcome.worker for outcome in warm}]
    before, started = sum(map(_cpu, processes)), time.perf_counter()
    outcomes = _done(workers, tasks)
    wall = time.perf_counter() - started
    cpu = sum(map(_cpu, processes)) - before
    figures = [outcome.figures for outcome in outcomes]
    megapixels = sum(f.width * f.height for f in figures if f is not None) / 1e6
    return {
        "workers": workers.count,
        "threads": workers.threads,
        "files": len(outcomes),
        "megapixels": round(megapixels, 2),
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "files_per_hour": round(3600 * len(outcomes) / wall, 1),
        "cpu_seconds_per_megapixel": round(cpu / megapixels, 3),
        "worker_bytes": max(f.peak_memory_bytes or 0 for f in figures if f is not None),
        "payload_bytes": sum(outcome.payload_bytes for outcome in outcomes),
        "read_bytes": sum(sum(outcome.input_sizes) for outcome in outcomes),
    }


def _done(workers: Processes, tasks: Sequence[Task]) -> list[Outcome]:
    outcomes = list(workers.outcomes(tasks, Control()))
    for outcome in outcomes:
        if outcome.status != "done":
            message = f"{outcome.output}: {outcome.error}"
            raise SystemExit(message)
    return outcomes


def _cpu(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def estimate(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a million raws of 24 megapixels cost, by the run of two workers of each verb."""
    embed, restore = (
        next(run for run in runs if run["verb"] == verb and run["workers"] == 2)
        for verb in ("embed", "restore")
    )
    megapixels = _MILLION * _SIZE[0] * _SIZE[1] / 1e6
    payload = embed["payload_bytes"] / embed["megapixels"] * megapixels
    return {
        "files": _MILLION,
        "megapixels_each": _SIZE[0] * _SIZE[1] / 1e6,
        "embed_and_verify_cpu_hours": round(embed["cpu_seconds_per_megapixel"] * megapixels / 3600),
        "restore_cpu_hours": round(restore["cpu_seconds_per_megapixel"] * megapixels / 3600),
        "payload_terabytes": round(payload / 1e12, 2),
        "raw_terabytes_16_bit": round(2e6 * megapixels / 1e12, 2),
        "read_terabytes": round(embed["read_bytes"] / embed["megapixels"] * megapixels / 1e12, 2),
    }


def efficiency(runs: Sequence[dict[str, Any]], verb: str) -> float:
    """Files per hour of two workers, by twice those of one with as many threads."""
    one, two = (
        next(r for r in runs if (r["verb"], r["workers"], r["threads"]) == (verb, count, 1))
        for count in (1, 2)
    )
    return round(float(two["files_per_hour"] / (2 * one["files_per_hour"])), 3)


def table(results: dict[str, Any]) -> Table:
    """The runs."""
    grid = Table("verb", "workers x threads", "files / h", "CPU s / MP", "memory / worker")
    for run in results["runs"]:
        grid.add_row(
            run["verb"],
            f"{run['workers']} x {run['threads']}",
            f"{run['files_per_hour']:.0f}",
            f"{run['cpu_seconds_per_megapixel']:.2f}",
            f"{run['worker_bytes'] / 2**30:.2f} GiB",
        )
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a library costs.")
    parser.add_argument("raws", type=Path, nargs="+")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--size", type=int, nargs=2, default=_SIZE, help="height and width")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    results: dict[str, Any] = {
        "raws": [raw.name for raw in options.raws],
        "size": list(options.size),
        "quality": rawback.DEFAULT_QUALITY,
        "cores": os.cpu_count(),
        "runs": [],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shots = [_shot(raw, options.scratch, folder, tuple(options.size)) for raw in options.raws]
        small = [_shot(options.raws[0], options.scratch, folder, _TINY)] * 2
        for workers, threads in _CREWS:
            tasks, tiny = embeddings(shots, folder), embeddings(small, folder)[:workers]
            with Processes(workers, threads) as processes:
                results["runs"].append({"verb": "embed"} | timed(processes, tasks, tiny))
            print(json.dumps(results["runs"][-1]), flush=True)
            with Processes(workers, threads) as processes:
                back = timed(processes, restorings(tasks), restorings(tiny))
                results["runs"].append({"verb": "restore"} | back)
            print(json.dumps(results["runs"][-1]), flush=True)
    results["efficiency"] = {
        verb: efficiency(results["runs"], verb) for verb in ("embed", "restore")
    }
    results["million"] = estimate(results["runs"])
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    Console(width=100).print(table(results))
    print(json.dumps({key: results[key] for key in ("efficiency", "million")}, indent=1))


def _shot(raw: Path, scratch: Path, folder: Path, size: tuple[int, int]) -> tuple[Path, Path]:
    """The files of a shot of some height and width."""
    name = f"{raw.stem}-{size[1]}x{size[0]}"
    paths = folder / f"{name}.dng", folder / f"{name}.jpg"
    for path, data in zip(paths, tiled(raw, scratch, size), strict=True):
        path.write_bytes(data)
    return paths


if __name__ == "__main__":
    main()
