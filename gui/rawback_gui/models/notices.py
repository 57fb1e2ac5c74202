# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that the window shows, and what people can do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Notice", "NoticeKind", "Remedy", "RemedyName", "remedy_text"]

NoticeKind: TypeAlias = Literal["done", "note", "refused"]
"""Something was done, which goes by itself; a note, which does too; or something was refused."""

RemedyName: TypeAlias = Literal[
    "show_in_folder",
    "open_file",
    "find_raw",
    "choose_jpeg",
    "unguided",
    "overwrite",
    "save_signed",
    "save_beside",
    "store_whole",
]


@dataclass(frozen=True, slots=True)
class Remedy:
    """A way on, shown as a button.

    Attributes:
        name: Which one.
        call: What it does; None for what the window does itself.
    """

    name: RemedyName
    call: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message.

    Attributes:
        kind: What it is about.
        text: A sentence.
        remedies: Ways on.
        path: The file that it is about.
    """

    kind: NoticeKind
    text: str
    remedies: tuple[Remedy, ...] = ()
    path: Path | None = None


def remedy_text(name: RemedyName) -> str:
    """What to write on the button."""
    return {
        "show_in_folder": tr("Show in folder"),
        "open_file": tr("Open"),
        "find_raw": tr("Find its raw\u2026"),
        "choose_jpeg": tr("Choose another JPEG\u2026"),
        "unguided": tr("Embed unguided"),
        "overwrite": tr("Overwrite"),
        "save_signed": tr("Save all the same"),
        "save_beside": tr("Save payload beside"),
        "store_whole": tr("Store the file whole"),
    }[name]
