# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip below the pictures: what the payload takes, the slider, what it buys, and Save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from rawback_gui.models.slider import PRESETS, preset_text
from rawback_gui.models.texts import bytes_text, psnr_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import FlatButton, PrimaryButton
from rawback_gui.views._qt.rate_slider import RateSlider
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from rawback_gui.controllers.rating import RateControl
    from rawback_gui.models.rates import Figures

__all__ = ["STRIP_HEIGHT", "RateStrip"]

STRIP_HEIGHT = 64
_DASH = "\u2013"
_ABOUT = "\u2248 "


class RateStrip(QFrame):
    """Size, slider, figures, Save.

    Signals:
        action_wanted: The name of an action.
    """

    action_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(STRIP_HEIGHT)
        self.slider = RateSlider()
        self.size_value = QLabel(_DASH)
        self.size_value.setAccessibleName(tr("Payload"))
        font = self.size_value.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        font.setBold(True)
        self.size_value.setFont(font)
        self.size_value.setMinimumWidth(
            self.size_value.fontMetrics().horizontalAdvance("\u2248 000 kB")
        )
        self.size_caption = Caption(tr("of raw in the JPEG"))
        self.presets = FlatButton(tr("Presets"), icon="more", text=tr("Presets"))
        self._menu = QMenu(self.presets)
        for preset in PRESETS:
            action = QAction(preset_text(preset), self._menu)
            action.triggered.connect(
                lambda _on, name=f"preset_{preset}": self.action_wanted.emit(name)
            )
            self._menu.addAction(action)
        self._menu.addSeparator()
        entry = QAction(tr("Enter a rate\u2026"), self._menu)
        entry.triggered.connect(lambda: self.action_wanted.emit("enter_rate"))
        self._menu.addAction(entry)
        self.presets.clicked.connect(self._show_presets)
        self.psnr, self.noise = QLabel(_DASH), QLabel(_DASH)
        self.save = PrimaryButton(tr("Save the carrier"), text=tr("Save\u2026"))
        self.save.clicked.connect(lambda: self.action_wanted.emit("save"))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 14, 4)
        row.setSpacing(14)
        size = QVBoxLayout()
        size.setSpacing(0)
        size.addStretch()
        size.addWidget(self.size_value)
        size.addWidget(self.size_caption)
        size.addStretch()
        row.addLayout(size)
        row.addWidget(self.slider, 1)
        row.addWidget(self.presets)
        figures = QVBoxLayout()
        figures.addStretch()
        figures.addLayout(self._figures())
        figures.addStretch()
        row.addLayout(figures)
        row.addWidget(self.save)
        self.show_rates(None, ticks_shown=False)

    def _figures(self) -> QGridLayout:
        figures = QGridLayout()
        figures.setHorizontalSpacing(8)
        figures.setVerticalSpacing(2)
        for row, (label, value, tip) in enumerate(
            (
                (tr("PSNR"), self.psnr, tr("How near the restored raw is to the original.")),
                (
                    tr("Error / noise"),
                    self.noise,
                    tr("RMS error over the sensor\u2019s own noise; below 1 it hides in it."),
                ),
            )
        ):
            value.setAccessibleName(label)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("\u2248 00.00 dB"))
            caption = Caption(label)
            for widget in (caption, value):
                widget.setToolTip(tip)
            figures.addWidget(caption, row, 0)
            figures.addWidget(value, row, 1)
        return figures

    def _show_presets(self) -> None:
        height = self._menu.sizeHint().height()
        self._menu.popup(self.presets.mapToGlobal(self.presets.rect().topLeft()) - _down(height))

    def show_rates(self, rates: RateControl | None, *, ticks_shown: bool) -> None:
        """Show what the rate buys, as far as it is known.

        Args:
            rates: The rate and what is known of it; None where there is none.
            ticks_shown: Whether to mark where sections end.
        """
        scale = None if rates is None else rates.scale
        self.presets.setEnabled(scale is not None)
        self.save.setEnabled(scale is not None)
        if rates is None or scale is None:
            self.slider.show_scale(None, 0.0, (), (), "")
            self.slider.show_place(None, "")
            self._show_figures(None)
            return
        largest = None if rates.curve is None else rates.curve.largest
        lossless = ""
        if largest is not None and largest.exact:
            lossless = _ABOUT + bytes_text(largest.payload_bytes)
        if rates.made is not None and rates.made.result.exact:
            lossless = bytes_text(rates.made.result.payload_bytes)
        marks = scale.byte_marks(rates.curve)
        self.slider.show_scale(
            scale,
            scale.lowest(rates.curve),
            marks,
            rates.tick_places if ticks_shown else (),
            lossless,
        )
        figures = rates.figures
        self.slider.show_place(rates.place, _spoken(figures))
        self._show_figures(figures)

    def _show_figures(self, figures: Figures | None) -> None:
        size = psnr = noise = _DASH
        tip = tr("Measured when the slider rests.")
        if figures is not None:
            about = "" if figures.measured else _ABOUT
            size = about + bytes_text(figures.payload_bytes)
            exact = figures.error_over_sigma <= 0
            psnr = psnr_text(figures.psnr_db) if exact else about + psnr_text(figures.psnr_db)
            noise = "0" if exact else f"{about}{figures.error_over_sigma:.2f} \u03c3"
            tip = (
                tr("Measured on the payload that was made.")
                if figures.measured
                else tr("From the curve; the very figures follow when the slider rests.")
            )
        self.size_value.setText(size)
        self.size_value.setToolTip(tip)
        self.psnr.setText(psnr)
        self.noise.setText(noise)


def _spoken(figures: Figures | None) -> str:
    if figures is None:
        return ""
    return f"{bytes_text(figures.payload_bytes)}, {psnr_text(figures.psnr_db)}"


def _down(height: int) -> QPoint:
    return QPoint(0, height)
