# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel beside the pictures: how raws are rendered, and how errors are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from rawback_gui.models.colormaps import DIVERGING, SEQUENTIAL
from rawback_gui.models.errormap import CHANNELS, KINDS, UNITS, Statistics
from rawback_gui.models.rates import psnr_text
from rawback_gui.models.rendering import EXPOSURES
from rawback_gui.models.state import ViewState
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.colorbar import ColorBar, Histogram, number_text
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from rawback import Overlay

__all__ = ["ErrorPanel", "LookPanel"]

_STOP = 30
"""Places of the exposure slider per stop."""


class LookPanel(QWidget):
    """Exposure, white balance, tone curve, overlays.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
        pick_wanted: Whether a white is to be picked.
    """

    wanted = pyqtSignal(dict)
    pick_wanted = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewState()
        self._showing = False
        self.exposure = QSlider(Qt.Orientation.Horizontal)
        self.exposure.setRange(round(EXPOSURES[0] * _STOP), round(EXPOSURES[1] * _STOP))
        self.exposure.setSingleStep(_STOP // 3)
        self.exposure.setPageStep(_STOP)
        self.exposure.setAccessibleName(tr("Exposure of both raws"))
        self.exposure_text = QLabel()
        self.exposure_text.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.exposure_text.setMinimumWidth(self.fontMetrics().horizontalAdvance("+0.00 EV "))
        self.white_text = QLabel()
        self.pick = QPushButton(tr("Pick"))
        self.pick.setCheckable(True)
        self.pick.setToolTip(tr("Then click on something that is white or grey."))
        self.pick.setAccessibleName(tr("Pick white balance"))
        self.camera = QPushButton(tr("Camera"))
        self.camera.setAccessibleName(tr("White balance of the camera"))
        self.linear = QCheckBox(tr("Linear light"))
        self.raw_clipping = QCheckBox(tr("Raw clipping"))
        self.carrier_clipping = QCheckBox(tr("JPEG clipping"))
        note = Caption(tr("Both raws are rendered alike, so what differs is in the data."))
        note.setWordWrap(True)

        exposure = QHBoxLayout()
        exposure.addWidget(QLabel(tr("Exposure")))
        exposure.addStretch()
        exposure.addWidget(self.exposure_text)
        white = QHBoxLayout()
        white.addWidget(QLabel(tr("White")))
        white.addWidget(self.white_text, 1)
        white.addWidget(self.pick)
        white.addWidget(self.camera)
        self._overlays = QVBoxLayout()
        self._boxes: dict[str, QCheckBox] = {}
        layout = QVBoxLayout(self)
        layout.addLayout(exposure)
        layout.addWidget(self.exposure)
        layout.addSpacing(4)
        layout.addLayout(white)
        layout.addWidget(self.linear)
        layout.addWidget(note)
        layout.addSpacing(8)
        layout.addWidget(_heading(tr("Overlays")))
        layout.addWidget(self.raw_clipping)
        layout.addWidget(self.carrier_clipping)
        layout.addLayout(self._overlays)
        layout.addStretch()

        self.exposure.valueChanged.connect(self._set_exposure)
        self.linear.toggled.connect(self._set_linear)
        self.raw_clipping.toggled.connect(lambda on: self._want(raw_clipping=on))
        self.carrier_clipping.toggled.connect(lambda on: self._want(carrier_clipping=on))
        self.pick.toggled.connect(self.pick_wanted)
        self.camera.clicked.connect(self._use_camera)

    def show_state(self, state: ViewState, overlays: tuple[Overlay, ...]) -> None:
        """Show a state and the overlays there are."""
        self._state = state
        self._showing = True
        self.exposure.setValue(round(state.development.exposure * _STOP))
        self.exposure_text.setText(f"{state.development.exposure:+.2f} EV")
        self.white_text.setText(
            tr("as shot") if state.development.neutral is None else tr("picked")
        )
        self.linear.setChecked(state.development.linear)
        self.raw_clipping.setChecked(state.raw_clipping)
        self.carrier_clipping.setChecked(state.carrier_clipping)
        self._show_overlays(overlays)
        self._showing = False

    def _show_overlays(self, overlays: tuple[Overlay, ...]) -> None:
        names = {overlay.name for overlay in overlays}
        for name in set(self._boxes) - names:
            box = self._boxes.pop(name)
            self._overlays.removeWidget(box)
            box.deleteLater()
        for overlay in overlays:
            if overlay.name not in self._boxes:
                box = QCheckBox()
                box.toggled.connect(lambda on, name=overlay.name: self._toggle(name, on=on))
                self._boxes[overlay.name] = box
                self._overlays.addWidget(box)
            box = self._boxes[overlay.name]
            share = f" ({overlay.values.mean():.0%})" if overlay.mask else ""
            box.setText(tr(overlay.title) + share)
            box.setChecked(overlay.name in self._state.overlays)

    def _toggle(self, name: str, *, on: bool) -> None:
        names = self._state.overlays | {name} if on else self._state.overlays - {name}
        self._want(overlays=frozenset(names))

    def _set_exposure(self, value: int) -> None:
        development = replace(self._state.development, exposure=value / _STOP)
        self._want(development=development)

    def _set_linear(self, on: bool) -> None:
        self._want(development=replace(self._state.development, linear=on))

    def _use_camera(self) -> None:
        self._want(development=replace(self._state.development, neutral=None))

    def _want(self, **differences: object) -> None:
        if not self._showing:
            self.wanted.emit(differences)


class ErrorPanel(QWidget):
    """What errors are shown and how, and the figures of a region.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
    """

    wanted = pyqtSignal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewState()
        self._showing = False
        self.shown = QCheckBox(tr("Show the error map"))
        self.kind = _box(tr("Kind of error"), KINDS, (tr("Absolute"), tr("Signed"), tr("Relative")))
        self.unit = _box(tr("Unit"), UNITS, (tr("Digital numbers"), tr("EV"), tr("Noise sigma")))
        self.channel = _box(
            tr("CFA channel"), CHANNELS, (tr("All"), tr("R"), tr("G1"), tr("G2"), tr("B"))
        )
        self.map = _box(tr("Color map"), (), ())
        self.log = QCheckBox(tr("Logarithmic"))
        self.bar = ColorBar()
        self.histogram = Histogram()
        form = QFormLayout()
        form.addRow(tr("Error"), self.kind)
        form.addRow(tr("Unit"), self.unit)
        form.addRow(tr("Channel"), self.channel)
        form.addRow(tr("Colors"), self.map)
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(self.shown)
        layout.addLayout(form)
        layout.addWidget(self.log)
        layout.addWidget(self.bar)
        layout.addSpacing(4)
        layout.addWidget(_heading(tr("Region")))
        self._figures: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        names = (
            ("samples", tr("Samples")),
            ("psnr", tr("PSNR")),
            ("rms", tr("RMS")),
            ("mean", tr("Mean")),
            ("median", tr("Median")),
            ("p99", tr("99 %")),
            ("largest", tr("Largest")),
        )
        for index, (name, text) in enumerate(names):
            value = QLabel("\u2013")
            value.setAccessibleName(text)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            row, column = index // 2, index % 2 * 2
            grid.addWidget(QLabel(text), row, column)
            grid.addWidget(value, row, column + 1)
            self._figures[name] = value
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        grid.setHorizontalSpacing(8)
        layout.addLayout(grid)
        layout.addWidget(self.histogram)
        layout.addStretch()

        self.shown.toggled.connect(self._show_map)
        self.kind.activated.connect(lambda _i: self._want(kind=self.kind.currentData()))
        self.unit.activated.connect(lambda _i: self._want(unit=self.unit.currentData(), top=None))
        self.channel.activated.connect(lambda _i: self._want(channel=self.channel.currentData()))
        self.map.activated.connect(self._set_map)
        self.log.toggled.connect(lambda on: self._want(log=on))
        self.bar.chosen.connect(lambda top: self._want(top=top))

    def show_state(self, state: ViewState, top: float | None) -> None:
        """Show a state; `top` is the value at the end of its scale, if there is a map."""
        self._state = state
        view = state.errors
        self._showing = True
        self.shown.setChecked("error" in (state.left, state.right))
        self.kind.setCurrentIndex(KINDS.index(view.kind))
        self.unit.setCurrentIndex(UNITS.index(view.unit))
        self.unit.setEnabled(view.kind != "relative")
        self.channel.setCurrentIndex(CHANNELS.index(view.channel))
        maps = DIVERGING if view.signed else SEQUENTIAL
        if tuple(self.map.itemData(i) for i in range(self.map.count())) != maps:
            self.map.clear()
            for name in maps:
                self.map.addItem(name.capitalize(), name)
        self.map.setCurrentIndex(maps.index(view.colormap))
        self.log.setChecked(view.log)
        self.bar.show_scale(view, view.top or top or 1.0)
        self._showing = False

    def show_statistics(self, found: Statistics | None, unit: str) -> None:
        """Show the figures of the selected region, or that there is none."""
        self.histogram.show_statistics(found, unit)
        texts = dict.fromkeys(self._figures, "\u2013")
        if found is not None:
            texts = {
                "samples": f"{found.count:,}",
                "psnr": psnr_text(found.psnr_db),
                "mean": f"{number_text(found.mean)} {unit}",
                "rms": f"{number_text(found.rms)} {unit}",
                "median": f"{number_text(found.median)} {unit}",
                "p99": f"{number_text(found.p99)} {unit}",
                "largest": f"{number_text(found.largest)} {unit}",
            }
        for name, label in self._figures.items():
            label.setText(texts[name])

    def _show_map(self, on: bool) -> None:
        if self._showing:
            return
        if on:
            self.wanted.emit({"right": "error"})
            return
        left = "carrier" if self._state.left == "error" else self._state.left
        right = "restored" if self._state.right == "error" else self._state.right
        self.wanted.emit({"left": left, "right": right})

    def _set_map(self, _index: int) -> None:
        name = self.map.currentData()
        if self._state.errors.signed:
            self._want(diverging=name)
        else:
            self._want(sequential=name)

    def _want(self, **differences: object) -> None:
        if not self._showing:
            errors = replace(self._state.errors, **differences)  # type: ignore[arg-type]
            self.wanted.emit({"errors": errors})


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _box(name: str, values: tuple[str, ...], texts: tuple[str, ...]) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    for value, text in zip(values, texts, strict=True):
        box.addItem(text, value)
    return box
