"""Figures of reliability, gathered in ``rawback_lab/results/reliability.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "record", "recorded"]

RESULTS = Path(__file__).parents[1] / "results" / "reliability.json"


def recorded(name: str) -> Any:
    """The figures of a measurement, or None."""
    return json.loads(RESULTS.read_text("utf-8")).get(name) if RESULTS.exists() else None


def record(name: str, figures: Any) -> None:
    """Keep the figures of one measurement in place of those of the last time."""
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    found[name] = figures
    text = json.dumps(dict(sorted(found.items())), indent=1)
    RESULTS.write_text(text + "\n", "utf-8")
