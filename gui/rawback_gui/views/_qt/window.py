# SPDX-License-Identifier: GPL-3.0-or-later
"""The main window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

import rawback
from rawback_gui.controllers.workspace import Workspace
from rawback_gui.models.pairing import Pair, pair_up
from rawback_gui.models.rates import bytes_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.batch_window import BatchWindow
from rawback_gui.views._qt.bridge import Poster
from rawback_gui.views._qt.canvas import Canvas, source_name
from rawback_gui.views._qt.commands import Commands
from rawback_gui.views._qt.dropping import FileTarget
from rawback_gui.views._qt.empty import EmptyPage
from rawback_gui.views._qt.menus import Menus
from rawback_gui.views._qt.message_bar import MessageBar
from rawback_gui.views._qt.panels import ErrorPanel, LookPanel
from rawback_gui.views._qt.rate_bar import RateBar
from rawback_gui.views._qt.saving import Saving
from rawback_gui.views._qt.settings import Settings
from rawback_gui.views._qt.sheet import ShortcutSheet
from rawback_gui.views._qt.status_bar import StatusBar
from rawback_gui.views._qt.top_bar import TopBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtGui import QCloseEvent

    from rawback_gui.models.state import Source

__all__ = ["MainWindow"]

_PANEL = 296


class MainWindow(FileTarget, QMainWindow):
    """Pictures in the middle, what they are above, what they cost below, how to look beside."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("rawback")
        self.setAcceptDrops(True)
        self.settings = Settings()
        self.poster = Poster(self)
        self.workspace = Workspace(self.poster, self._refresh)
        self.workspace.state = self.settings.view()
        self.canvas = Canvas()
        self.top = TopBar()
        self.rate = RateBar()
        self.look = LookPanel()
        self.errors = ErrorPanel()
        self.empty = EmptyPage()
        self.message = MessageBar()
        self.status = StatusBar()
        self.batch_window: BatchWindow | None = None
        self._build()
        self._commands = Commands(
            self.workspace,
            self.show_wanted,
            {**self._calls(), **Saving(self.workspace, self.canvas).calls},
        )
        self.menus = Menus(self, self.canvas, self._run)
        self.menus.recent_wanted(self.settings.recent, self.open_pair, self._forget_recent)
        self._connect()
        if not self.settings.restore_window(self):
            self.resize(1280, 720)
        self.empty.show_recent(self.settings.recent())
        for change in ("document", "state", "progress", "message"):
            self._refresh(change)
        if "error" in (self.workspace.state.left, self.workspace.state.right):
            self.panel.setCurrentWidget(self.errors)

    # Building.

    def _build(self) -> None:
        self.panel = QTabWidget()
        self.panel.setDocumentMode(True)
        self.panel.setFixedWidth(_PANEL)
        self.panel.addTab(self.look, tr("Look"))
        self.panel.addTab(self.errors, tr("Errors"))
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self.panel)
        work = QWidget()
        column = QVBoxLayout(work)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addLayout(middle, 1)
        column.addWidget(self.rate)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(work)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.message)
        outer.addWidget(self.pages, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self.status)

    def _calls(self) -> dict[str, Callable[[], None]]:
        """What actions do that are about the window itself."""
        return {
            "open": self.choose_files,
            "batch": self.show_batch,
            "quit": self._quit,
            "cancel": self._cancel,
            "panel": lambda: self.panel.setVisible(self.panel.isHidden()),
            "full_screen": self._toggle_full_screen,
            "pick_white": self.look.pick.toggle,
            "show_errors": self.errors.shown.toggle,
            "enter_rate": self.rate.ask,
            "shortcuts": self.show_shortcuts,
            "about": self._show_about,
        }

    def _connect(self) -> None:
        for widget in (self.canvas, self.top, self.look, self.errors):
            widget.wanted.connect(self.show_wanted)
        self.top.zoom_wanted.connect(lambda zoom: self._run("actual" if zoom else "fit"))
        self.canvas.resized.connect(self._fit_panes)
        self.canvas.hovered.connect(self._hovered)
        self.message.dismissed.connect(lambda: self._say(""))
        self.status.stopped.connect(self.workspace.cancel)
        self.canvas.picked.connect(self._picked)
        self.look.pick_wanted.connect(self._set_picking)
        self.rate.size_chosen.connect(self.workspace.rates.set_size)
        self.rate.stepped.connect(self.workspace.rates.step)
        self.rate.entered.connect(self._entered)
        self.rate.save_wanted.connect(lambda: self._run("save"))
        self.empty.open_wanted.connect(self.choose_files)
        self.empty.recent_wanted.connect(self.open_pair)
        self.panel.currentChanged.connect(lambda _i: self.canvas.setFocus())

    # Opening.

    def choose_files(self) -> None:
        """Ask for files and open them."""
        names, _ = QFileDialog.getOpenFileNames(self, tr("Open a raw, its JPEG, or both"))
        if names:
            self.open_paths([Path(name) for name in names])

    def open_paths(self, paths: list[Path]) -> None:
        """Open files: one shot in the window, several in the batch."""
        found = pair_up(paths)
        if not found.pairs:
            names = ", ".join(path.name for path in paths[:3]) + (", \u2026" * (len(paths) > 3))
            self._say(
                tr(
                    "{} is neither a raw nor a JPEG; drop a camera\u2019s raw file and its JPEG."
                ).format(names)
                if len(paths) == 1
                else tr("There is neither a raw nor a JPEG among {}.").format(names)
            )
            return
        self.open_pair(found.pairs[0])
        if len(found.pairs) > 1:
            self.show_batch()
            if self.batch_window is not None:
                self.batch_window.add_paths(paths)
            self._say(
                tr("{} shots were dropped: the first is open, all wait in the batch.").format(
                    len(found.pairs)
                )
            )
        elif found.ignored:
            names = ", ".join(path.name for path in found.ignored[:3])
            self._say(tr("Left out, being neither raw nor JPEG: {}.").format(names))

    def open_pair(self, pair: Pair) -> None:
        """Open one shot."""
        self.workspace.open(pair)

    def take_files(self, paths: list[Path]) -> None:
        """Open files that were dropped."""
        self.open_paths(paths)

    # Acting.

    def _run(self, name: str) -> None:
        self._commands.run(name)
        self._check_actions()

    def show_wanted(self, differences: dict[str, Any]) -> None:
        """Show something else; the panes' size follows from the layout.

        Args:
            differences: By attribute of the workspace's state.
        """
        before = self.workspace.state
        state = replace(before, **differences)
        self.workspace.update(state)
        if (before.panes, before.vertical) != (state.panes, state.vertical):
            self._fit_panes()
        if "error" in (state.left, state.right) and "error" not in (before.left, before.right):
            self.panel.setCurrentWidget(self.errors)

    def _fit_panes(self) -> None:
        """Tell the viewport how large its pane is now."""
        state = self.workspace.state
        viewport = state.viewport.resized(*self.canvas.pane_size)
        if viewport != state.viewport:
            self.workspace.update(replace(state, viewport=viewport))

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _cancel(self) -> None:
        if self.canvas.picking:
            self.look.pick.toggle()
        elif self.workspace.voice.progress is not None:
            self.workspace.cancel()
        else:
            self._say("")

    def _quit(self) -> None:
        self.close()

    def _set_picking(self, on: bool) -> None:
        self.canvas.picking = on
        if on:
            self._say(tr("Click on something that is white or grey; Esc to leave it."))
            self.canvas.setFocus()
        elif self.workspace.voice.message.startswith(tr("Click on something")):
            self._say("")
        self._check_actions()

    def _picked(self, x: float, y: float) -> None:
        self.look.pick.setChecked(False)
        self.workspace.pick_white(x, y)

    def _entered(self, text: str) -> None:
        if self.workspace.rates.enter(text):
            self.rate.entry.clear()
            self.canvas.setFocus()

    def show_batch(self) -> None:
        """Show the batch queue."""
        if self.batch_window is None:
            self.batch_window = BatchWindow(self.poster, self)
        self.batch_window.show()
        self.batch_window.raise_()

    def show_shortcuts(self) -> None:
        """Show all actions and their keys."""
        sheet = ShortcutSheet(self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def _show_about(self) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(tr("About rawback"))
        box.setText(
            tr("rawback {}: a JPEG that carries its raw.").format(rawback.__version__)
            + "\n\n"
            + tr("The app is free software under the GPL, version 3 or later.")
        )
        box.setModal(True)
        box.show()

    # Refreshing.

    def _refresh(self, change: str) -> None:
        refreshers: dict[str, Callable[[], None]] = {
            "document": self._refresh_document,
            "state": self._refresh_state,
            "progress": self._refresh_progress,
            "message": self._refresh_message,
            "curve": self._refresh_rate,
            "rate": self._refresh_rate,
            "figures": self._refresh_rate,
            "pictures": self._refresh_pictures,
            "statistics": self._refresh_statistics,
        }
        if change in refreshers:
            refreshers[change]()

    def _refresh_document(self) -> None:
        document = self.workspace.document
        self.pages.setCurrentIndex(0 if document is None else 1)
        self.setWindowTitle(
            "rawback" if document is None else f"{document.pair.name} \u2013 rawback"
        )
        if document is None:
            self.empty.show_recent(self.settings.recent())
        else:
            self.settings.keep_recent(document.pair)
            if not self.isAncestorOf(self.focusWidget()) or self.focusWidget() is None:
                self.canvas.setFocus()
        pair = document is not None and document.has_original
        self.rate.setVisible(document is None or pair)
        self.panel.setTabEnabled(1, pair)
        self._refresh_state()
        self._refresh_rate()
        self._refresh_pictures()
        self._fit_panes()

    def _refresh_state(self) -> None:
        state = self.workspace.resolved
        self.canvas.show_state(state, (self._side_name(state.left), self._side_name(state.right)))
        self.top.show_state(state, self._available())
        self.look.show_state(state, self.workspace.overlays)
        self.errors.show_state(state, self.workspace.pictures.error_top)
        self._check_actions()

    def _side_name(self, source: Source) -> str:
        text = source_name(source)
        document, point = self.workspace.document, self.workspace.rates.figures
        if source == "restored" and document is not None and point is not None:
            text += f" \u00b7 {bytes_text(point.payload_bytes)}"
        return text

    def _available(self) -> frozenset[Source]:
        document = self.workspace.document
        if document is None:
            return frozenset()
        if not document.has_original:
            return frozenset(("carrier", "restored"))
        found: set[Source] = {"original"}
        if document.guide is not None:
            found.add("carrier")
        if document.ready:
            found |= {"restored", "error"}
        return frozenset(found)

    def _refresh_pictures(self) -> None:
        document = self.workspace.document
        frame = None if document is None else document.frame
        self.canvas.show_pictures(self.workspace.pictures, frame, self.workspace.overlays)
        self.errors.show_state(self.workspace.resolved, self.workspace.pictures.error_top)

    def _refresh_rate(self) -> None:
        space = self.workspace
        self.rate.show_rate(space.rates.curve, space.rates.figures, space.rates.ticks)
        self.rate.save.setEnabled(space.session is not None)
        state = space.resolved
        self.canvas.show_state(state, (self._side_name(state.left), self._side_name(state.right)))
        self.look.show_state(state, space.overlays)

    def _refresh_statistics(self) -> None:
        unit = self.workspace.state.errors.unit_text
        self.errors.show_statistics(self.workspace.statistics, unit)

    def _refresh_progress(self) -> None:
        progress = self.workspace.voice.progress
        self.status.show_progress(progress)
        self.empty.setEnabled(progress is None or not progress.blocking)

    def _say(self, message: str) -> None:
        self.workspace.voice.say(message)

    def _refresh_message(self) -> None:
        self.message.show_message(self.workspace.voice.message)

    def _hovered(self, place: tuple[float, float] | None) -> None:
        self.status.show_readout(None if place is None else self.workspace.readout(*place))

    def _forget_recent(self) -> None:
        self.settings.clear_recent()
        self.empty.show_recent(())

    def _check_actions(self) -> None:
        space = self.workspace
        document = space.document
        needs = {""}
        if document is not None:
            needs.add("picture")
            if document.has_original and document.ready:
                needs |= {"pair", "rate"}
        flags = {
            "pick_white": self.canvas.picking,
            "panel": not self.panel.isHidden(),
            "full_screen": self.isFullScreen(),
        }
        self.menus.show_state(space.state, needs, {name for name, on in flags.items() if on})

    # Ending.

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.settings.keep_window(self)
        self.settings.keep_view(self.workspace.state)
        self.hide()
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self, timeout: float | None = None) -> bool:
        """Stop all work; whether its threads have ended within `timeout` seconds each."""
        self.poster.close()
        ended = self.workspace.shut_down(timeout)
        return (self.batch_window is None or self.batch_window.batch.shut_down(timeout)) and ended
