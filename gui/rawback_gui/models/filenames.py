# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files that are proposed, completed, and shortened for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["proposed", "shortened", "with_ending"]

_OURS = ".rawback"


def proposed(file: Path, ending: str) -> Path:
    """A name beside a file: ``photo.jpg`` and ``.rawback.dng`` give ``photo.rawback.dng``."""
    return file.with_name(file.stem.removesuffix(_OURS) + ending)


def with_ending(path: Path, endings: tuple[str, ...]) -> Path:
    """The path, with the first ending added where it has none of them.

    Args:
        path: As it was typed.
        endings: In lower case, each with its dot.
    """
    if path.name.lower().endswith(endings):
        return path
    return path.with_name(path.name + endings[0])


def shortened(name: str, length: int) -> str:
    """A name of at most so many letters, its middle left out."""
    if len(name) <= length:
        return name
    head = (length - 1) // 2
    return f"{name[:head]}\u2026{name[len(name) - (length - 1 - head) :]}"
