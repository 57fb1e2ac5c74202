# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered from one start to the next."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PyQt6.QtCore import QByteArray, QSettings

from rawback_gui.models.choices import METADATA
from rawback_gui.models.colormaps import DIVERGING, SEQUENTIAL
from rawback_gui.models.errormap import KINDS, UNITS
from rawback_gui.models.pairing import Pair
from rawback_gui.models.rendering import RENDERINGS
from rawback_gui.models.state import LAYOUTS, SOURCES, ViewState
from rawback_gui.views._qt.theme import THEMES, ThemeName

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QMainWindow

    from rawback import MetadataChoice

__all__ = ["Settings"]

_MOST_RECENT = 10

_Choice = TypeVar("_Choice")


class Settings:
    """Window, view and recent files, as `QSettings` keeps them."""

    def __init__(self) -> None:
        self._kept = QSettings("rawback", "rawback")

    def restore_window(self, window: QMainWindow) -> bool:
        """Give a window its place and size back; whether they were known."""
        geometry = self._kept.value("window/geometry")
        if isinstance(geometry, QByteArray):
            return window.restoreGeometry(geometry)
        return False

    def keep_window(self, window: QMainWindow) -> None:
        """Remember a window's place and size."""
        self._kept.setValue("window/geometry", window.saveGeometry())

    def view(self) -> ViewState:
        """The state that was used last, as far as it makes sense for any picture."""
        kept = self._table("view")
        state = ViewState()
        errors = replace(
            state.errors,
            kind=_one_of(kept.get("kind"), KINDS, state.errors.kind),
            unit=_one_of(kept.get("unit"), UNITS, state.errors.unit),
            # What a picture has no such channel is left out of when it is opened.
            channel=str(kept.get("channel", state.errors.channel)),
            sequential=_one_of(kept.get("sequential"), SEQUENTIAL, state.errors.sequential),
            diverging=_one_of(kept.get("diverging"), DIVERGING, state.errors.diverging),
            log=kept.get("log") is True,
        )
        return replace(
            state,
            layout=_one_of(kept.get("layout"), LAYOUTS, state.layout),
            left=_one_of(kept.get("left"), SOURCES, state.left),
            right=_one_of(kept.get("right"), SOURCES, state.right),
            vertical=kept.get("vertical") is not False,
            development=replace(
                state.development,
                rendering=_one_of(kept.get("rendering"), RENDERINGS, state.development.rendering),
            ),
            errors=errors,
        )

    def keep_view(self, state: ViewState) -> None:
        """Remember a state."""
        errors = state.errors
        kept = {
            "layout": state.layout,
            "left": state.left,
            "right": state.right,
            "vertical": state.vertical,
            "rendering": state.development.rendering,
            "kind": errors.kind,
            "unit": errors.unit,
            "channel": errors.channel,
            "sequential": errors.sequential,
            "diverging": errors.diverging,
            "log": errors.log,
        }
        self._kept.setValue("view", json.dumps(kept))

    def theme(self) -> ThemeName:
        """The theme that was chosen last."""
        return _one_of(self._kept.value("theme"), THEMES, "system")

    def keep_theme(self, name: ThemeName) -> None:
        """Remember a theme."""
        self._kept.setValue("theme", name)

    def metadata(self) -> MetadataChoice:
        """What payloads tell of the raw, as it was chosen last."""
        return _one_of(self._kept.value("metadata"), METADATA, "auto")

    def keep_metadata(self, choice: MetadataChoice) -> None:
        """Remember what payloads tell of the raw."""
        self._kept.setValue("metadata", choice)

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """Something that is on or off."""
        value = self._kept.value(f"flags/{name}")
        return otherwise if value is None else str(value).lower() == "true"

    def keep_flag(self, name: str, *, on: bool) -> None:
        """Remember whether something is on."""
        self._kept.setValue(f"flags/{name}", on)

    def recent(self) -> tuple[Pair, ...]:
        """What was open lately and is still there, the last first."""
        found = []
        for row in self._table("recent").get("files", []):
            if isinstance(row, list) and len(row) == 2:
                raw, jpeg = (Path(name) if isinstance(name, str) else None for name in row)
                pair = Pair(raw, jpeg)
                if pair.files and all(file.exists() for file in pair.files):
                    found.append(pair)
        return tuple(found)

    def keep_recent(self, pair: Pair) -> None:
        """Put files first among those that were open lately."""
        raw, jpeg = (None if p is None else p.absolute() for p in (pair.raw, pair.jpeg))
        first = Pair(raw, jpeg)
        others = [known for known in self.recent() if known != first]
        rows = [
            [None if path is None else str(path) for path in (known.raw, known.jpeg)]
            for known in (first, *others)
        ]
        self._kept.setValue("recent", json.dumps({"files": rows[:_MOST_RECENT]}))

    def clear_recent(self) -> None:
        """Forget what was open."""
        self._kept.remove("recent")

    def _table(self, name: str) -> dict[str, Any]:
        try:
            kept = json.loads(str(self._kept.value(name, "{}")))
        except ValueError:
            return {}
        return kept if isinstance(kept, dict) else {}


def _one_of(value: object, choices: tuple[_Choice, ...], otherwise: _Choice) -> _Choice:
    return next((choice for choice in choices if choice == value), otherwise)
