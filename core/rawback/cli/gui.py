"""The command that starts the desktop app, which is a package of its own."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

import rawback

__all__ = ["gui"]

Files: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILES]...", show_default=False, help="A raw, its JPEG, or both."),
]


def gui(files: Files = None) -> None:
    """Open the desktop app."""
    if find_spec("PyQt6") is None or find_spec("rawback_gui") is None:
        message = "The desktop app is not installed; get it with: pip install 'rawback[gui]'."
        raise rawback.RawbackError(message)
    try:
        app = import_module("rawback_gui.views._qt.app")
    except ImportError as error:
        message = f"Qt cannot be loaded ({error}); install the system's libraries that it names."
        raise rawback.RawbackError(message) from error
    raise typer.Exit(app.main([str(file) for file in files or ()]))
