# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening files, and ways on where one was refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QFileDialog, QWidget

from rawback_gui.models.filenames import shortened
from rawback_gui.models.pairing import Pair, pair_up, taken_by
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.asking import jpeg_filters, open_filters, raw_filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.controllers.workspace import Workspace
    from rawback_gui.models.notices import Notice, Remedy

__all__ = ["Opening"]

_NAMED = 3
_NAME_LENGTH = 40


class Opening:
    """What becomes of files that are given to a window."""

    def __init__(
        self,
        window: QWidget,
        space: Workspace,
        recent: Callable[[], tuple[Pair, ...]],
        to_batch: Callable[[list[Path]], None],
    ) -> None:
        """Open files in a workspace.

        Args:
            window: Asks for files.
            space: The workspace.
            recent: What was open lately.
            to_batch: Shows the batch with files in it.
        """
        self._window = window
        self._space = space
        self._recent = recent
        self._to_batch = to_batch

    def choose_files(self) -> None:
        """Ask for files and open them."""
        title = tr("Open a raw, its JPEG, or both")
        names, _ = QFileDialog.getOpenFileNames(self._window, title, self._folder(), open_filters())
        if names:
            self.open_paths([Path(name) for name in names])

    def choose_raw(self) -> None:
        """Ask for the raw of the JPEG that is open, or was refused."""
        self._choose_partner(None)

    def open_paths(self, paths: list[Path]) -> None:
        """Open files: one shot in the window, several in the batch."""
        found = pair_up(paths)
        if found.missing:
            text = tr("{} is not there any more; look for it where it was moved to.")
            self._refuse(text.format(_names(found.missing)))
        if not found.pairs:
            if found.ignored:
                text = tr(
                    "{} is neither a raw nor a JPEG; drop a camera\u2019s raw file and its JPEG."
                )
                self._refuse(text.format(_names(found.ignored)))
            elif not found.missing:
                self._refuse(tr("There is neither a raw nor a JPEG in {}.").format(_names(paths)))
            return
        if len(found.pairs) == 1:
            document = self._space.document
            self._space.open(taken_by(None if document is None else document.pair, found.pairs[0]))
        else:
            self._space.open(found.pairs[0])
            self._to_batch(paths)
            text = tr("{} shots were dropped: the first is open, all wait in the batch.")
            self._space.feedback.say(text.format(len(found.pairs)))
        if found.ignored:
            text = tr("Left out, being neither raw nor JPEG: {}.")
            self._space.feedback.say(text.format(_names(found.ignored)))

    def remedy(self, remedy: Remedy, notice: Notice) -> None:
        """Go a way that a message shows."""
        self._space.feedback.dismiss(notice)
        if remedy.call is not None:
            remedy.call()
            return
        ways: dict[str, Callable[[], None]] = {
            "show_in_folder": lambda: _show_in_folder(notice.path),
            "find_raw": lambda: self._choose_partner(notice.path),
            "choose_jpeg": lambda: self._choose_jpeg(notice.path),
        }
        if remedy.name in ways:
            ways[remedy.name]()

    def _choose_partner(self, jpeg: Path | None) -> None:
        """Ask for the raw of a JPEG, by default the one that is open."""
        document = self._space.document
        if jpeg is None:
            jpeg = None if document is None else document.pair.jpeg
        if jpeg is None:
            return
        title = tr("Find the raw of {}").format(shortened(jpeg.name, _NAME_LENGTH))
        name, _ = QFileDialog.getOpenFileName(self._window, title, str(jpeg.parent), raw_filters())
        if name:
            self._space.open(Pair(Path(name), jpeg))

    def _choose_jpeg(self, raw: Path | None) -> None:
        """Ask for another JPEG of a raw."""
        if raw is None:
            return
        title = tr("Find the JPEG of {}").format(shortened(raw.name, _NAME_LENGTH))
        name, _ = QFileDialog.getOpenFileName(self._window, title, str(raw.parent), jpeg_filters())
        if name:
            self._space.open(Pair(raw, Path(name)))

    def _folder(self) -> str:
        """Where to look first: beside what is open, or was open lately."""
        document = self._space.document
        pairs = [document.pair] if document is not None else list(self._recent())
        return next((str(file.parent) for pair in pairs for file in pair.files), "")

    def _refuse(self, text: str) -> None:
        self._space.feedback.say(text, "refused")


def _names(paths: list[Path] | tuple[Path, ...]) -> str:
    """Some names, and that there are more."""
    names = ", ".join(shortened(path.name, _NAME_LENGTH) for path in paths[:_NAMED])
    return names + (", \u2026" if len(paths) > _NAMED else "")


def _show_in_folder(path: Path | None) -> None:
    if path is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
