# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the main window is made of, put together."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from rawback_gui.models.wording import tr
from rawback_gui.views._qt.canvas import Canvas
from rawback_gui.views._qt.carrier_strip import CarrierStrip
from rawback_gui.views._qt.error_panel import ErrorPanel
from rawback_gui.views._qt.look_panel import LookPanel
from rawback_gui.views._qt.panel_parts import scrolled
from rawback_gui.views._qt.payload_panel import PayloadPanel
from rawback_gui.views._qt.rate_strip import RateStrip
from rawback_gui.views._qt.sentence_line import ProgressLine, SentenceLine
from rawback_gui.views._qt.start_page import StartPage
from rawback_gui.views._qt.toasts import Toasts
from rawback_gui.views._qt.top_bar import TopBar

__all__ = ["ERRORS_PAGE", "PAYLOAD_PAGE", "Widgets"]

_PANEL = 318
_, ERRORS_PAGE, PAYLOAD_PAGE = range(3)
"""Pages of the side panel."""


class Widgets:
    """The window's parts.

    ::

        +--------------------------------------+
        | top                                  |
        +-----------------------------+--------+
        | canvas (toasts over it)     | panel  |
        +-----------------------------+--------+
        | sentence                             |
        | rate, or for a carrier alone carrier |
        +--------------------------------------+
        | progress                             |
        +--------------------------------------+

    Before anything is open there is `start` in their place.
    """

    def __init__(self) -> None:
        self.canvas = Canvas()
        self.toasts = Toasts(self.canvas)
        self.top = TopBar()
        self.sentence = SentenceLine()
        self.progress = ProgressLine()
        self.rate = RateStrip()
        self.carrier = CarrierStrip()
        self.look = LookPanel()
        self.errors = ErrorPanel()
        self.payload = PayloadPanel()
        self.start = StartPage()
        self.start_toasts = Toasts(self.start)
        self.panel = QTabWidget()
        self.panel.setDocumentMode(True)
        self.panel.setFixedWidth(_PANEL)
        for page, name in (
            (self.look, tr("Light")),
            (self.errors, tr("Errors")),
            (self.payload, tr("Payload")),
        ):
            self.panel.addTab(scrolled(page), name)
        self.pages = QStackedWidget()
        self.central = self._arranged()

    def _arranged(self) -> QWidget:
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
        self.pages.addWidget(self.start)
        self.pages.addWidget(work)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.pages, 1)
        outer.addWidget(self.progress)
        return whole
