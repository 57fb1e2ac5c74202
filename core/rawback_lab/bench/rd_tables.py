"""What rate-distortion figures come to: Bjontegaard's deltas, and tables in Markdown."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from rawback_lab.bd import NoOverlap, Point, bd_psnr, bd_rate
from rawback_lab.bench.peers import ANY_RATE

__all__ = ["OWN", "curve", "deltas", "print_progress", "print_tables"]

OWN = "rawback"
"""The name that rawback's own figures go by."""

_MEAN = "mean"

_PROGRESS_FROM = 0.02
"""Bits per pixel from which on versions are compared: below, metadata count for much."""


def curve(by_rate: dict[str, Any]) -> list[Point]:
    """The points of a method's curve, those with a finite PSNR."""
    return [
        Point(found["bpp"], found["psnr"])
        for found in by_rate.values()
        if found is not None and found["psnr"] is not None
    ]


def deltas(frames: dict[str, Any]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Bjontegaard's deltas of rawback against each peer with a curve.

    Args:
        frames: Figures by raw.

    Returns:
        By peer and raw, ``mean`` beside them: ``rate_percent`` (negative is better) and ``psnr_db``
        (positive is better); null where the curves share no range.
    """
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for name, frame in frames.items():
        own = curve(frame["methods"][OWN])
        for peer, by_rate in frame["methods"].items():
            if peer == OWN or ANY_RATE in by_rate:
                continue
            theirs = curve(by_rate)
            found.setdefault(peer, {})[name] = {
                "rate_percent": _or_none(bd_rate, theirs, own),
                "psnr_db": _or_none(bd_psnr, theirs, own),
            }
    for by_name in found.values():
        by_name[_MEAN] = {
            key: _mean([delta[key] for delta in by_name.values()])
            for key in ("rate_percent", "psnr_db")
        }
    return found


def print_progress(frames: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Print Bjontegaard's deltas of rawback against an earlier version, of raws that both have."""
    both = {name: frame for name, frame in frames.items() if name in earlier}
    rates = {
        name: {
            version: {
                rate: found
                for rate, found in of[name]["methods"][OWN].items()
                if float(rate) >= _PROGRESS_FROM
            }
            for version, of in ((OWN, frames), ("earlier", earlier))
        }
        for name in both
    }
    found = deltas({name: {"methods": methods} for name, methods in rates.items()})
    for name, delta in found.get("earlier", {}).items():
        percent, decibels = delta["rate_percent"], delta["psnr_db"]
        if percent is not None and decibels is not None:
            print(f"against the earlier version, {name}: {percent:+.1f} %, {decibels:+.2f} dB")


def print_tables(results: dict[str, Any]) -> None:
    """Print PSNR by rate for each raw, what edits show, sizes without loss, and the deltas."""
    frames = results["frames"]
    print(f"\nProtocol {results['protocol']}, case {results['case']}: PSNR in dB at bits per pixel")
    for name, frame in frames.items():
        rates = sorted({*frame["methods"][OWN]}, key=float)
        print(f"\n| {name} | " + " | ".join(rates) + " |\n|---|" + "---|" * len(rates))
        for method, by_rate in frame["methods"].items():
            if ANY_RATE not in by_rate:
                print(f"| {method} | " + " | ".join(_psnr(by_rate.get(r)) for r in rates) + " |")
    _print_single(frames)
    _print_edits(frames, str(results["edit_rate"]))
    print("\n| rawback against | " + " | ".join([*frames, _MEAN]) + " |")
    print("|---|" + "---|" * (len(frames) + 1))
    for peer, by_name in results["bd"].items():
        cells = [_delta(by_name.get(name)) for name in (*frames, _MEAN)]
        print(f"| {peer} | " + " | ".join(cells) + " |")


def _print_single(frames: dict[str, Any]) -> None:
    print("\n| one size | " + " | ".join(frames) + " |\n|---|" + "---|" * len(frames))
    names = {m: None for f in frames.values() for m, r in f["methods"].items() if ANY_RATE in r}
    for method in names:
        cells = [_sized(f["methods"].get(method, {}).get(ANY_RATE)) for f in frames.values()]
        print(f"| {method} | " + " | ".join(cells) + " |")


def _print_edits(frames: dict[str, Any], rate: str) -> None:
    """Edit PSNR and colour difference at one rate."""
    print(f"\n| edits at {rate} bpp | " + " | ".join(frames) + " |\n|---|" + "---|" * len(frames))
    names = {method: None for frame in frames.values() for method in frame["methods"]}
    for method in names:
        cells = []
        for frame in frames.values():
            by_rate = frame["methods"].get(method, {})
            measured = by_rate.get(rate) or by_rate.get(ANY_RATE) or {}
            cells.append(_edits(measured.get("edits")))
        if any(cell != "-" for cell in cells):
            print(f"| {method} | " + " | ".join(cells) + " |")


def _edits(found: dict[str, dict[str, float | None]] | None) -> str:
    if found is None or any(value["psnr"] is None for value in found.values()):
        return "-"
    return ", ".join(
        f"{name}: {value['psnr']:.2f} dB, dE {value['delta_e']:.2f}"
        for name, value in found.items()
    )


def _or_none(delta: Any, anchor: list[Point], test: list[Point]) -> float | None:
    try:
        return round(float(delta(anchor, test)), 3)
    except NoOverlap:
        return None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 3) if known else None


def _psnr(found: dict[str, Any] | None) -> str:
    return "-" if found is None or found["psnr"] is None else f"{found['psnr']:.2f}"


def _sized(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    psnr = "lossless" if found["psnr"] is None else f"{found['psnr']:.2f} dB"
    return f"{found['bpp']:.4f} bpp, {psnr}"


def _delta(found: dict[str, float | None] | None) -> str:
    if found is None:
        return "-"
    rate, psnr = found["rate_percent"], found["psnr_db"]
    parts = ["-" if rate is None else f"{rate:+.1f} %", "-" if psnr is None else f"{psnr:+.2f} dB"]
    return ", ".join(parts)
