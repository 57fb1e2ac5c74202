# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that ask for a file first, and those of the clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QWidget

import rawback
from rawback_gui.controllers.errors import errors_in
from rawback_gui.controllers.pictures import raw_region
from rawback_gui.controllers.saving import SaveRequest, Target
from rawback_gui.models.command import embed_command, restore_command
from rawback_gui.models.filenames import proposed, with_ending
from rawback_gui.models.rates import parse_rate
from rawback_gui.models.texts import bits_text, bytes_text, psnr_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.exporting import map_png, numbers_csv, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.workspace import Workspace

__all__ = ["Asking", "open_filters", "raw_filters"]

_JPEG_ENDINGS = (".jpg", *sorted(rawback.JPEG_SUFFIXES - {".jpg"}))


def open_filters() -> str:
    """Kinds of files for the Open dialog."""
    raws, jpegs = _patterns(rawback.RAW_SUFFIXES), _patterns(rawback.JPEG_SUFFIXES)
    return ";;".join(
        (
            tr("Raws and JPEGs ({})").format(f"{raws} {jpegs}"),
            tr("Raws ({})").format(raws),
            tr("JPEGs ({})").format(jpegs),
            tr("All files (*)"),
        )
    )


def raw_filters() -> str:
    """Kinds of files where a raw is asked for."""
    raws = _patterns(rawback.RAW_SUFFIXES)
    return ";;".join((tr("Raws ({})").format(raws), tr("All files (*)")))


def jpeg_filters() -> str:
    """Kinds of files where a JPEG is asked for."""
    return ";;".join(
        (tr("JPEGs ({})").format(_patterns(rawback.JPEG_SUFFIXES)), tr("All files (*)"))
    )


def _patterns(suffixes: frozenset[str]) -> str:
    names = sorted({*suffixes, *(suffix.upper() for suffix in suffixes)})
    return " ".join(f"*{name}" for name in names)


