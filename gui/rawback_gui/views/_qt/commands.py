# SPDX-License-Identifier: GPL-3.0-or-later
"""What each action does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFileDialog

import rawback
from rawback_gui.controllers.pictures import raw_region
from rawback_gui.models.colormaps import DIVERGING, SEQUENTIAL
from rawback_gui.models.command import embed_command, restore_command
from rawback_gui.models.errormap import CHANNELS
from rawback_gui.models.rates import bytes_text
from rawback_gui.models.rendering import EXPOSURES
from rawback_gui.views._qt.bridge import tr
from rawback_gui.views._qt.exporting import map_png, numbers_csv, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.models.state import ViewState
    from rawback_gui.views._qt.window import MainWindow

__all__ = ["Commands"]

_THIRD = 1 / 3
_PAN = 0.2
_DIVIDER = 0.05


class Commands:
    """Actions by name: ``run("fit")``."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._space = window.workspace
        self._calls: dict[str, Callable[[], None]] = {
            "open": window.choose_files,
            "save": self._save,
            "save_in_place": self._save_in_place,
            "save_sidecar": self._save_sidecar,
            "export_dng": self._export_dng,
            "export_map": self._export_map,
            "export_numbers": self._export_numbers,
            "batch": window.show_batch,
            "close": self._space.close_document,
            "quit": self._quit,
            "copy_view": self._copy_view,
            "copy_command": self._copy_command,
            "cancel": self._cancel,
            "fit": lambda: self._zoom(0),
            "actual": lambda: self._zoom(1),
            "zoom_in": lambda: self._zoom(self._state.viewport.zoom * 1.5),
            "zoom_out": lambda: self._zoom(self._state.viewport.zoom / 1.5),
            "pan_left": lambda: self._pan(1, 0),
            "pan_right": lambda: self._pan(-1, 0),
            "pan_up": lambda: self._pan(0, 1),
            "pan_down": lambda: self._pan(0, -1),
            "panel": window.toggle_panel,
            "full_screen": window.toggle_full_screen,
            "flip": lambda: self._show(flipped=not self._state.flipped),
            "turn_divider": lambda: self._show(vertical=not self._state.vertical),
            "divider_less": lambda: self._divide(-_DIVIDER),
            "divider_more": lambda: self._divide(_DIVIDER),
            "swap": lambda: self._show(left=self._state.right, right=self._state.left),
            "brighter": lambda: self._expose(self._state.development.exposure + _THIRD),
            "darker": lambda: self._expose(self._state.development.exposure - _THIRD),
            "exposure_zero": lambda: self._expose(0.0),
            "pick_white": window.toggle_picking,
            "camera_white": lambda: self._develop(neutral=None),
            "linear": lambda: self._develop(linear=not self._state.development.linear),
            "raw_clipping": lambda: self._show(raw_clipping=not self._state.raw_clipping),
            "carrier_clipping": lambda: self._show(
                carrier_clipping=not self._state.carrier_clipping
            ),
            "show_errors": window.toggle_errors,
            "log": lambda: self._errors(log=not self._state.errors.log),
            "next_channel": self._next_channel,
            "next_colormap": self._next_colormap,
            "auto_range": lambda: self._errors(top=None),
            "select_view": lambda: self._show(selection=self._state.viewport.visible()),
            "clear_selection": lambda: self._show(selection=None),
            "smaller": lambda: self._space.step_rate(-1),
            "larger": lambda: self._space.step_rate(1),
            "smallest": lambda: self._space.set_size(1),
            "lossless": lambda: self._space.set_rate(rawback.Rate.lossless()),
            "enter_rate": window.enter_rate,
            "shortcuts": window.show_shortcuts,
            "about": window.show_about,
        }

    def run(self, name: str) -> None:
        """Do what an action does."""
        group, _, value = name.partition("_")
        if name in self._calls:
            self._calls[name]()
        elif group in ("layout", "left", "right"):
            self._show(**{group: value})
        else:
            self._errors(**{group: value})

    @property
    def _state(self) -> ViewState:
        return self._space.state

    def _show(self, **differences: object) -> None:
        self._window.show_wanted(differences)

    def _develop(self, **differences: object) -> None:
        self._show(development=replace(self._state.development, **differences))  # type: ignore[arg-type]

    def _errors(self, **differences: object) -> None:
        self._show(errors=replace(self._state.errors, **differences))  # type: ignore[arg-type]

    def _expose(self, stops: float) -> None:
        low, high = EXPOSURES
        self._develop(exposure=round(min(max(stops, low), high) * 3) / 3)

    def _zoom(self, zoom: float) -> None:
        viewport = self._state.viewport
        self._show(viewport=viewport.zoomed(zoom) if zoom else viewport.fit())

    def _pan(self, columns: int, rows: int) -> None:
        viewport = self._state.viewport
        step = _PAN * min(viewport.width, viewport.height)
        self._show(viewport=viewport.panned(columns * step, rows * step))

    def _divide(self, share: float) -> None:
        self._show(divider=min(max(self._state.divider + share, 0.0), 1.0))

    def _next_channel(self) -> None:
        index = CHANNELS.index(self._state.errors.channel)
        self._errors(channel=CHANNELS[(index + 1) % len(CHANNELS)])

    def _next_colormap(self) -> None:
        errors = self._state.errors
        maps = DIVERGING if errors.signed else SEQUENTIAL
        following = maps[(maps.index(errors.colormap) + 1) % len(maps)]
        self._errors(**{"diverging" if errors.signed else "sequential": following})

    def _cancel(self) -> None:
        if self._window.canvas.picking:
            self._window.toggle_picking()
        elif self._space.progress is not None:
            self._space.cancel()
        else:
            self._space.say("")

    def _quit(self) -> None:
        self._window.close()

    # Files.

    def _default(self, ending: str) -> Path:
        document = self._space.document
        if document is None:
            return Path("photo" + ending)
        file = document.pair.jpeg or document.pair.raw or Path("photo")
        return file.with_name(file.stem.removesuffix(".rawback") + ending)

    def _ask(self, title: str, ending: str, kind: str) -> Path | None:
        """Where to write; the system's own dialog asks before a file is replaced."""
        name, _ = QFileDialog.getSaveFileName(self._window, title, str(self._default(ending)), kind)
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
            self._space.say(tr("There is no JPEG to save into; save the carrier instead."))
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
        frame, view = document.frame, self._state.errors

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
        frame, view = document.frame, self._state.errors
        whole = (0, 0, *document.size)
        region = raw_region(document, self._state.selection or whole)

        def written(session: rawback.Session, encoding: rawback.Encoding) -> str:
            del session
            write(path, numbers_csv(frame, encoding.restored.cfa, view, region))
            return tr("Saved {}.").format(path.name)

        self._space.save(written)

    # The clipboard.

    def _copy_view(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setImage(self._window.canvas.grab().toImage())
            self._space.say(tr("Copied the view."))

    def _copy_command(self) -> None:
        document, clipboard = self._space.document, QGuiApplication.clipboard()
        if document is None or clipboard is None:
            return
        raw, jpeg = document.pair.raw, document.pair.jpeg
        if raw is not None and jpeg is not None:
            text = embed_command(raw, jpeg, self._space.rate)
        elif jpeg is not None:
            text = restore_command(jpeg)
        else:
            self._space.say(
                tr("The JPEG is not a file yet; save the carrier, then open it with its raw.")
            )
            return
        data = QMimeData()
        data.setText(text)
        clipboard.setMimeData(data)
        self._space.say(tr("Copied: {}").format(text))
