# SPDX-License-Identifier: GPL-3.0-or-later
"""How quick the app is: ``python -m rawback_gui.bench FILES [--moves N] [--openings N] [-o OUT]``.

Drives the real window, without a display unless there is one, on raws and the JPEGs of their
names; a raw without one is first given what the app would make for it. All figures are those of the
process: wall-clock seconds, and CPU seconds of all its threads, which hold on a busy machine too.

==================  =============================================================================
figure              what it is
==================  =============================================================================
start               from the start of the process to the window, once
first_comparison    from dropping the files to the JPEG and a raw beside it
restored            from dropping them to the restored raw
push                from moving the exposure by 2 EV to all pictures
slider              from a move of the slider to all of one visible megapixel at the new rate,
                    while the curve is measured behind, and at rest
save                from choosing a name to the written carrier, whose payload is made already
stall               the longest time in which the window did not answer while files were opened
memory              what the process holds after each of a number of openings of all files in turn
==================  =============================================================================

``--record FILE`` keeps the first minute of the first pair as an animated WebP: drop, see, push,
slide, save. ``--zones`` prints what each quality gives back, by which the slider's zones were set.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt6.QtCore import QSettings, QTimer

import rawback
from rawback_gui.controllers.saving import SaveRequest
from rawback_gui.models.gain import measure_gain
from rawback_gui.models.pairing import Pair, pair_up
from rawback_gui.models.state import ViewState
from rawback_gui.views._qt.app import make_application
from rawback_gui.views._qt.driving import compares, drawn, grabbed, settled, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["main"]

_VISIBLE = (1024, 1024)
_PATIENCE = 900.0
_TICK_MS = 5
_FRAME_MS, _LONGEST_MS = 200, 1500
_QUALITIES = (0, 10, 20, 30, 40, 45, 50, 55, 60, 65, 70, 80, 90)
_FLAT_FROM = 10
"""Openings after which memory is to stay as it is."""


class Pulse:
    """The longest time in which the window did not come round to a timer."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self._longest = 0.0
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, now - self._last)
        self._last = now

    def stop(self) -> float:
        """Seconds."""
        self._tick()
        self._timer.stop()
        return self._longest


def opened(window: MainWindow, pair: Pair) -> dict[str, float]:
    """Open a pair and tell the seconds until things are there."""
    space = window.workspace
    space.close_document()
    space.update(replace(space.state, left="carrier", right="restored"))
    cpu, pulse = time.process_time(), Pulse()
    window.open_paths(list(pair.files))
    first = wait_until(lambda: compares(window), _PATIENCE)
    first_cpu = time.process_time() - cpu
    restored = first + wait_until(lambda: shows(window, "restored"), _PATIENCE)
    return {
        "first_comparison_s": round(first, 2),
        "first_comparison_cpu_s": round(first_cpu, 2),
        "restored_s": round(restored, 2),
        "restored_cpu_s": round(time.process_time() - cpu, 2),
        "stall_s": round(pulse.stop(), 3),
    }


def pushed(window: MainWindow) -> dict[str, float]:
    """Seconds from moving the exposure to all pictures."""
    space, cpu = window.workspace, time.process_time()
    space.update(replace(space.state, viewport=space.state.viewport.fit()))
    drawn(window, _PATIENCE)
    taken = []
    for stops in (2.0, -2.0, 0.0):
        window.top.exposure.setValue(round(60 * stops))
        taken.append(drawn(window, _PATIENCE))
    cpu = (time.process_time() - cpu) / len(taken)
    return {"push_s": round(statistics.median(taken), 3), "push_cpu_s": round(cpu, 3)}


def saved(window: MainWindow, folder: Path) -> dict[str, float]:
    """Seconds from choosing a name to the written carrier."""
    wait_until(lambda: settled(window), _PATIENCE)
    path = folder / "saved.jpg"
    window.workspace.save(SaveRequest("carrier", path, overwrite=True))
    taken = wait_until(lambda: path.name in window.workspace.feedback.text, _PATIENCE)
    window.workspace.feedback.clear()
    return {"save_s": round(taken, 3)}


