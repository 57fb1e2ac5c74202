# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of errors: what is shown and how, and the figures of a region."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from rawback_gui.models.colormaps import DIVERGING, SEQUENTIAL, map_title
from rawback_gui.models.errormap import KINDS, UNITS, Statistics
from rawback_gui.models.planes import ALL
from rawback_gui.models.state import ViewState
from rawback_gui.models.texts import number_text, psnr_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.colorbar import ColorBar, Histogram
from rawback_gui.views._qt.panel_parts import choice, heading
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from rawback_gui.controllers.pictures import ErrorScale

__all__ = ["ErrorPanel"]

_DASH = "\u2013"


class ErrorPanel(QWidget):
    """What errors are shown and how, and the figures of a region.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
    """

    wanted = pyqtSignal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewState()
        self._scale: ErrorScale | None = None
        self._showing = False
        self.shown = QCheckBox(tr("Show the error map"))
        self.kind = choice(
            tr("Kind of error"),
            KINDS,
            (tr("Absolute"), tr("Signed"), tr("Relative"), tr("As it is seen")),
        )
        self.kind.setItemData(
            KINDS.index("visible"),
            tr("Colour difference at 1:1, at the exposure that is set; about 1 is just seen."),
            Qt.ItemDataRole.ToolTipRole,
        )
        self.unit = choice(tr("Unit"), UNITS, (tr("Digital numbers"), tr("EV"), tr("Noise sigma")))
        self.channel = choice(tr("CFA channel"), (ALL,), (tr("All"),))
        self.map = choice(tr("Color map"), (), ())
        self.log = QCheckBox(tr("Logarithmic"))
        self.lock = QCheckBox(tr("Lock range"))
        self.lock.setToolTip(tr("Keep the range at other rates, so that colors can be compared."))
        self.bar = ColorBar()
        self.histogram = Histogram()
        self.place = Caption()
        self.figures: dict[str, QLabel] = {}
        form = QFormLayout()
        form.addRow(tr("Error"), self.kind)
        form.addRow(tr("Unit"), self.unit)
        form.addRow(tr("Channel"), self.channel)
        form.addRow(tr("Colors"), self.map)
        switches = QHBoxLayout()
        switches.addWidget(self.log)
        switches.addStretch()
        switches.addWidget(self.lock)
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(self.shown)
        layout.addLayout(form)
        layout.addLayout(switches)
        layout.addWidget(self.bar)
        layout.addSpacing(4)
        layout.addWidget(heading(tr("Region")))
        layout.addWidget(self.place)
        layout.addLayout(self._grid())
        layout.addWidget(self.histogram)
        layout.addStretch()
        self._connect()

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        names = (
            ("samples", tr("Samples")),
            ("psnr", tr("PSNR")),
            ("rms", tr("RMS")),
            ("bias", tr("Bias")),
            ("mean", tr("Mean")),
            ("median", tr("Median")),
            ("p99", tr("99 %")),
            ("largest", tr("Largest")),
        )
        tips = {
            "bias": tr("Mean of the errors with their signs."),
            "mean": tr("Mean of the errors as they are shown."),
            "median": tr("Median of the errors\u2019 sizes."),
            "p99": tr("99 of 100 errors are smaller than this."),
        }
        for index, (name, text) in enumerate(names):
            value = QLabel(_DASH)
            value.setAccessibleName(text)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setToolTip(tips.get(name, ""))
            row, column = index // 2, index % 2 * 2
            grid.addWidget(QLabel(text), row, column)
            grid.addWidget(value, row, column + 1)
            self.figures[name] = value
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        grid.setHorizontalSpacing(8)
        return grid

    def _connect(self) -> None:
        self.shown.toggled.connect(self._show_map)
        self.kind.activated.connect(lambda _i: self._want(kind=self.kind.currentData(), top=None))
        self.unit.activated.connect(lambda _i: self._want(unit=self.unit.currentData(), top=None))
        self.channel.activated.connect(lambda _i: self._want(channel=self.channel.currentData()))
        self.map.activated.connect(self._set_map)
        self.log.toggled.connect(lambda on: self._want(log=on))
        self.lock.toggled.connect(self._lock)
        self.bar.chosen.connect(lambda top: self._want(top=top))

    def show_state(self, state: ViewState, scale: ErrorScale | None, *, updating: bool) -> None:
        """Show a state.

        Args:
            state: What is wanted.
            scale: Of the map that is on the screen; None without one.
            updating: Whether that map is of another state, with the next on its way.
        """
        self._state, self._scale = state, scale
        view = state.errors
        self._showing = True
        self.shown.setChecked("error" in (state.left, state.right))
        self.kind.setCurrentIndex(KINDS.index(view.kind))
        self.unit.setCurrentIndex(UNITS.index(view.unit))
        self.unit.setEnabled(view.kind in ("absolute", "signed"))
        self.channel.setEnabled(view.kind != "visible" and self.channel.count() > 1)
        self.channel.setCurrentIndex(max(self.channel.findData(view.channel), 0))
        maps = DIVERGING if view.signed else SEQUENTIAL
        if tuple(self.map.itemData(i) for i in range(self.map.count())) != maps:
            self.map.clear()
            for name in maps:
                self.map.addItem(map_title(name), name)
        self.map.setCurrentIndex(maps.index(view.colormap))
        self.log.setChecked(view.log)
        self.lock.setChecked(view.top is not None)
        # The bar tells of the map that is seen, not of the one that is on its way.
        if scale is not None:
            self.bar.show_scale(scale.view, scale.top, updating=updating)
        else:
            self.bar.show_scale(view, view.top or 1.0, updating=updating)
        self._showing = False

    def show_channels(self, channels: tuple[str, ...]) -> None:
        """Offer the channels that the samples of a picture have."""
        if tuple(self.channel.itemData(i) for i in range(self.channel.count())) == channels:
            return
        self.channel.clear()
        for name in channels:
            self.channel.addItem(tr("All") if name == ALL else name, name)

    def show_statistics(
        self,
        found: Statistics | None,
        region: tuple[int, int, int, int] | None,
        unit: str,
    ) -> None:
        """Show the figures of the selected region.

        Args:
            found: The figures; None while there are none of what is shown.
            region: Left, top, width and height of the region; None without one.
            unit: Of the figures.
        """
        self.histogram.show_statistics(found, unit, waiting=region is not None)
        if region is None:
            self.place.setText(tr("Shift-drag over the picture, or press V."))
        else:
            left, top, width, height = region
            text = f"x {left}, y {top}, {width} \u00d7 {height}"
            self.place.setText(text if found is not None else text + tr(" \u00b7 updating"))
        texts = dict.fromkeys(self.figures, _DASH)
        if found is not None:
            texts = {
                "samples": f"{found.count:,}",
                "psnr": psnr_text(found.psnr_db),
                "mean": f"{number_text(found.mean)} {unit}",
                "bias": f"{number_text(found.bias)} {unit}",
                "rms": f"{number_text(found.rms)} {unit}",
                "median": f"{number_text(found.median)} {unit}",
                "p99": f"{number_text(found.p99)} {unit}",
                "largest": f"{number_text(found.largest)} {unit}",
            }
        for name, label in self.figures.items():
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

    def _lock(self, on: bool) -> None:
        if on and self._scale is not None:
            self._want(top=self._scale.top)
        elif not on:
            self._want(top=None)

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
