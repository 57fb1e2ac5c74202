# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample under the pointer, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback_gui.models.texts import number_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from rawback_gui.controllers.inspection import Readout

__all__ = ["readout_text"]


def readout_text(found: Readout) -> str:
    """One line about a sample."""
    parts = [f"x {found.column}, y {found.row}", found.colour]
    if found.original is not None:
        parts.append(tr("original {} DN").format(found.original))
    if found.restored is not None:
        parts.append(tr("restored {} DN").format(found.restored))
    if found.error is not None:
        parts.append(tr("error {} {}").format(number_text(found.error), found.unit))
    return "   ".join(parts)