class Asking:
    """What is saved, exported and copied, after asking where to.

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
            "export_original": self._export_original,
            "export_grain": lambda: self._export_dng(grain=True),
            "export_map": self._export_map,
            "export_numbers": self._export_numbers,
            "verify": self._verify,
            "shrink": self._shrink,
            "strip": self._strip,
            "copy_view": self._copy_view,
            "copy_command": self._copy_command,
        }

    def _ask(
        self, title: str, ending: str, kind: str, endings: tuple[str, ...]
    ) -> tuple[Path, bool] | None:
        """Where to write, and whether people have agreed to replace what is there.

        The system's own dialog asks before a file is replaced, but for names that get an ending.
        """
        document = self._space.document
        file = Path("photo") if document is None else document.pair.jpeg or document.pair.raw
        place = proposed(file or Path("photo"), ending)
        name, _ = QFileDialog.getSaveFileName(self._canvas.window(), title, str(place), kind)
        if not name:
            return None
        path = with_ending(Path(name), endings)
        return path, str(path) == name

    def _ask_and_save(
        self,
        target: Target,
        title: str,
        ending: str,
        kind: str,
        endings: tuple[str, ...],
        write_file: Callable[[Path, rawback.Encoding], None] | None = None,
    ) -> None:
        answer = self._ask(title, ending, kind, endings)
        if answer is None:
            return
        path, overwrite = answer
        writer = None
        if write_file is not None:

            def writer(encoding: rawback.Encoding) -> None:
                if path.exists() and not overwrite:
                    message = tr("{} exists already; choose another name.").format(path.name)
                    raise rawback.OutputRefused(message)
                write_file(path, encoding)

        self._space.save(SaveRequest(target, path, overwrite, write=writer))

    def _save(self) -> None:
        self._ask_and_save(
            "carrier",
            tr("Save carrier"),
            ".rawback.jpg",
            tr("JPEG (*.jpg *.jpeg)"),
            _JPEG_ENDINGS,
        )

    def _save_in_place(self) -> None:
        document = self._space.document
        jpeg = None if document is None else document.pair.jpeg
        if jpeg is None:
            self._space.feedback.say(
                tr("There is no JPEG to save into; save the carrier instead."), "refused"
            )
            return
        self._space.save(SaveRequest("in_place", jpeg))

    def _save_sidecar(self) -> None:
        self._ask_and_save(
            "sidecar",
            tr("Save payload"),
            ".jpg.rawback",
            tr("Payload (*.rawback)"),
            (".rawback",),
        )

    def _export_dng(self, *, grain: bool = False) -> None:
        document = self._space.document
        ending, kind = ".rawback.dng", tr("DNG (*.dng)")
        if document is None or document.opened is None:
            self._ask_and_save("dng", tr("Export restored DNG"), ending, kind, (".dng",))
            return
        answer = self._ask(tr("Export restored DNG"), ending, kind, (".dng",))
        if answer is not None:
            path, overwrite = answer
            grain = grain or self._space.grain.on
            self._space.carriers.export_dng(document, path, overwrite=overwrite, grain=grain)

    def _export_original(self) -> None:
        document = self._carrier()
        if document is None or document.opened is None or document.pair.jpeg is None:
            return
        file = document.opened.info.raw_file
        if file is None:
            return
        place = document.pair.jpeg.with_name(Path(file.name).name or "original.raw")
        window, title = self._canvas.window(), tr("Export original file")
        name, _ = QFileDialog.getSaveFileName(window, title, str(place), raw_filters())
        if name:
            self._space.carriers.export_original(document, Path(name), overwrite=True)

    def _export_map(self) -> None:
        document = self._space.document
        if document is None or document.session is None:
            return
        session, frame, view = document.session, document.frame, self._space.state.errors
        exposure = self._space.state.development.exposure

        def write_map(path: Path, encoding: rawback.Encoding) -> None:
            result = encoding.result
            size, psnr = bytes_text(result.payload_bytes), psnr_text(result.psnr_db)
            caption = f"{document.pair.name}: {size}, {bits_text(result.bpp)} bpp, {psnr}"
            whole = (0, 0, frame.width, frame.height)
            errors = errors_in(session, encoding.restored.cfa, whole, view, exposure)
            write(path, map_png(frame, errors, view, view.top, caption))

        self._ask_and_save(
            "other",
            tr("Export error map"),
            ".errors.png",
            tr("PNG (*.png)"),
            (".png",),
            write_map,
        )

    def _export_numbers(self) -> None:
        document = self._space.document
        if document is None or document.session is None:
            return
        session, frame, view = document.session, document.frame, self._space.state.errors
        exposure = self._space.state.development.exposure
        whole = (0, 0, *document.size)
        region = raw_region(document, self._space.state.selection or whole)

        def write_numbers(path: Path, encoding: rawback.Encoding) -> None:
            restored = encoding.restored.cfa
            errors = errors_in(session, restored, region, view, exposure)
            write(path, numbers_csv(frame, restored, view, region, errors))

        self._ask_and_save(
            "other",
            tr("Export error numbers"),
            ".errors.csv",
            tr("CSV (*.csv)"),
            (".csv",),
            write_numbers,
        )

    # Carriers.

    def _carrier(self) -> Document | None:
        document = self._space.document
        return document if document is not None and document.opened is not None else None

    def _verify(self) -> None:
        document = self._carrier()
        if document is not None:
            self._space.carriers.verify(document)

    def _shrink(self) -> None:
        document = self._carrier()
        if document is None or document.opened is None:
            return
        now = document.opened.info.payload_bytes
        text, agreed = QInputDialog.getText(
            self._canvas.window(),
            tr("Shrink"),
            tr("Bytes that the raw may take, now {}:").format(bytes_text(now)),
            text=bytes_text(now / 2),
        )
        if not agreed:
            return
        rate = parse_rate(text)
        if rate is None or rate.kind != "size":
            message = tr("\u201c{}\u201d is no size; type one such as 200 kB.").format(text)
            self._space.feedback.say(message, "refused")
            return
        answer = self._ask(
            tr("Save smaller carrier"),
            ".smaller.rawback.jpg",
            tr("JPEG (*.jpg *.jpeg)"),
            _JPEG_ENDINGS,
        )
        if answer is not None:
            path, overwrite = answer
            self._space.carriers.shrink(document, int(rate.value), path, overwrite=overwrite)

    def _strip(self) -> None:
        document = self._carrier()
        answer = self._ask(
            tr("Save the JPEG without its raw"),
            ".plain.jpg",
            tr("JPEG (*.jpg *.jpeg)"),
            _JPEG_ENDINGS,
        )
        if answer is not None and document is not None:
            path, overwrite = answer
            self._space.carriers.strip(document, path, overwrite=overwrite)

    # The clipboard.

    def _copy_view(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            self._space.feedback.clear()
            clipboard.setImage(self._canvas.grab().toImage())
            self._space.feedback.say(tr("Copied the view."), "done")

    def _copy_command(self) -> None:
        document, clipboard = self._space.document, QGuiApplication.clipboard()
        if document is None or clipboard is None:
            return
        raw, jpeg = document.pair.raw, document.pair.jpeg
        if raw is not None and jpeg is not None:
            rates = self._space.rates
            text = embed_command(
                *(raw, jpeg, rates.rate),
                keep=rates.keep_file,
                metadata=rates.metadata,
                tune=self._space.tune,
                verify=self._space.saving.verify,
            )
        elif jpeg is not None:
            text = restore_command(jpeg)
        else:
            self._space.feedback.say(
                tr("The JPEG is not a file yet; save the carrier, then open it with its raw."),
                "refused",
            )
            return
        data = QMimeData()
        data.setText(text)
        clipboard.setMimeData(data)
        self._space.feedback.say(tr("Copied: {}").format(text), "done")
