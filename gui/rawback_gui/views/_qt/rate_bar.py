# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar below the pictures: the slider, what it buys, and the curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from rawback_gui.models.rates import Figures, RateScale, Tick, bytes_text, psnr_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.curve_plot import CurvePlot
from rawback_gui.views._qt.rate_slider import RateSlider
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from rawback import Curve

__all__ = ["RateBar"]


class RateBar(QFrame):
    """Slider, figures, typed entry, curve.

    Signals:
        stepped: The next smaller payload (-1) or the next larger one (1) is wanted.
        size_chosen: A size in bytes that people ask for.
        entered: A rate that was typed.
        save_wanted: The carrier is to be saved.
    """

    stepped = pyqtSignal(int)
    size_chosen = pyqtSignal(float)
    entered = pyqtSignal(str)
    save_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = RateSlider()
        self.curve = CurvePlot()
        self.entry = QLineEdit()
        self.entry.setObjectName("entry")
        self.entry.setPlaceholderText(tr("200 kB, 0.1 bpp, 48 dB"))
        self.entry.setAccessibleName(tr("Type a size, bits per pixel or decibels"))
        self.entry.setClearButtonEnabled(True)
        self.entry.setAcceptDrops(False)
        self.entry.setFixedWidth(
            self.fontMetrics().horizontalAdvance("200 kB, 0.1 bpp, 48 dB") + 48
        )
        self.save = QPushButton(tr("Save carrier\u2026"))
        self.save.setAccessibleName(tr("Save the carrier"))
        self._values: dict[str, QLabel] = {}
        figures = QGridLayout()
        figures.setHorizontalSpacing(22)
        figures.setVerticalSpacing(0)
        names = (
            ("size", tr("Payload")),
            ("bpp", tr("Bits per pixel")),
            ("share", tr("Of the raw file")),
            ("psnr", tr("PSNR")),
            ("sigma", tr("Error / noise")),
        )
        for column, (name, text) in enumerate(names):
            caption = Caption(text)
            value = QLabel("\u2013")
            value.setAccessibleName(text)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            font = value.font()
            font.setBold(True)
            font.setPointSizeF(font.pointSizeF() * 1.3)
            value.setFont(font)
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("\u2248 000.0 kB"))
            figures.addWidget(caption, 0, column)
            figures.addWidget(value, 1, column)
            self._values[name] = value
        row = QHBoxLayout()
        row.addLayout(figures)
        row.addStretch()
        row.addWidget(self.entry)
        row.addWidget(self.save)
        left = QVBoxLayout()
        left.addStretch()
        left.addLayout(row)
        left.addSpacing(10)
        left.addWidget(self.slider)
        left.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 0)
        layout.addLayout(left, 1)
        layout.addWidget(self.curve)
        self.slider.chosen.connect(self.size_chosen)
        self.slider.stepped.connect(self.stepped)
        self.curve.chosen.connect(self.size_chosen)
        self.entry.returnPressed.connect(lambda: self.entered.emit(self.entry.text()))
        self.save.clicked.connect(self.save_wanted)
        self.show_rate(None, None, ())

    def ask(self) -> None:
        """Let people type a rate."""
        self.entry.setFocus()
        self.entry.selectAll()

    def show_rate(
        self, curve: Curve | None, figures: Figures | None, ticks: tuple[Tick, ...]
    ) -> None:
        """Show what the rate buys, as far as it is known."""
        scale = RateScale.of(curve) if curve is not None and len(curve.points) > 1 else None
        size = 0.0 if figures is None else figures.payload_bytes
        self.slider.show_rate(scale if figures is not None else None, size, ticks)
        self.curve.show_curve(curve, figures)
        self.entry.setEnabled(scale is not None)
        texts = dict.fromkeys(self._values, "\u2013")
        if figures is not None:
            about = "" if figures.measured else "\u2248 "
            texts = {
                "size": about + bytes_text(figures.payload_bytes),
                "bpp": about + f"{figures.bpp:.3f}",
                "share": about + f"{100 * figures.share:.3g} %",
                "psnr": about * (figures.error_over_sigma > 0) + psnr_text(figures.psnr_db),
                "sigma": about * (figures.error_over_sigma > 0)
                + f"{figures.error_over_sigma:.2f} \u03c3",
            }
        for name, label in self._values.items():
            label.setText(texts[name])
            label.setToolTip(
                tr("Measured on the payload that was made.")
                if figures is not None and figures.measured
                else tr("From the curve; the very figures follow when the slider rests.")
            )
