"""What the learned layer is worth on linear frames, and what payloads gain on the peer."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

from rich.box import MARKDOWN
from rich.table import Table

from rawback_lab.bd import NoOverlap, Point, bd_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["bytes_saved", "gain_on_peer", "summary"]


def bytes_saved(
    auto: Iterable[Mapping[str, Any]], never: Iterable[Mapping[str, Any]]
) -> float | None:
    """Percent of the bytes that the layer saves at equal raw PSNR.

    That is Bjontegaard's delta rate, by the bytes that payloads really take.

    Args:
        auto: Payloads of several sizes with the layer where the encoder takes it: ``bytes`` and
            ``psnr``, None or infinite if exact.
        never: Those without it.

    Returns:
        None where the curves have no quality in common.
    """
    anchor, test = (
        [
            Point(payload["bytes"], payload["psnr"])
            for payload in payloads
            if payload["psnr"] is not None and math.isfinite(payload["psnr"])
        ]
        for payloads in (never, auto)
    )
    try:
        return -bd_rate(anchor, test)
    except NoOverlap:
        return None


def gain_on_peer(rates: Mapping[str, Mapping[str, Any]], use: str) -> list[float]:
    """Decibels above the peer at each size that both serve and where neither is exact."""
    return [
        row[use]["psnr"] - row["peer"]
        for row in rates.values()
        if row.get("peer") is not None and row.get(use, {}).get("psnr") is not None
    ]


def summary(results: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row for each linear frame among the results of :mod:`.sensors`, and one of all."""
    grid = Table("linear frame", "bytes saved", "on the peer", "without networks", box=MARKDOWN)
    percents: list[float] = []
    gains: dict[str, list[float]] = {"auto": [], "never": []}
    for name, result in results.items():
        rates = result["rates"]
        if result["mosaic"] != "linear RGB" or not rates:
            continue
        auto, never = ([row[use] for row in rates.values() if use in row] for use in gains)
        percent = bytes_saved(auto, never)
        percents += [] if percent is None else [percent]
        here = {use: gain_on_peer(rates, use) for use in gains}
        for use, values in here.items():
            gains[use] += [fmean(values)] if values else []
        grid.add_row(name, _shown(percent, " %"), *(_mean(values) for values in here.values()))
    mean = fmean(percents) if percents else None
    grid.add_row(
        "mean of frames", _shown(mean, " %"), *(_mean(values) for values in gains.values())
    )
    return grid


def _mean(values: list[float]) -> str:
    return _shown(fmean(values) if values else None, " dB")


def _shown(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:+.2f}{unit}"
