# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the payload: its curve, a typed rate, and what experts want to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from rawback_gui.models.contents import contents_of
from rawback_gui.models.state import ViewState
from rawback_gui.models.texts import bits_text, percent_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.curve_plot import CurvePlot
from rawback_gui.views._qt.panel_parts import heading
from rawback_gui.views._qt.payload_choices import metadata_chooser, tune_chooser
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from rawback import CarrierInfo, MetadataChoice, Overlay, Tune
    from rawback_gui.controllers.rating import RateControl

__all__ = ["PayloadPanel"]

_DASH = "\u2013"
_PUSHED = 2.0
"""Stops at which it is told what is seen."""

_VALUE_WIDTH = 180
"""Pixels that a value of a carrier's contents has at least."""


def _visible_text(rates: RateControl) -> str:
    """How different both raws look at 1:1, once that is measured."""
    made = rates.made
    if made is None:
        return _DASH
    for error in made.result.visible:
        if error.view == "1:1" and error.exposure == _PUSHED:
            words = tr("hardly seen") if error.mean < 1 else tr("seen side by side")
            return f"{error.mean:.2f} \u0394E, {words}"
    return _DASH


class PayloadPanel(QWidget):
    """Curve, rate, sections, overlays; or the contents of a carrier.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
        size_chosen: A size in bytes that people ask for.
        entered: A rate that was typed.
        keep_file_wanted: Whether the raw file itself is to be kept.
        verify_wanted: Whether what is saved is to be read back and compared.
        expert_wanted: Whether figures for experts are to be shown.
    """

    wanted = pyqtSignal(dict)
    size_chosen = pyqtSignal(float)
    entered = pyqtSignal(str)
    keep_file_wanted = pyqtSignal(bool)
    verify_wanted = pyqtSignal(bool)
    expert_wanted = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewState()
        self._showing = False
        self.curve = CurvePlot()
        self.curve.chosen.connect(self.size_chosen)
        self.entry = QLineEdit()
        self.entry.setObjectName("entry")
        self.entry.setPlaceholderText(tr("200 kB, 0.1 bpp, 48 dB"))
        self.entry.setAccessibleName(tr("Type a size, bits per pixel or decibels"))
        self.entry.setClearButtonEnabled(True)
        # Files that are dropped on it are for the window.
        self.entry.setAcceptDrops(False)
        self.entry.returnPressed.connect(lambda: self.entered.emit(self.entry.text()))
        self.figures = {name: QLabel(_DASH) for name in ("bpp", "share", "visible")}
        self.keep_file = QCheckBox(tr("Keep the raw file itself"))
        self.keep_file.setToolTip(
            tr("Lossless, and some kilobytes more: the very file comes back, byte for byte.")
        )
        self.keep_file.toggled.connect(self._toggle_keep_file)
        self.metadata = metadata_chooser()
        self.verify = QCheckBox(tr("Verify what is saved"))
        self.verify.setToolTip(
            tr("The raw is restored from the written bytes and compared, before the file counts.")
        )
        self.verify.toggled.connect(self._toggle_verify)
        self.tune = tune_chooser()
        self.expert = QCheckBox(tr("Expert"))
        self.expert.setToolTip(
            tr("What errors are small for, where sections end, bits per tile, the coding order.")
        )
        self.expert.toggled.connect(self._toggle_expert)
        self._rate_part = self._make_rate_part()
        self._expert_part = QWidget()
        self._boxes: dict[str, QCheckBox] = {}
        self._overlays = QVBoxLayout(self._expert_part)
        self._overlays.setContentsMargins(18, 0, 0, 0)
        self._overlays.addWidget(self.tune)
        self._none = Caption(tr("Overlays follow once the payload is made."))
        self._none.setWordWrap(True)
        self._overlays.addWidget(self._none)
        self._contents_part = QWidget()
        self._contents = QFormLayout(self._contents_part)
        self._contents.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(self._rate_part)
        layout.addWidget(self._contents_part)
        layout.addWidget(self.expert)
        layout.addWidget(self._expert_part)
        layout.addStretch()
        self.show_contents(None, 0)
        self.show_expert(on=False)

    @property
    def boxes(self) -> dict[str, QCheckBox]:
        """Switches of overlays, by their names."""
        return self._boxes

    def _make_rate_part(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(heading(tr("PSNR over size")))
        column.addWidget(self.curve)
        form = QFormLayout()
        form.addRow(tr("Rate"), self.entry)
        for name, text in (
            ("bpp", tr("Bits per pixel")),
            ("share", tr("Of the raw file")),
            ("visible", tr("Seen at +2 EV")),
        ):
            label = self.figures[name]
            label.setAccessibleName(text)
            form.addRow(text, label)
        column.addLayout(form)
        column.addSpacing(6)
        column.addWidget(heading(tr("What is saved")))
        column.addWidget(self.keep_file)
        column.addWidget(self.verify)
        column.addWidget(self.metadata)
        return part

    def ask(self) -> None:
        """Let people type a rate."""
        self.entry.setFocus()
        self.entry.selectAll()

    def show_rates(self, rates: RateControl | None) -> None:
        """Show what the rate buys; None where there is nothing to choose."""
        self._rate_part.setVisible(rates is not None)
        self.tune.setVisible(rates is not None)
        if rates is None:
            return
        figures = rates.figures
        self.curve.show_curve(rates.curve, figures)
        self.entry.setEnabled(rates.scale is not None)
        self._showing = True
        self.keep_file.setChecked(bool(rates.keep_file))
        self.keep_file.setEnabled(rates.scale is not None)
        self._showing = False
        texts = dict.fromkeys(self.figures, _DASH)
        if figures is not None:
            about = "" if figures.measured else "\u2248 "
            texts = {
                "bpp": about + bits_text(figures.bpp),
                "share": about + percent_text(figures.share),
                "visible": _visible_text(rates),
            }
        for name, label in self.figures.items():
            label.setText(texts[name])

    def show_choices(self, metadata: MetadataChoice, tune: Tune, *, verify: bool) -> None:
        """Show what is chosen for all payloads.

        Args:
            metadata: What they tell of the raw.
            tune: What errors are small for.
            verify: Whether what is saved is read back and compared.
        """
        self.metadata.show_value(metadata)
        self.tune.show_value(tune)
        self._showing = True
        self.verify.setChecked(verify)
        self._showing = False

    def show_contents(self, info: CarrierInfo | None, jpeg_bytes: int) -> None:
        """Show what a carrier holds; None where there is none to look into."""
        self._contents_part.setVisible(info is not None)
        while self._contents.rowCount():
            self._contents.removeRow(0)
        if info is None:
            return
        title = heading(tr("What is inside"))
        self._contents.addRow(title)
        for name, value in contents_of(info, jpeg_bytes):
            label = QLabel(value)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            # A label that wraps asks for more lines than it needs.
            box = label.fontMetrics().boundingRect(
                0, 0, _VALUE_WIDTH, 10_000, int(Qt.TextFlag.TextWordWrap), value
            )
            label.setFixedHeight(box.height() + 2)
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            self._contents.addRow(Caption(name), label)

    def show_expert(self, *, on: bool) -> None:
        """Show figures for experts, or leave them out."""
        self._showing = True
        self.expert.setChecked(on)
        self._showing = False
        self._expert_part.setVisible(on)

    def show_overlays(self, state: ViewState, overlays: tuple[Overlay, ...]) -> None:
        """Show which overlays there are, and which are on."""
        self._state = state
        self._showing = True
        names = {overlay.name for overlay in overlays}
        for name in set(self._boxes) - names:
            box = self._boxes.pop(name)
            self._overlays.removeWidget(box)
            box.hide()
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
            box.setChecked(overlay.name in state.overlays)
        self._none.setVisible(not overlays)
        self._showing = False

    def _toggle(self, name: str, *, on: bool) -> None:
        if not self._showing:
            names = self._state.overlays | {name} if on else self._state.overlays - {name}
            self.wanted.emit({"overlays": frozenset(names)})

    def _toggle_keep_file(self, on: bool) -> None:
        if not self._showing:
            self.keep_file_wanted.emit(on)

    def _toggle_verify(self, on: bool) -> None:
        if not self._showing:
            self.verify_wanted.emit(on)

    def _toggle_expert(self, on: bool) -> None:
        if not self._showing:
            self.expert_wanted.emit(on)
