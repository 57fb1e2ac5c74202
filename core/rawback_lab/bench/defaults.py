"""What defaults cost: ``python -m rawback_lab.bench defaults RAW... [--json FILE]``.

By default `embed` decodes what it wrote and compares, and `restore` compresses its DNG. Each is run
as the command line does, in a process of its own, turn by turn with its opposite; the JPEG is
LibRaw's rendering. Medians of seconds by the clock, of those of the processor, and their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from rawback import rawio
from rawback_lab.bench.carriers import carrier_file
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.speed import called

__all__ = ["measured"]

_RATES = (("-q", "60"), ("--size", "200kB"), ("--lossless",))
_KINDS = ("wall_seconds", "processor_seconds", "peak_memory_bytes", "bytes")


def measured(raw: Path, jpeg: Path, rate: tuple[str, ...], runs: int) -> dict[str, Any]:
    """Each command's figures by default and with the opposite option, and their ratios."""
    results: dict[str, Any] = {"rate": " ".join(rate), "runs": runs}
    with tempfile.TemporaryDirectory() as folder:
        carrier, dng = Path(folder, "carrier.jpg"), Path(folder, "restored.dng")
        commands: dict[str, tuple[tuple[str | Path, ...], Path]] = {
            "--no-verify": (("embed", raw, jpeg, "-o", carrier, "--overwrite", *rate), carrier),
            "--no-compress": (("restore", carrier, "-o", dng, "--overwrite"), dng),
        }
        for opposite, (command, output) in commands.items():
            taken: dict[str, list[dict[str, Any]]] = {"default": [], opposite: []}
            for run in range(runs):
                # Which comes first changes, so that neither has the warmer disk.
                for name in sorted(taken, reverse=bool(run % 2)):
                    extra = () if name == "default" else (opposite,)
                    report = called(*command, *extra)
                    taken[name].append(report | {"bytes": output.stat().st_size})
            medians = {
                name: {kind: median(report[kind] for report in reports) for kind in _KINDS}
                for name, reports in taken.items()
            }
            ratio = {
                kind: round(medians["default"][kind] / medians[opposite][kind], 3)
                for kind in _KINDS
            }
            results[str(command[0])] = {**medians, "ratio": ratio}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Time embed and restore without their defaults.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    parser.add_argument("--runs", type=int, default=3, help="of each")
    options = parser.parse_args()
    results: dict[str, Any] = {"cores": os.cpu_count(), "load": os.getloadavg(), "raws": {}}
    for raw in options.raws:
        jpeg = carrier_file(raw, options.scratch)
        frame = rawio.read_raw(raw)
        results["raws"][raw.stem] = {"pixels": frame.width * frame.height, "rates": []}
        for rate in _RATES:
            found = measured(raw, jpeg, rate, options.runs)
            results["raws"][raw.stem]["rates"].append(found)
            print(raw.stem, json.dumps(found), flush=True)
        if options.json is not None:
            write_json(options.json, results)


if __name__ == "__main__":
    main()
