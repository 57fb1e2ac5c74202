"""How time and memory grow with the frame: ``python -m rawback_lab.bench growth RAW --json FILE``.

The raw is repeated to 1 to 100 megapixels; the commands run as processes, their start included.
Draws the curves beside the figures.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rawback_lab.bench.peers import write_json
from rawback_lab.bench.speed import called, tiled

_SIZES = ((816, 1224), (1632, 2448), (2448, 3672), (4000, 6000), (5776, 8664), (8168, 12248))
"""Heights and widths, of 1, 4, 9, 24, 50 and 100 megapixels."""

_RATES = {"-q 60": ("-q", "60"), "lossless": ("--lossless",)}
_COLOURS = {"-q 60": "#d62728", "lossless": "#1f4e79"}
_MARKS = {"embed": ("o", "-"), "restore": ("s", "--")}


def measured(raw_file: Path, scratch: Path) -> list[dict[str, Any]]:
    """Seconds and peak memory of each command at each size."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        raw, jpeg = Path(folder, "large.dng"), Path(folder, "large.jpg")
        carrier, restored = Path(folder, "carrier.jpg"), Path(folder, "restored.dng")
        for size in _SIZES:
            for path, data in zip((raw, jpeg), tiled(raw_file, scratch, size), strict=True):
                path.write_bytes(data)
            for name, rate in _RATES.items():
                reports = {
                    "embed": called("embed", raw, jpeg, "-o", carrier, "--overwrite", *rate),
                    "restore": called("restore", carrier, "-o", restored, "--overwrite"),
                }
                for verb, report in reports.items():
                    runs.append(
                        {
                            "verb": verb,
                            "rate": name,
                            "megapixels": round(size[0] * size[1] / 1e6, 2),
                            "wall_seconds": report["wall_seconds"],
                            "processor_seconds": report["processor_seconds"],
                            "peak_memory_bytes": report["peak_memory_bytes"],
                        }
                    )
                    print(runs[-1], flush=True)
    return runs


def drawn(runs: list[dict[str, Any]], target: Path) -> None:
    """Seconds and memory over megapixels, as a picture."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    for name, colour in _COLOURS.items():
        for verb, (mark, line) in _MARKS.items():
            own = [run for run in runs if (run["verb"], run["rate"]) == (verb, name)]
            across = [run["megapixels"] for run in own]
            look = {"color": colour, "marker": mark, "linestyle": line, "label": f"{verb} {name}"}
            seconds.plot(across, [run["wall_seconds"] for run in own], **look)
            memory.plot(across, [run["peak_memory_bytes"] / 2**30 for run in own], **look)
    for panel, label in ((seconds, "seconds"), (memory, "GiB at the peak")):
        panel.set_xlabel("megapixels")
        panel.set_ylabel(label)
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(b=False)
    seconds.legend(frameon=False)
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how time grows with the frame.")
    parser.add_argument("raw", type=Path)
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--picture", type=Path, required=True, help="where the curves go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    runs = measured(options.raw, options.scratch)
    write_json(options.json, {"raw": options.raw.stem, "cores": os.cpu_count(), "runs": runs})
    drawn(runs, options.picture)


if __name__ == "__main__":
    main()
