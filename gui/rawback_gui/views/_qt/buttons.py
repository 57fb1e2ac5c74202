# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons with an icon or a text that stand alone or side by side, and the one for the main act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen
from PyQt6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from rawback_gui.views._qt.icons import IconName, paint_icon
from rawback_gui.views._qt.theme import PILL, PILL_TEXT, theme_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtGui import QPaintEvent

__all__ = ["FlatButton", "PrimaryButton", "Segmented"]

_HEIGHT = 28
_ICON = 16
_ROUND = 5.0

_Value = TypeVar("_Value", bound=str)


class FlatButton(QAbstractButton):
    """An icon, a text, or both."""

    def __init__(
        self,
        name: str,
        *,
        icon: IconName | None = None,
        text: str = "",
        on_canvas: bool = False,
        framed: bool | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Make a button.

        Args:
            name: For screen readers, and for the tooltip where there is no text.
            icon: Its icon, if it has one.
            text: Its text, if it has one.
            on_canvas: Whether it lies on a picture, dark in both themes.
            framed: Whether it has a frame; by default if it has a text.
            parent: Its parent.
        """
        super().__init__(parent)
        self._icon = icon
        self._on_canvas = on_canvas
        self._framed = bool(text) if framed is None else framed
        self._first = self._last = True
        self.setText(text)
        self.setAccessibleName(name)
        if not text:
            self.setToolTip(name)
        # A click must not take the keys away from the canvas.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_ends(self, *, first: bool, last: bool) -> None:
        """Say which ends are round: those that touch no neighbour."""
        self._first, self._last = first, last

    def sizeHint(self) -> QSize:
        width = 0
        if self._icon is not None:
            width += _ICON
        if self.text():
            text = QFontMetrics(self.font()).horizontalAdvance(self.text())
            width += text + (6 if self._icon is not None else 0)
        padding = 16 if self._icon is not None and not self.text() else 20
        return QSize(width + padding, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = theme_of(self)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = _shape(area, first=self._first, last=self._last)
        text = PILL_TEXT if self._on_canvas else theme.text
        if self._on_canvas:
            painter.fillPath(shape, PILL)
        if self.isChecked():
            painter.fillPath(shape, theme.accent)
            text = theme.on_accent
        elif self.isDown() or (self.underMouse() and self.isEnabled()):
            veil = QColor(text)
            veil.setAlpha(60 if self.isDown() else 30)
            painter.fillPath(shape, veil)
        if self._framed:
            painter.setPen(QPen(theme.border, 1))
            painter.drawPath(shape)
        if not self.isEnabled():
            text = QColor(text)
            text.setAlpha(110)
        if self.hasFocus():
            painter.setPen(QPen(PILL_TEXT if self._on_canvas else theme.accent_line, 1.5))
            painter.drawPath(shape)
        self._paint_content(painter, QRectF(self.rect()), text)
        painter.end()

    def _paint_content(self, painter: QPainter, area: QRectF, colour: QColor) -> None:
        if self._icon is not None:
            icon = QRectF(0, 0, _ICON, _ICON)
            icon.moveCenter(area.center())
            if self.text():
                icon.moveLeft(area.left() + 9)
                area = area.adjusted(_ICON + 6, 0, 0, 0)
            paint_icon(painter, self._icon, icon, colour)
        if self.text():
            painter.setPen(colour)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextHideMnemonic
            painter.drawText(area, int(flags), self.text())


class PrimaryButton(FlatButton):
    """The button for what people come for."""

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = theme_of(self)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        shape = _shape(area, first=self._first, last=self._last)
        fill = QColor(theme.accent if self.isEnabled() else theme.track)
        if self.isDown():
            fill = fill.darker(115)
        elif self.underMouse() and self.isEnabled():
            fill = fill.darker(107)
        painter.fillPath(shape, fill)
        text = QColor(theme.on_accent) if self.isEnabled() else theme.faint
        if self.hasFocus():
            painter.setPen(QPen(theme.text, 1.5))
            painter.drawPath(shape)
        self._paint_content(painter, QRectF(self.rect()), text)
        painter.end()

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(6, 4)


class Segmented(QWidget, Generic[_Value]):
    """Buttons side by side, of which one is active."""

    def __init__(
        self,
        segments: tuple[tuple[_Value, str, IconName | None, str], ...],
        chosen: Callable[[_Value], None],
        *,
        on_canvas: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Make the buttons.

        Args:
            segments: Value, name, icon and text of each.
            chosen: Called with the value that people choose.
            on_canvas: Whether it lies on a picture.
            parent: Its parent.
        """
        super().__init__(parent)
        self.buttons: dict[_Value, FlatButton] = {}
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for value, name, icon, text in segments:
            button = FlatButton(name, icon=icon, text=text, on_canvas=on_canvas, framed=False)
            button.setCheckable(True)
            button.clicked.connect(lambda _on, value=value: chosen(value))
            self._group.addButton(button)
            row.addWidget(button)
            self.buttons[value] = button
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._round_ends()

    def show_value(self, value: _Value) -> None:
        """Show which one is active."""
        self.buttons[value].setChecked(True)

    def show_available(self, there: frozenset[_Value], enabled: frozenset[_Value]) -> None:
        """Show some of the buttons, and let some of these be chosen."""
        for value, button in self.buttons.items():
            button.setVisible(value in there)
            button.setEnabled(value in enabled)
        self._round_ends()
        self.adjustSize()

    def _round_ends(self) -> None:
        shown = [button for button in self.buttons.values() if not button.isHidden()]
        for number, button in enumerate(shown):
            button.set_ends(first=number == 0, last=number == len(shown) - 1)
            button.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme_of(self).border, 1))
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawPath(_shape(area, first=True, last=True))
        painter.end()


def _shape(area: QRectF, *, first: bool, last: bool) -> QPainterPath:
    """A rectangle with the corners of its free ends rounded."""
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    path.addRoundedRect(area, _ROUND, _ROUND)
    if not first:
        path.addRect(area.adjusted(0, 0, -area.width() / 2, 0))
    if not last:
        path.addRect(area.adjusted(area.width() / 2, 0, 0, 0))
    return path.simplified()
