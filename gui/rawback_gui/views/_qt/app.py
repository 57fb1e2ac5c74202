# SPDX-License-Identifier: GPL-3.0-or-later
"""The program."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from PyQt6.QtCore import QLibraryInfo, QLocale, QTranslator
from PyQt6.QtGui import QGuiApplication, QIcon
from PyQt6.QtWidgets import QApplication

import rawback
from rawback_gui.views._qt.window import MainWindow

__all__ = ["main", "make_application"]


def make_application(arguments: Sequence[str] = ()) -> QApplication:
    """The one application object, made if it is not there yet."""
    there = QApplication.instance()
    if isinstance(there, QApplication):
        return there
    QGuiApplication.setDesktopFileName("rawback")
    application = QApplication(["rawback", *arguments])
    application.setApplicationName("rawback")
    application.setApplicationDisplayName("rawback")
    application.setOrganizationName("rawback")
    application.setApplicationVersion(rawback.__version__)
    # The one style that follows the system's light and dark everywhere.
    application.setStyle("Fusion")
    icon = files("rawback_gui").joinpath("rawback.svg")
    application.setWindowIcon(QIcon(str(icon)))
    return application


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app.

    Args:
        arguments: Files to open; the process's own by default.

    Returns:
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    application = make_application()
    translator = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(QLocale(), "qtbase", "_", folder):
        application.installTranslator(translator)
    window = MainWindow()
    window.show()
    if given:
        window.open_paths([Path(name) for name in given])
    return application.exec()
