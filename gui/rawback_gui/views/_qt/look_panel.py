# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of light: look, white balance, histogram, clipping."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter
from PyQt6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rawback_gui.controllers.pictures import CLIPPING_COLOURS
from rawback_gui.models.clipping import CLIPPINGS, Clipping
from rawback_gui.models.rendering import RENDERINGS, SHIFTS, Development, Rendering
from rawback_gui.models.state import ViewState
from rawback_gui.models.texts import percent_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import FlatButton, Segmented
from rawback_gui.views._qt.detent_slider import DetentSlider
from rawback_gui.views._qt.light_histogram import LightHistogram
from rawback_gui.views._qt.panel_parts import heading
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from PyQt6.QtGui import QPaintEvent

    from rawback_gui.controllers.document import Document

__all__ = ["Chip", "LookPanel", "clipping_name", "rendering_name"]

_CHIP = 12


def clipping_name(clipping: Clipping) -> str:
    """What to call a kind of clipping."""
    return {
        "jpeg_highlights": tr("JPEG highlights"),
        "jpeg_shadows": tr("JPEG shadows"),
        "raw_highlights": tr("Raw highlights"),
        "raw_shadows": tr("Raw shadows"),
    }[clipping]


def rendering_name(rendering: Rendering) -> str:
    """What to call a rendering."""
    return {
        "match": tr("As the JPEG"),
        "neutral": tr("Neutral"),
        "linear": tr("Linear"),
    }[rendering]


class Chip(QWidget):
    """The colour of something in a legend."""

    def __init__(self, colour: tuple[int, int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(*colour)
        self.setFixedSize(_CHIP, _CHIP)

    def sizeHint(self) -> QSize:
        return QSize(_CHIP, _CHIP)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.end()


class LookPanel(QWidget):
    """Look, white balance, histogram, clipping.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
        pick_wanted: A white is to be picked.
    """

    wanted = pyqtSignal(dict)
    pick_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewState()
        self._showing = False
        segments: tuple[tuple[Rendering, str, None, str], ...] = tuple(
            (rendering, rendering_name(rendering), None, rendering_name(rendering))
            for rendering in RENDERINGS
        )
        self.rendering: Segmented[Rendering] = Segmented(
            segments, lambda rendering: self._develop(rendering=rendering)
        )
        self.white_text = QLabel()
        self.pick = FlatButton(tr("Pick white balance"), icon="picker", text=tr("Pick"))
        self.pick.setCheckable(True)
        self.pick.setToolTip(tr("Then click on something that is white or grey."))
        self.pick.clicked.connect(self.pick_wanted)
        self.as_shot = FlatButton(tr("White balance as shot"), text=tr("As shot"))
        self.as_shot.clicked.connect(lambda: self._develop(picked=None, warmth=0.0, tint=0.0))
        self.warmth = DetentSlider(tr("Warmth"), SHIFTS, step=0.1)
        self.tint = DetentSlider(tr("Tint"), SHIFTS, step=0.1)
        self.warmth.chosen.connect(lambda value: self._develop(warmth=value))
        self.tint.chosen.connect(lambda value: self._develop(tint=value))
        self.histogram = LightHistogram()
        self.clipped = QLabel()
        self.clipped.setWordWrap(True)
        self.boxes: dict[Clipping, QCheckBox] = {}
        self._shares: dict[Clipping, QLabel] = {}
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(heading(tr("Look of the raws")))
        layout.addWidget(self.rendering)
        layout.addSpacing(6)
        layout.addLayout(self._white())
        layout.addSpacing(6)
        layout.addWidget(heading(tr("Light in the raw")))
        layout.addWidget(self.histogram)
        layout.addWidget(self.clipped)
        layout.addSpacing(6)
        layout.addWidget(heading(tr("Show clipping")))
        layout.addLayout(self._clipping())
        layout.addStretch()

    def _white(self) -> QVBoxLayout:
        top = QHBoxLayout()
        top.addWidget(heading(tr("White balance")))
        top.addWidget(self.white_text, 1)
        top.addWidget(self.pick)
        top.addWidget(self.as_shot)
        grid = QGridLayout()
        for row, (text, slider) in enumerate(
            ((tr("Warmth"), self.warmth), (tr("Tint"), self.tint))
        ):
            grid.addWidget(Caption(text), row, 0)
            grid.addWidget(slider, row, 1)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(grid)
        return column

    def _clipping(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, clipping in enumerate(CLIPPINGS):
            box = QCheckBox(clipping_name(clipping))
            box.toggled.connect(lambda on, clipping=clipping: self._mark(clipping, on=on))
            share = QLabel("\u2013")
            share.setAccessibleName(clipping_name(clipping))
            share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(Chip(CLIPPING_COLOURS[clipping]), row, 0)
            grid.addWidget(box, row, 1)
            grid.addWidget(share, row, 2)
            self.boxes[clipping], self._shares[clipping] = box, share
        return grid

    def show_state(self, state: ViewState, *, picking: bool) -> None:
        """Show a state."""
        self._state = state
        development = state.development
        self._showing = True
        self.rendering.show_value(development.rendering)
        self.warmth.show_value(development.warmth)
        self.tint.show_value(development.tint)
        self.white_text.setText(_white_text(development))
        self.pick.setChecked(picking)
        for clipping, box in self.boxes.items():
            box.setChecked(clipping in state.clipping)
        self._showing = False

    def show_document(self, document: Document | None) -> None:
        """Show what is known of the raw and the JPEG."""
        coloured = document is None or not document.frame.mosaic.is_monochrome
        for widget in (self.pick, self.as_shot, self.warmth, self.tint):
            widget.setEnabled(coloured)
        if document is None:
            self.histogram.show_histograms((), None)
            self.clipped.setText("")
            for label in self._shares.values():
                label.setText("\u2013")
            return
        look = document.looks.get("match")
        jpeg_end = None if look is None else look.white_point
        self.histogram.show_histograms(document.histograms, jpeg_end)
        parts = [
            f"{item.channel}\u00a0{percent_text(item.clipped_share)}".replace(" %", "\u00a0%")
            for item in document.histograms
        ]
        self.clipped.setText(tr("Clipped: {}").format("  ".join(parts)))
        counts = (f"{item.channel} {item.clipped:,}" for item in document.histograms)
        self.clipped.setToolTip(tr("Samples: {}").format("  ".join(counts)))
        for clipping, label in self._shares.items():
            share = document.clipped.of(clipping)
            label.setText("\u2013" if share is None else percent_text(share))
        matches = look is not None
        button = self.rendering.buttons["match"]
        button.setEnabled(matches or not document.registered)

    def _mark(self, clipping: Clipping, *, on: bool) -> None:
        shown = self._state.clipping
        self._want(clipping=shown | {clipping} if on else shown - {clipping})

    def _develop(self, **differences: object) -> None:
        self._want(development=replace(self._state.development, **differences))  # type: ignore[arg-type]

    def _want(self, **differences: object) -> None:
        if not self._showing:
            self.wanted.emit(differences)


def _white_text(development: Development) -> str:
    if development.picked is not None:
        return tr("picked")
    return tr("shifted") if development.warmth or development.tint else tr("as shot")
