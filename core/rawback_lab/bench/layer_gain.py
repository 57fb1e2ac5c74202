"""What the learned layer is worth on linear frames, and what payloads gain on the peer."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.box import MARKDOWN
from rich.table import Table

from rawback_lab.bd import NoOverlap, Point, bd_rate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

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


def summary(results: Mapping[str, Mapping[str, Any]], training: Collection[str] = ()) -> Table:
    """A row for each linear frame among the results of :mod:`.sensors`, and their means.

    Args:
        results: Of frames by name.
        training: How names begin of frames on which settings were chosen.
    """
    grid = Table("linear frame", "bytes saved", "on the peer", "without networks", box=MARKDOWN)
    frames: dict[str, _Gains] = {}
    for name, result in results.items():
        rates = result["rates"]
        if result["mosaic"] != "linear RGB" or not rates:
            continue
        auto, never = ([row[use] for row in rates.values() if use in row] for use in _USES)
        gains = (_mean(gain_on_peer(rates, use)) for use in _USES)
        frames[name] = _Gains(bytes_saved(auto, never), *gains)
        grid.add_row(name, *frames[name].cells())
    tests = [g for name, g in frames.items() if not name.startswith(tuple(training))]
    for name, some in (("mean", [*frames.values()]), ("mean of test frames", tests)):
        columns = (
            [value for value in column if value is not None] for column in zip(*some, strict=True)
        )
        if some:
            grid.add_row(name, *_Gains(*map(_mean, columns)).cells())
    return grid


_USES = ("auto", "never")


class _Gains(NamedTuple):
    """Percent of bytes saved, and decibels on the peer with and without the layer."""

    saved: float | None
    auto: float | None
    never: float | None

    def cells(self) -> list[str]:
        units = (" %", " dB", " dB")
        return [
            "-" if value is None else f"{value:+.2f}{unit}"
            for value, unit in zip(self, units, strict=True)
        ]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
