# SPDX-License-Identifier: GPL-3.0-or-later
"""The main window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMainWindow, QMessageBox

import rawback
from rawback_gui.controllers.workspace import Workspace
from rawback_gui.models.filenames import shortened
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.asking import Asking
from rawback_gui.views._qt.batch_window import BatchWindow
from rawback_gui.views._qt.bridge import Poster
from rawback_gui.views._qt.choosing import Choosing
from rawback_gui.views._qt.commands import Commands
from rawback_gui.views._qt.dropping import FileTarget
from rawback_gui.views._qt.menus import Menus
from rawback_gui.views._qt.opening import Opening
from rawback_gui.views._qt.presenter import Presenter
from rawback_gui.views._qt.settings import Settings
from rawback_gui.views._qt.sheet import ShortcutSheet
from rawback_gui.views._qt.theme import THEMES, ThemeName, apply_theme, follow_system
from rawback_gui.views._qt.thumbnails import Thumbnails
from rawback_gui.views._qt.widgets import ERRORS_PAGE, PAYLOAD_PAGE, Widgets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PyQt6.QtGui import QCloseEvent, QResizeEvent

    from rawback_gui.models.pairing import Pair

__all__ = ["MainWindow"]

_NARROW = 1100
"""Width below which the side panel is away unless it is asked for."""

_SMALLEST = (960, 600)
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
        self._theme = self.settings.theme()
        apply_theme(self._theme)
        follow_system(self._follow_system)
        parts = self.widgets = Widgets()
        self.canvas, self.panel, self.pages = parts.canvas, parts.panel, parts.pages
        self.top, self.rate, self.carrier = parts.top, parts.rate, parts.carrier
        self.look, self.errors, self.payload = parts.look, parts.errors, parts.payload
        self.setCentralWidget(parts.central)
        self.batch_window: BatchWindow | None = None
        self._panel_wanted: bool | None = None
        self.choosing = Choosing(self.workspace, self.settings, self.payload)
        self.presenter = Presenter(
            parts, self.workspace, self.settings, self.thumbnails, self._check_actions
        )
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
        for change in ("document", "progress", "notices"):
            self._refresh(change)
        if "error" in (self.workspace.state.left, self.workspace.state.right):
            self.panel.setCurrentIndex(ERRORS_PAGE)

    # Building.

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
            "expert": lambda: self._show_expert(not self.presenter.expert),
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
        self.canvas.hovered.connect(self.presenter.show_hovered)
        self.canvas.picked.connect(self._picked)
        self.canvas.footed.connect(self.widgets.toasts.set_foot)
        self.look.pick_wanted.connect(lambda: self.run("pick_white"))
        for cancellable in (self.widgets.sentence, self.widgets.start.opening):
            cancellable.cancel_wanted.connect(self.workspace.cancel)
        for toasts in (self.widgets.toasts, self.widgets.start_toasts):
            toasts.dismissed.connect(self.workspace.feedback.dismiss)
            toasts.remedy_wanted.connect(self.opening.remedy)
        rates = self.workspace.rates
        self.rate.slider.chosen.connect(rates.choose_place)
        self.rate.slider.stepped.connect(rates.step)
        self.payload.size_chosen.connect(lambda size: rates.choose(rawback.Rate.size(size)))
        self.payload.entered.connect(self._entered)
        self.payload.keep_file_wanted.connect(lambda on: rates.choose_file(keep=on))
        self.payload.expert_wanted.connect(self._show_expert)
        self.widgets.start.open_wanted.connect(lambda: self.run("open"))
        self.widgets.start.recent_wanted.connect(self.open_pair)
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
            self.panel.setCurrentIndex(ERRORS_PAGE)

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

    def _follow_system(self) -> None:
        if self._theme == "system":
            apply_theme("system")

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
        self.presenter.show_state()

    def _picked(self, x: float, y: float) -> None:
        self._set_picking(on=False)
        self.workspace.pick_white(x, y)

    def _enter_rate(self) -> None:
        if self.panel.isHidden():
            self._toggle_panel()
        self.panel.setCurrentIndex(PAYLOAD_PAGE)
        self.payload.ask()

    def _entered(self, text: str) -> None:
        if self.workspace.rates.enter(text):
            self.payload.entry.clear()
            self.canvas.setFocus()

    def _show_expert(self, on: bool) -> None:
        self.presenter.expert = on
        self.settings.keep_flag("expert", on=on)
        if self.batch_window is not None:
            self.batch_window.show_expert(on=on)
        self.presenter.show_rate()

    def show_batch(self) -> None:
        """Show the batch queue."""
        if self.batch_window is None:
            self.batch_window = BatchWindow(self.poster, self.open_pair, self)
            self.choosing.join(self.batch_window)
        self.batch_window.show_expert(on=self.presenter.expert)
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
        self.presenter.refresh(change)
        if change == "document":
            self._refresh_document()

    def _refresh_document(self) -> None:
        document = self.workspace.document
        name = "" if document is None else shortened(document.pair.name, _TITLE_LENGTH)
        self.setWindowTitle(f"{name} \u2013 rawback" if name else "rawback")
        focused = self.focusWidget()
        if document is not None and (focused is None or not self.isAncestorOf(focused)):
            self.canvas.setFocus()
        self._fit_panes()

    def _forget_recent(self) -> None:
        self.settings.clear_recent()
        self.thumbnails.clear()
        self.presenter.show_recent()

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
                if document.opened.info.raw_file is not None:
                    needs.add("raw_file")
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
            "expert": self.presenter.expert,
            "grain": space.grain.on,
            f"theme_{self._theme}": True,
        }
        on = {name for name, set_ in flags.items() if set_}
        self.menus.show_state(space.resolved, needs, on)
        self.top.show_state(space.resolved, on, needs)
        self.carrier.buttons["grain"].setChecked(space.grain.on)

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
