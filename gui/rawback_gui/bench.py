# SPDX-License-Identifier: GPL-3.0-or-later
"""How quick the app is: ``python -m rawback_gui.bench RAW [JPEG] [--moves N] [--pairs N]``.

Drives the real window, without a display unless there is one, and prints one JSON document: seconds
from opening to the first comparison and to the restored raw, seconds from a move of the slider to
the visible part at the new rate, and memory after each of a number of openings.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rawback_gui.views._qt.app import make_application
from rawback_gui.views._qt.driving import compares, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

__all__ = ["main"]

_VISIBLE = (1024, 1024)


def opened(window: MainWindow, files: list[Path]) -> dict[str, float]:
    """Open files and tell the seconds until things are there."""
    space = window.workspace
    space.close_document()
    window.open_paths(files)
    progress = wait_until(lambda: space.voice.progress is not None)
    first = progress + wait_until(lambda: compares(window))
    restored = first + wait_until(lambda: shows(window, "restored"), 600)
    return {
        "progress_s": round(progress, 3),
        "first_comparison_s": round(first, 2),
        "restored_s": round(restored, 2),
    }


def slider_moves(window: MainWindow, moves: int) -> list[float]:
    """Seconds from each move of the slider to all of the visible part at the new rate."""
    space = window.workspace
    wait_until(lambda: space.rates.curve is not None and space.rates.curve.complete, 600)
    wait_until(lambda: space.voice.progress is None, 600)
    viewport = space.state.viewport.resized(*_VISIBLE).zoomed(1.0)
    space.update(replace(space.state, left="original", right="restored", viewport=viewport))
    wait_until(lambda: space.drawn)
    found = []
    slider = window.rate.slider
    for move in range(moves):
        # To and fro over the whole slider, each place another one.
        place = (move * 0.618) % 1
        before = space.rates.rate
        slider.setValue(round(place * slider.maximum()))
        if space.rates.rate == before:
            continue
        found.append(wait_until(lambda: space.drawn))
    return found


def memory() -> int:
    """Bytes that the process holds now; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Time the desktop app.")
    parser.add_argument("files", type=Path, nargs="+", help="a raw, and its JPEG")
    parser.add_argument("--moves", type=int, default=20, help="of the slider")
    parser.add_argument("--pairs", type=int, default=0, help="openings to watch memory over")
    options = parser.parse_args()
    if not os.environ.get("DISPLAY") and sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = make_application()
    window = MainWindow()
    window.workspace.state = replace(window.workspace.state, left="carrier", right="restored")
    window.resize(1400, 1200)
    window.show()
    report: dict[str, Any] = {"files": [path.name for path in options.files]}
    report["cores"] = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    report |= opened(window, options.files)
    if options.moves:
        taken = slider_moves(window, options.moves)
        report["slider_median_s"] = round(statistics.median(taken), 3)
        report["slider_slowest_s"] = round(max(taken), 3)
        report["moves"] = len(taken)
    held = []
    for _ in range(options.pairs):
        opened(window, options.files)
        gc.collect()
        held.append(memory())
    if held:
        report["memory_mb"] = [round(size / 1e6) for size in held]
    window.close()
    application.processEvents()
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
