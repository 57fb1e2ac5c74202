# SPDX-License-Identifier: GPL-3.0-or-later
"""The pixel under the pointer, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback_gui.models.texts import number_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawback_gui.controllers.inspection import Readout

__all__ = ["readout_text"]


def readout_text(found: Readout) -> str:
    """One line about a pixel; where it has several samples, their figures stand side by side."""
    samples = found.samples
    parts = [f"x {found.column}, y {found.row}", _joined(sample.channel for sample in samples)]
    originals = [_value(sample.original) for sample in samples if sample.original is not None]
    restored = [_value(sample.restored) for sample in samples if sample.restored is not None]
    errors = [number_text(sample.error) for sample in samples if sample.error is not None]
    if originals:
        text = tr("original {}") if found.is_float else tr("original {} DN")
        parts.append(text.format(_joined(originals)))
    if restored:
        text = tr("restored {}") if found.is_float else tr("restored {} DN")
        parts.append(text.format(_joined(restored)))
    if errors:
        parts.append(tr("error {} {}").format(_joined(errors), found.unit))
    return "   ".join(parts)


def _value(sample: float) -> str:
    """A whole number as it is, another with five figures."""
    return str(sample) if isinstance(sample, int) else f"{sample:.5g}"


def _joined(texts: Iterable[str]) -> str:
    return " ".join(texts)
