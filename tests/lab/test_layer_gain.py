"""Bytes that the learned layer saves, and decibels on the peer, from known curves."""

from __future__ import annotations

import math
from typing import Any

import pytest
from rich.console import Console

from rawback_lab.bench.layer_gain import bytes_saved, gain_on_peer, summary


def _curve(share: float) -> list[dict[str, Any]]:
    """Payloads of twice the size for each 3 dB."""
    return [{"bytes": share * 1000 * 2**k, "psnr": 40.0 + 3 * k} for k in range(5)]


def test_payloads_of_nine_tenths_save_a_tenth() -> None:
    assert bytes_saved(_curve(0.9), _curve(1.0)) == pytest.approx(10.0, abs=0.05)
    assert bytes_saved(_curve(1.0), _curve(1.0)) == pytest.approx(0.0, abs=1e-9)


def test_exact_payloads_are_no_points_of_a_curve() -> None:
    exact: list[dict[str, Any]] = [
        {"bytes": 90_000, "psnr": None},
        {"bytes": 90_001, "psnr": math.inf},
    ]
    assert bytes_saved(_curve(0.9) + exact, _curve(1.0) + exact) == pytest.approx(10.0, abs=0.05)
    assert bytes_saved(exact, _curve(1.0)) is None


def test_sizes_without_a_peer_or_of_exact_payloads_do_not_count() -> None:
    rates: dict[str, dict[str, Any]] = {
        "0.02": {"peer": None, "auto": {"psnr": 40.0}},
        "0.1": {"peer": 41.0, "auto": {"psnr": 44.5}},
        "0.5": {"peer": 50.0, "auto": {"psnr": None}},
        "1": {"peer": 50.0},
    }
    assert gain_on_peer(rates, "auto") == [3.5]
    assert gain_on_peer(rates, "never") == []


def test_only_linear_frames_with_rates_are_summed_up() -> None:
    rates = {
        str(k): {"peer": never["psnr"] - 2, "auto": auto, "never": never}
        for k, (auto, never) in enumerate(zip(_curve(0.9), _curve(1.0), strict=True))
    }
    results = {
        "one": {"mosaic": "linear RGB", "rates": rates},
        "chosen on": {"mosaic": "linear RGB", "rates": {k: _worse(r) for k, r in rates.items()}},
        "lossless alone": {"mosaic": "linear RGB", "rates": {}},
        "mosaic": {"mosaic": "X-Trans", "rates": rates},
    }
    console = Console(width=120)
    with console.capture() as captured:
        console.print(summary(results, ["chosen"]))
    rows = [line for line in captured.get().splitlines() if "%" in line]
    assert [row.split("|")[1].strip() for row in rows] == [
        *("one", "chosen on", "mean", "mean of test frames")
    ]
    for row, gain in zip(rows, (2, 1, 1.5, 2), strict=True):
        assert "+10.00 %" in row
        assert row.count(f"{gain:+.2f} dB") == 2


def _worse(row: dict[str, Any]) -> dict[str, Any]:
    """The same beside a peer that is better by 1 dB."""
    return {**row, "peer": row["peer"] + 1}
