"""Curves as pictures, from the kept figures: ``python -m rawback_lab.bench rd_plots JSON --into``.

One picture per results file: a panel per raw for PSNR over rate, rawback on top.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rawback_lab.bd import frontier
from rawback_lab.bench.peers import ANY_RATE
from rawback_lab.bench.rd_tables import OWN, curve

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["draw"]

_LOOKS: dict[str, tuple[str, str]] = {
    OWN: ("#d62728", "o"),
    "base+jpeg2000": ("#1f4e79", "s"),
    "base+jpeg2000-linear": ("#6fa3d0", "s"),
    "base+jpegxl": ("#2e7d32", "^"),
    "base+jpegxl-linear": ("#8bc34a", "^"),
    "jpegxl": ("#7b4fa3", "D"),
    "jpegxl-linear": ("#b99bd6", "D"),
    "sam": ("#b8860b", "v"),
    "paper": ("#444444", "P"),
}
"""Colour and marker of each method, the same in all pictures."""

_BELOW = 6
"""Decibels below rawback's worst point that a panel shows."""

_NAMES = {"sam": "SAM", "base+jpeg2000": "base + JPEG 2000", "base+jpegxl": "base + JPEG XL"}
_NAMES |= {f"{key}-linear": f"{name}, linear light" for key, name in _NAMES.items()}
_NAMES |= {"jpegxl": "JPEG XL alone", "jpegxl-linear": "JPEG XL alone, linear light"}
_NAMES |= {"paper": "the paper's network (ideal code length)"}

_ABOUT = {
    "p1": "linear RGB scaled down by 4, uncompressed sRGB guide",
    "p2": "full-resolution mosaic, JPEG carrier",
}


def draw(results: dict[str, Any], into: Path) -> Path:
    """Draw all curves of a results file.

    Args:
        results: As :mod:`rawback_lab.bench.rd` keeps them.
        into: The folder to draw into.

    Returns:
        The picture's path.
    """
    frames = results["frames"]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(4.4 * len(frames), 4.9), layout="constrained")
        panels = figure.subplots(1, len(frames), squeeze=False)[0]
        for panel, (name, frame) in zip(panels, frames.items(), strict=True):
            _panel(panel, name, frame["methods"])
        panels[0].set_ylabel("PSNR of linear samples, dB")
        handles: dict[str, Artist] = {}
        for panel in panels:
            lines, labels = panel.get_legend_handles_labels()
            handles |= dict(zip(labels, lines, strict=True))
        columns = min(4, 2 * len(frames))
        figure.legend(
            [*handles.values()],
            [*handles],
            loc="outside lower center",
            ncols=columns,
            frameon=False,
            fontsize=8,
        )
        protocol = results["protocol"]
        title = f"{protocol.upper()}, {results['case']}\n{_ABOUT[protocol]}"
        figure.suptitle(title, fontsize=9)
        into.mkdir(parents=True, exist_ok=True)
        path = into / f"rd_{protocol}_{results['case']}.png"
        figure.savefig(path, dpi=110)
    return path


def _panel(panel: Axes, name: str, methods: dict[str, Any]) -> None:
    for method, by_rate in methods.items():
        if ANY_RATE in by_rate:
            continue
        points = frontier(curve(by_rate))
        if not points:
            continue
        colour, marker = _LOOKS[method]
        own = method == OWN
        panel.plot(
            *zip(*points, strict=True),
            color=colour,
            marker=marker,
            markersize=5 if own else 3.5,
            linewidth=2.2 if own else 1.2,
            zorder=3 if own else 2,
            label=_NAMES.get(method, method),
        )
    base = methods.get("base", {}).get(ANY_RATE)
    if base is not None:
        panel.plot(
            base["bpp"],
            base["psnr"],
            "*",
            color="black",
            markersize=9,
            label="base alone",
            zorder=4,
        )
    own_points = curve(methods[OWN])
    if own_points:
        # What lies far below would squeeze the rest.
        lowest = min(point.psnr for point in own_points) - _BELOW
        panel.set_ylim(bottom=max(lowest, panel.get_ylim()[0]))
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    panel.set_xlabel("bits per pixel, all bytes counted")
    panel.set_title(name.replace("_", " "), fontsize=10)
    panel.grid(color="0.9", linewidth=0.7)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw rate-distortion curves.")
    parser.add_argument("results", type=Path, nargs="+", help="JSON files of the benchmark")
    parser.add_argument("--into", type=Path, required=True, help="the folder to draw into")
    options = parser.parse_args()
    for file in options.results:
        print(draw(json.loads(file.read_text("utf-8")), options.into))


if __name__ == "__main__":
    main()