def slider_moves(window: MainWindow, moves: int) -> dict[str, float]:
    """Seconds from each move of the slider to all of the visible part at the new rate."""
    space, slider = window.workspace, window.rate.slider
    viewport = space.state.viewport.resized(*_VISIBLE).zoomed(1.0)
    space.update(replace(space.state, left="original", right="restored", viewport=viewport))
    drawn(window, _PATIENCE)
    taken, spent = [], []
    for move in range(moves):
        # To and fro over the whole slider, each place another one.
        place = (move * 0.618) % 1
        before, cpu = space.rates.rate, time.process_time()
        slider.setValue(round(place * slider.maximum()))
        if space.rates.rate != before:
            taken.append(drawn(window, _PATIENCE))
            spent.append(time.process_time() - cpu)
    return {
        "moves": len(taken),
        "median_s": round(statistics.median(taken), 3),
        "slowest_s": round(max(taken), 3),
        "median_cpu_s": round(statistics.median(spent), 3),
    }


def measured(window: MainWindow, pair: Pair, moves: int, folder: Path) -> dict[str, Any]:
    """All figures of one pair."""
    found: dict[str, Any] = {"file": pair.name} | opened(window, pair)
    found |= pushed(window)
    space = window.workspace
    document = space.document
    if document is not None:
        found["pixels"] = document.frame.cfa.size
    if moves:
        wait_until(lambda: slider_ready(window), _PATIENCE)
        found["slider_while_measuring"] = slider_moves(window, moves)
        wait_until(lambda: space.rates.curve is not None and space.rates.curve.complete, _PATIENCE)
        wait_until(lambda: space.feedback.progress is None, _PATIENCE)
        found["slider_at_rest"] = slider_moves(window, moves)
        found |= saved(window, folder)
    return found


class Recorder:
    """Frames of a window, some each second."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._frames: list[NDArray[np.uint8]] = []
        self._timer = QTimer()
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._grab)
        self._timer.start()

    def _grab(self) -> None:
        self._frames.append(grabbed(self._window).copy())

    def keep(self, path: Path) -> None:
        """Write what was seen as an animated WebP; pictures that stay are kept once."""
        from PIL import Image

        self._timer.stop()
        images: list[Image.Image] = []
        durations: list[int] = []
        for frame in self._frames:
            if images and np.array_equal(np.asarray(images[-1]), frame):
                durations[-1] = min(durations[-1] + _FRAME_MS, _LONGEST_MS)
            else:
                images.append(Image.fromarray(frame))
                durations.append(_FRAME_MS)
        first, *others = images
        first.save(
            path, save_all=True, append_images=others, duration=durations, quality=70, method=4
        )


def first_minute(window: MainWindow, pair: Pair, folder: Path, path: Path) -> None:
    """Record what people do first: drop, see, push, slide, save."""
    recorder = Recorder(window)
    window.open_paths(list(pair.files))
    wait_until(lambda: shows(window, "restored"), _PATIENCE)
    _linger()
    for stops in (0.5, 1.0, 1.5, 2.0, 1.0, 0.0, -1.0, -2.0):
        window.top.exposure.setValue(round(60 * stops))
        drawn(window, _PATIENCE)
        _linger(0.3)
    wait_until(lambda: window.workspace.rates.made is not None, _PATIENCE)
    _linger()
    slider = window.rate.slider
    for value in (1100, 900, 700, 500):
        slider.setValue(value)
        drawn(window, _PATIENCE)
        _linger(0.3)
    wait_until(lambda: window.workspace.rates.made is not None, _PATIENCE)
    _linger()
    window.workspace.save(SaveRequest("carrier", folder / f"{pair.name.split('.')[0]}.rawback.jpg"))
    wait_until(lambda: bool(window.workspace.feedback.text), _PATIENCE)
    _linger()
    recorder.keep(path)


def _linger(seconds: float = 1.5) -> None:
    end = time.perf_counter() + seconds
    wait_until(lambda: time.perf_counter() > end, _PATIENCE)


def zones(pair: Pair) -> list[dict[str, float]]:
    """What each quality gives back of a shot; see `rawback_gui.models.gain`."""
    if pair.raw is None or pair.jpeg is None:
        return []
    session = rawback.open_session(pair.raw, pair.jpeg)
    session.prepare()
    frame, guide = session.original, session.guide
    if guide is None:
        return []
    rows = []
    width, height = frame.width // 2 * 2, frame.height // 2 * 2
    for quality in _QUALITIES:
        restored = frame.cfa.copy()
        preview = session.preview(rawback.Rate.quality(quality), (0, 0, width, height))
        restored[:height, :width] = preview.restored
        gain = measure_gain(frame, restored, guide, highlight_psnr_db=math.nan, exact=False)
        rows.append(
            {
                "quality": quality,
                "clipped_share": round(gain.clipped_share, 5),
                "recovered_share": round(gain.recovered_share, 3),
                "shadow_noise": round(gain.shadow_noise, 3),
            }
        )
    return rows


def slider_ready(window: MainWindow) -> bool:
    """Whether the slider can be moved over its whole length."""
    curve = window.workspace.rates.curve
    return curve is not None and len(curve.points) > 2


def memory() -> int:
    """Bytes that the process holds now; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def held(window: MainWindow, pairs: list[Pair], openings: int) -> dict[str, Any]:
    """Memory after each of a number of openings."""
    sizes = []
    for number in range(openings):
        opened(window, pairs[number % len(pairs)])
        window.workspace.close_document()
        gc.collect()
        sizes.append(memory() / 1e6)
    late = sizes[_FLAT_FROM:] or sizes
    return {
        "openings": openings,
        "held_mb": [round(size) for size in sizes],
        "growth_mb": round(statistics.median(late[-5:]) - statistics.median(late[:5])),
    }


