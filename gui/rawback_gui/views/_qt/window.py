# SPDX-License-Identifier: GPL-3.0-or-later
"""The main window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import (
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
from rawback_gui.models.filenames import shortened
from rawback_gui.models.gain import gain_sentence, size_text
from rawback_gui.models.texts import bytes_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.asking import Asking
from rawback_gui.views._qt.batch_window import BatchWindow
from rawback_gui.views._qt.bridge import Poster
from rawback_gui.views._qt.canvas import Canvas
from rawback_gui.views._qt.carrier_strip import CarrierStrip
from rawback_gui.views._qt.commands import Commands
from rawback_gui.views._qt.dropping import FileTarget
from rawback_gui.views._qt.error_panel import ErrorPanel
from rawback_gui.views._qt.look_panel import LookPanel
from rawback_gui.views._qt.menus import Menus
from rawback_gui.views._qt.opening import Opening
from rawback_gui.views._qt.pane_label import PaneLabel, source_name
from rawback_gui.views._qt.panel_parts import scrolled
from rawback_gui.views._qt.payload_panel import PayloadPanel
from rawback_gui.views._qt.rate_strip import RateStrip
from rawback_gui.views._qt.readout import readout_text
from rawback_gui.views._qt.sentence_line import ProgressLine, SentenceLine
from rawback_gui.views._qt.settings import Settings
from rawback_gui.views._qt.sheet import ShortcutSheet
from rawback_gui.views._qt.start_page import StartPage
from rawback_gui.views._qt.theme import THEMES, ThemeName, apply_theme
from rawback_gui.views._qt.thumbnails import Thumbnails
from rawback_gui.views._qt.toasts import Toasts
from rawback_gui.views._qt.top_bar import TopBar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PyQt6.QtGui import QCloseEvent, QResizeEvent

    from rawback_gui.controllers.document import Document
    from rawback_gui.models.pairing import Pair
    from rawback_gui.models.state import Source

__all__ = ["MainWindow"]

_PANEL = 318
_NARROW = 1100
"""Width below which the side panel is away unless it is asked for."""

_SMALLEST = (960, 600)
_PATIENCE_MS = 200
"""After which a picture that is not yet what is wanted is said to be updating."""

_TITLE_LENGTH = 80


class MainWindow(FileTarget, QMainWindow):
    """Pictures in the middle, how they are compared above, what they cost below."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("rawback")
        self.setAcceptDrops(True)
        self.setMinimumSize(*_SMALLEST)
        self.settings = Settings()
        self.thumbnails = Thumbnails()
        self.poster = Poster(self)
        self.workspace = Workspace(self.poster, self._refresh)
        self.workspace.state = self.settings.view()
        self.canvas = Canvas()
        self.toasts = Toasts(self.canvas)
        self.start_toasts: Toasts | None = None
        self.top = TopBar()
        self.sentence = SentenceLine()
        self.progress = ProgressLine()
        self.rate = RateStrip()
        self.carrier = CarrierStrip()
        self.look = LookPanel()
        self.errors = ErrorPanel()
        self.payload = PayloadPanel()
        self.start = StartPage()
        self.batch_window: BatchWindow | None = None
        self._theme = self.settings.theme()
        self._expert = self.settings.flag("expert", otherwise=False)
        self._panel_wanted: bool | None = None
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_PATIENCE_MS)
        self._late.timeout.connect(self._refresh_labels)
        apply_theme(self._theme)
        self._build()
        self.opening = Opening(self, self.workspace, self.settings.recent, self._to_batch)
        self._commands = Commands(
            self.workspace,
            self.show_wanted,
            {**self._calls(), **Asking(self.workspace, self.canvas).calls},
        )
        self.menus = Menus(self, self.canvas, self.run)
        self.menus.recent_wanted(self.settings.recent, self.open_pair, self._forget_recent)
        self._connect()
        if not self.settings.restore_window(self):
            self.resize(1280, 720)
        self._show_recent()
        for change in ("document", "progress", "notices"):
            self._refresh(change)
        if "error" in (self.workspace.state.left, self.workspace.state.right):
            self.panel.setCurrentIndex(1)

    # Building.

    def _build(self) -> None:
        self.panel = QTabWidget()
        self.panel.setDocumentMode(True)
        self.panel.setFixedWidth(_PANEL)
        for page, name in (
            (self.look, tr("Light")),
            (self.errors, tr("Errors")),
            (self.payload, tr("Payload")),
        ):
            self.panel.addTab(scrolled(page), name)
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
        column.addWidget(self.sentence)
        column.addWidget(self.rate)
        column.addWidget(self.carrier)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(work)
        self.start_toasts = Toasts(self.start)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.pages, 1)
        outer.addWidget(self.progress)
        self.setCentralWidget(whole)

    def _calls(self) -> dict[str, Callable[[], None]]:
        """What actions do that are about the window itself."""
        themes: dict[str, Callable[[], None]] = {
            f"theme_{name}": lambda name=name: self._use_theme(name)  # type: ignore[misc]
            for name in THEMES
        }
        return {
            **themes,
            "open": self.opening.choose_files,
            "previous": lambda: self._browse(-1),
            "next": lambda: self._browse(1),
            "batch": self.show_batch,
            "quit": self._quit,
            "cancel": self._cancel,
            "panel": self._toggle_panel,
            "full_screen": self._toggle_full_screen,
            "pick_white": lambda: self._set_picking(not self.canvas.picking),
            "show_errors": self.errors.shown.toggle,
            "enter_rate": self._enter_rate,
            "expert": lambda: self._show_expert(not self._expert),
            "compare_raw": self.opening.choose_raw,
            "shortcuts": self.show_shortcuts,
            "about": self._show_about,
        }

    def _connect(self) -> None:
        for widget in (self.canvas, self.look, self.errors, self.payload):
            widget.wanted.connect(self.show_wanted)
        for strip in (self.top, self.rate, self.carrier):
            strip.action_wanted.connect(self.run)
        self.top.exposure_wanted.connect(self._expose)
        self.canvas.resized.connect(self._fit_panes)
        self.canvas.hovered.connect(self._hovered)
        self.canvas.picked.connect(self._picked)
        self.canvas.footed.connect(self.toasts.set_foot)
        self.look.pick_wanted.connect(lambda: self.run("pick_white"))
        self.sentence.cancel_wanted.connect(self.workspace.cancel)
        for toasts in (self.toasts, self.start_toasts):
            if toasts is not None:
                toasts.dismissed.connect(self.workspace.feedback.dismiss)
                toasts.remedy_wanted.connect(self.opening.remedy)
        rates = self.workspace.rates
        self.rate.slider.chosen.connect(rates.choose_place)
        self.rate.slider.stepped.connect(rates.step)
        self.payload.size_chosen.connect(lambda size: rates.choose(rawback.Rate.size(size)))
        self.payload.entered.connect(self._entered)
        self.payload.expert_wanted.connect(self._show_expert)
        self.start.open_wanted.connect(lambda: self.run("open"))
        self.start.recent_wanted.connect(self.open_pair)
        self.panel.currentChanged.connect(lambda _i: self.canvas.setFocus())

    # Opening.

    def open_paths(self, paths: list[Path]) -> None:
        """Open files: one shot in the window, several in the batch."""
        self.opening.open_paths(paths)

    def open_pair(self, pair: Pair) -> None:
        """Open one shot."""
        self.workspace.open(pair)

    def take_files(self, paths: list[Path]) -> None:
        """Open files that were dropped."""
        self.open_paths(paths)

    def _browse(self, step: int) -> None:
        self.workspace.open_neighbour(step)

    # Acting.

    def run(self, name: str) -> None:
        """Do what an action does."""
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
            self.panel.setCurrentIndex(1)

    def _expose(self, stops: float) -> None:
        development = replace(self.workspace.state.development, exposure=stops)
        self.show_wanted({"development": development})

    def _fit_panes(self) -> None:
        """Tell the viewport how large its pane is now."""
        state = self.workspace.state
        viewport = state.viewport.resized(*self.canvas.pane_size)
        if viewport != state.viewport:
            self.workspace.update(replace(state, viewport=viewport))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        old = event.oldSize().width() if event is not None else -1
        if (old < _NARROW) != (self.width() < _NARROW) or old < 0:
            # Across the border the panel comes and goes; within each part people decide.
            self._panel_wanted = None
            self._show_panel()

    def _show_panel(self) -> None:
        wanted = self._panel_wanted
        self.panel.setVisible(self.width() >= _NARROW if wanted is None else wanted)
        self._check_actions()

    def _toggle_panel(self) -> None:
        self._panel_wanted = self.panel.isHidden()
        self._show_panel()

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _use_theme(self, name: ThemeName) -> None:
        self._theme = name
        self.settings.keep_theme(name)
        apply_theme(name)

    def _cancel(self) -> None:
        """Leave picking; else dismiss a message; else stop what people wait for."""
        if self.canvas.picking:
            self._set_picking(on=False)
        elif not self.workspace.feedback.dismiss():
            self.workspace.cancel()

    def _quit(self) -> None:
        self.close()

    def _set_picking(self, on: bool) -> None:
        self.canvas.picking = on and self.workspace.document is not None
        if self.canvas.picking:
            self.workspace.feedback.say(
                tr("Click on something that is white or grey; Esc to leave it.")
            )
            self.canvas.setFocus()
        else:
            self.workspace.feedback.clear()
        self._refresh_state()

    def _picked(self, x: float, y: float) -> None:
        self._set_picking(on=False)
        self.workspace.pick_white(x, y)

    def _enter_rate(self) -> None:
        if self.panel.isHidden():
            self._toggle_panel()
        self.panel.setCurrentIndex(2)
        self.payload.ask()

    def _entered(self, text: str) -> None:
        if self.workspace.rates.enter(text):
            self.payload.entry.clear()
            self.canvas.setFocus()

    def _show_expert(self, on: bool) -> None:
        self._expert = on
        self.settings.keep_flag("expert", on=on)
        self.payload.show_expert(on=on)
        self._refresh_rate()

    def show_batch(self) -> None:
        """Show the batch queue."""
        if self.batch_window is None:
            self.batch_window = BatchWindow(self.poster, self.open_pair, self)
        self.batch_window.show()
        self.batch_window.raise_()

    def _to_batch(self, paths: list[Path]) -> None:
        self.show_batch()
        if self.batch_window is not None:
            self.batch_window.add_paths(paths)

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
            "notices": self._refresh_notices,
            "curve": self._refresh_rate,
            "rate": self._refresh_rate,
            "figures": self._refresh_rate,
            "pictures": self._refresh_pictures,
            "statistics": self._refresh_statistics,
            "shots": self._check_actions,
        }
        if change in refreshers:
            refreshers[change]()

    def _refresh_document(self) -> None:
        document = self.workspace.document
        self.pages.setCurrentIndex(0 if document is None else 1)
        name = "" if document is None else shortened(document.pair.name, _TITLE_LENGTH)
        self.setWindowTitle(f"{name} \u2013 rawback" if name else "rawback")
        if document is None:
            self._show_recent()
        else:
            self._remember(document)
            if not self.isAncestorOf(self.focusWidget()) or self.focusWidget() is None:
                self.canvas.setFocus()
        alone = document is not None and not document.has_original
        self.rate.setVisible(not alone)
        self.carrier.setVisible(alone)
        info = None if document is None or document.opened is None else document.opened.info
        if document is not None and info is not None:
            self.carrier.show_carrier(info, document.pair.name)
        self.payload.show_contents(info, 0 if document is None else document.jpeg_bytes)
        self.panel.setTabEnabled(1, not alone)
        self.panel.setTabText(2, tr("Inside") if alone else tr("Payload"))
        self.look.show_document(document)
        self._refresh_state()
        self._refresh_rate()
        self._refresh_pictures()
        self._refresh_statistics()
        self._fit_panes()

    def _remember(self, document: Document) -> None:
        self.settings.keep_recent(document.pair)
        if document.registered:
            self.thumbnails.keep(document)

    def _refresh_state(self) -> None:
        state = self.workspace.resolved
        self.look.show_state(state, picking=self.canvas.picking)
        self.payload.show_overlays(state, self.workspace.overlays)
        document = self.workspace.document
        if document is not None:
            self.canvas.show_clipping(state.clipping, document.clipped)
        self._refresh_labels()
        self._check_actions()

    def _refresh_labels(self) -> None:
        """The labels of the panes, and everything that tells how far pictures are."""
        space = self.workspace
        state, updating = space.resolved, not space.drawn
        if updating and not self._late.isActive() and self.sender() is not self._late:
            self._late.start()
            return
        self._label(self.canvas.left, state.left, updating=updating)
        self._label(self.canvas.right, state.right, updating=updating)
        names = (source_name(state.left), source_name(state.right))
        self.canvas.show_state(state, " / ".join(names))
        scale = space.pictures.error_scale
        self.errors.show_state(state, scale, updating=updating)

    def _label(self, label: PaneLabel, source: Source, *, updating: bool) -> None:
        document = self.workspace.document
        if document is None:
            return
        there: frozenset[Source] = frozenset(("carrier", "restored"))
        if document.has_original:
            there |= {"original", "error"}
        label.show_source(
            source,
            pushed=self.workspace.state.development.pushed,
            there=there,
            enabled=document.sources,
            details=self._details(source, updating=updating),
        )

    def _details(self, source: Source, *, updating: bool) -> str:
        """What the picture in a pane is of, besides its name."""
        space, document = self.workspace, self.workspace.document
        if document is None:
            return ""
        parts = []
        if source == "restored" and document.has_original:
            figures = space.rates.figures
            if figures is not None:
                parts.append(bytes_text(figures.payload_bytes))
        if source == "carrier" and not document.registered and document.has_original:
            parts.append(tr("not aligned yet") if not document.prepared else tr("not aligned"))
        if updating and (source in ("restored", "error") or not space.pictures.sources):
            parts.append(tr("updating"))
        return " \u00b7 ".join(parts)

    def _refresh_pictures(self) -> None:
        document = self.workspace.document
        frame = None if document is None else document.frame
        self.canvas.show_pictures(self.workspace.pictures, frame, self.workspace.overlays)
        self._refresh_labels()

    def _refresh_rate(self) -> None:
        space = self.workspace
        document = space.document
        pair = document is not None and document.has_original
        rates = space.rates if pair else None
        self.rate.show_rates(rates, ticks_shown=self._expert)
        self.payload.show_rates(rates if document is None or pair else None)
        self.payload.show_overlays(space.resolved, space.overlays)
        self._refresh_labels()
        self._refresh_sentence()
        self._check_actions()

    def _refresh_sentence(self) -> None:
        space, document = self.workspace, self.workspace.document
        if document is None:
            self.sentence.show_sentence("")
            return
        if document.opened is not None:
            size = size_text(document.jpeg_bytes, document.opened.info.payload_bytes, measured=True)
            self.sentence.show_sentence(size)
            return
        figures = space.rates.figures
        measured = figures is not None and figures.measured
        payload = None if figures is None else figures.payload_bytes
        size = size_text(document.jpeg_bytes, payload, measured=measured)
        if document.prepared:
            size += ": " + gain_sentence(space.rates.gained)
        self.sentence.show_sentence(size)

    def _refresh_statistics(self) -> None:
        space = self.workspace
        unit = space.state.errors.unit_text
        self.errors.show_statistics(space.statistics, space.state.selection, unit)

    def _refresh_progress(self) -> None:
        progress = self.workspace.feedback.progress
        self.progress.show_fraction(None if progress is None else progress.fraction)
        self.sentence.show_progress(progress)
        self.start.setEnabled(progress is None or not progress.blocking)
        self._check_actions()

    def _refresh_notices(self) -> None:
        notices = self.workspace.feedback.notices
        self.toasts.show_notices(notices)
        if self.start_toasts is not None:
            self.start_toasts.show_notices(notices)

    def _hovered(self, place: tuple[float, float] | None) -> None:
        found = None if place is None else self.workspace.readout(*place)
        self.canvas.show_readout("" if found is None else readout_text(found))

    def _show_recent(self) -> None:
        self.start.show_recent(self.settings.recent(), self.thumbnails.path)

    def _forget_recent(self) -> None:
        self.settings.clear_recent()
        self.thumbnails.clear()
        self._show_recent()

    def _check_actions(self) -> None:
        space = self.workspace
        document = space.document
        needs = {""}
        if document is not None:
            needs.add("picture")
            if document.has_original and document.prepared:
                needs.add("pair")
            if document.opened is not None:
                needs.add("carrier")
            if any(overlay.mask for overlay in space.overlays):
                needs.add("latents")
            for step, name in ((-1, "previous"), (1, "next")):
                if space.browsing.neighbour(step) is not None:
                    needs.add(name)
            progress = space.feedback.progress
            if progress is not None and not progress.blocking:
                needs.add("measuring")
        flags = {
            "pick_white": self.canvas.picking,
            "panel": not self.panel.isHidden(),
            "full_screen": self.isFullScreen(),
            "expert": self._expert,
            f"theme_{self._theme}": True,
        }
        on = {name for name, set_ in flags.items() if set_}
        self.menus.show_state(space.resolved, needs, on)
        self.top.show_state(space.resolved, on, needs)

    # Ending.

    def closeEvent(self, event: QCloseEvent | None) -> None:
        batch = self.batch_window
        if batch is not None and not batch.may_close(self):
            if event is not None:
                event.ignore()
            return
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
