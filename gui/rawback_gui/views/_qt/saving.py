# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that give something away: files and the clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QWidget

from rawback_gui.controllers.pictures import raw_region
from rawback_gui.models.command import embed_command, restore_command
from rawback_gui.models.rates import bytes_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.exporting import map_png, numbers_csv, write

if TYPE_CHECKING:
    from collections.abc import Callable

    import rawback
    from rawback_gui.controllers.workspace import Workspace

__all__ = ["Saving"]


class Saving:
    """What is saved, exported and copied.

    Attributes:
        calls: By the names of their actions.
    """

    def __init__(self, space: Workspace, canvas: QWidget) -> None:
        """Save what a workspace has open.

        Args:
            space: The workspace.
            canvas: What shows it; asks where to write.
        """
        self._space = space
        self._canvas = canvas
        self.calls: dict[str, Callable[[], None]] = {
            "save": self._save,
            "save_in_place": self._save_in_place,
            "save_sidecar": self._save_sidecar,
            "export_dng": self._export_dng,
            "export_map": self._export_map,
            "export_numbers": self._export_numbers,
            "copy_view": self._copy_view,
            "copy_command": self._copy_command,
        }

    def _default(self, ending: str) -> Path:
        document = self._space.document
        if document is None:
            return Path("photo" + ending)
        file = document.pair.jpeg or document.pair.raw or Path("photo")
        return file.with_name(file.stem.removesuffix(".rawback") + ending)

    def _ask(self, title: str, ending: str, kind: str) -> Path | None:
        """Where to write; the system's own dialog asks before a file is replaced."""
        window, proposed = self._canvas.window(), str(self._default(ending))
        name, _ = QFileDialog.getSaveFileName(window, title, proposed, kind)
        return Path(name) if name else None

    def _save(self) -> None:
        path = self._ask(tr("Save carrier"), ".rawback.jpg", tr("JPEG (*.jpg *.jpeg)"))
        if path is None:
            return

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            place = session.save_carrier(encoding, path, overwrite=True)
            size = bytes_text(encoding.result.payload_bytes)
            return tr("Saved {} with {} of raw in it.").format(place.name, size)

        self._space.save(written)

    def _save_in_place(self) -> None:
        document = self._space.document
        jpeg = None if document is None else document.pair.jpeg
        if jpeg is None:
            self._space.voice.say(tr("There is no JPEG to save into; save the carrier instead."))
            return

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            kept = session.save_in_place(encoding, jpeg)
            return tr("{} now carries its raw; as it was, it is {}.").format(jpeg.name, kept.name)

        self._space.save(written)

    def _save_sidecar(self) -> None:
        path = self._ask(tr("Save payload"), ".jpg.rawback", tr("Payload (*.rawback)"))
        if path is None:
            return

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            return tr("Saved {}.").format(session.save_sidecar(encoding, path, overwrite=True).name)

        self._space.save(written)

    def _export_dng(self) -> None:
        document = self._space.document
        path = self._ask(tr("Export restored DNG"), ".rawback.dng", tr("DNG (*.dng)"))
        if path is None or document is None:
            return
        opened = document.opened
        if opened is not None:
            self._space.run(
                lambda: tr("Saved {}.").format(opened.save_dng(path, overwrite=True).name)
            )
            return

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            return tr("Saved {}.").format(session.save_dng(encoding, path, overwrite=True).name)

        self._space.save(written)

    def _export_map(self) -> None:
        document = self._space.document
        path = self._ask(tr("Export error map"), ".errors.png", tr("PNG (*.png)"))
        if path is None or document is None:
            return
        frame, view = document.frame, self._space.state.errors

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            del session
            result = encoding.result
            size, psnr = bytes_text(result.payload_bytes), result.psnr_db
            caption = f"{document.pair.name}: {size}, {result.bpp:.3f} bpp, {psnr:.2f} dB"
            write(path, map_png(frame, encoding.restored.cfa, view, view.top, caption))
            return tr("Saved {}.").format(path.name)

        self._space.save(written)

    def _export_numbers(self) -> None:
        document = self._space.document
        path = self._ask(tr("Export error numbers"), ".errors.csv", tr("CSV (*.csv)"))
        if path is None or document is None:
            return
        frame, view = document.frame, self._space.state.errors
        whole = (0, 0, *document.size)
        region = raw_region(document, self._space.state.selection or whole)

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            del session
            write(path, numbers_csv(frame, encoding.restored.cfa, view, region))
            return tr("Saved {}.").format(path.name)

        self._space.save(written)

    # The clipboard.

    def _copy_view(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setImage(self._canvas.grab().toImage())
            self._space.voice.say(tr("Copied the view."))

    def _copy_command(self) -> None:
        document, clipboard = self._space.document, QGuiApplication.clipboard()
        if document is None or clipboard is None:
            return
        raw, jpeg = document.pair.raw, document.pair.jpeg
        if raw is not None and jpeg is not None:
            text = embed_command(raw, jpeg, self._space.rates.rate)
        elif jpeg is not None:
            text = restore_command(jpeg)
        else:
            self._space.voice.say(
                tr("The JPEG is not a file yet; save the carrier, then open it with its raw.")
            )
            return
        data = QMimeData()
        data.setText(text)
        clipboard.setMimeData(data)
        self._space.voice.say(tr("Copied: {}").format(text))