def since_start() -> float | None:
    """Seconds since the process was started; None where the system does not tell."""
    status = Path("/proc/self/stat")
    if not status.exists():
        return None
    ticks = int(status.read_text("utf-8").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def with_jpegs(pairs: tuple[Pair, ...], folder: Path) -> list[Pair]:
    """The pairs, raws alone with the JPEG that the app would make for them."""
    found = []
    for pair in pairs:
        jpeg = pair.jpeg
        if jpeg is None and pair.raw is not None:
            jpeg = folder / f"{pair.raw.stem}.jpg"
            jpeg.write_bytes(rawback.carrier_for(pair.raw))
        found.append(Pair(pair.raw, jpeg))
    return found


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Time the desktop app.")
    parser.add_argument("files", type=Path, nargs="+", help="raws, and JPEGs of their names")
    parser.add_argument("--moves", type=int, default=20, help="of the slider")
    parser.add_argument("--openings", type=int, default=0, help="to watch memory over")
    parser.add_argument("--record", type=Path, help="keep the first minute as a WebP")
    parser.add_argument("--zones", action="store_true", help="print what qualities give back")
    parser.add_argument("-o", "--output", type=Path, help="keep the figures in this file")
    options = parser.parse_args()
    if not os.environ.get("DISPLAY") and sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch
        if options.zones:
            pairs = with_jpegs(pair_up(options.files).pairs, Path(scratch))
            print(json.dumps({pair.name: zones(pair) for pair in pairs}, indent=1))
            return 0
        QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, scratch)
        application = make_application()
        window = MainWindow()
        window.workspace.state = ViewState()
        window.resize(1400, 1200)
        window.show()
        application.processEvents()
        started = since_start()
        report: dict[str, Any] = {
            "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
            "start_s": None if started is None else round(started, 2),
        }
        pairs = with_jpegs(pair_up(options.files).pairs, Path(scratch))
        if options.record is not None:
            window.resize(1280, 720)
            first_minute(window, pairs[0], Path(scratch), options.record)
            return 0
        report["pairs"] = [measured(window, pair, options.moves, Path(scratch)) for pair in pairs]
        if options.openings:
            report["memory"] = held(window, pairs, options.openings)
        window.close()
        application.processEvents()
    text = json.dumps(report, indent=1)
    print(text)
    if options.output is not None:
        options.output.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
