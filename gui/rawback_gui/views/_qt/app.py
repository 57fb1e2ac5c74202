# SPDX-License-Identifier: GPL-3.0-or-later
"""The program."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PyQt6.QtGui import QGuiApplication, QIcon
from PyQt6.QtWidgets import QApplication

import rawback
from rawback_gui.models.wording import translate_with
from rawback_gui.views._qt.style import Style
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    application.setStyle(Style())
    application.setWindowIcon(QIcon(str(_icon())))
    return application


def _translate(application: QApplication) -> None:
    """Use Qt's texts and the app's own in the user's language, as far as there are any."""
    folders = {
        "qtbase": QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath),
        "rawback": str(Path(__file__).parents[2] / "translations"),
    }
    for name, folder in folders.items():
        translator = QTranslator(application)
        if translator.load(QLocale(), name, "_", folder):
            application.installTranslator(translator)
    translate_with(lambda text: QCoreApplication.translate("rawback", text))


def _icon() -> Path:
    """The icon, which a checkout keeps among its assets."""
    packed = Path(__file__).parents[2] / "rawback.svg"
    return packed if packed.exists() else Path(__file__).parents[4] / "assets" / "rawback.svg"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app.

    Args:
        arguments: Files to open; the process's own by default.

    Returns:
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    application = make_application()
    # Qt's loop is not Python's: Ctrl-C in the terminal ends the program as it ends others.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _translate(application)
    window = MainWindow()
    window.show()
    if given:
        window.open_paths([Path(name) for name in given])
    return application.exec()
