# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages over the canvas, which move nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPalette
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from rawback_gui.models.notices import Notice, NoticeKind, Remedy, remedy_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import FlatButton, PrimaryButton
from rawback_gui.views._qt.theme import recolour

if TYPE_CHECKING:
    from PyQt6.QtGui import QEnterEvent, QPaintEvent

__all__ = ["Toast", "Toasts"]

_BACKGROUND, _TEXT = QColor(22, 22, 24, 242), QColor(255, 255, 255)
_STRIPES: dict[NoticeKind, QColor] = {
    "done": QColor(64, 184, 96),
    "note": QColor(96, 168, 236),
    "refused": QColor(244, 164, 48),
}
_LASTING_MS: dict[NoticeKind, int] = {"done": 5000, "note": 8000, "refused": 0}
_WIDEST, _MARGIN, _GAP = 560, 12, 8
_LEFT, _RIGHT = 18, 6


class Toast(QFrame):
    """One message.

    Signals:
        dismissed: It has been read, or its time is over.
        remedy_wanted: A `Remedy` that people choose.
    """

    dismissed = pyqtSignal()
    remedy_wanted = pyqtSignal(object)

    def __init__(self, notice: Notice, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.text = QLabel(notice.text)
        self.text.setObjectName("message")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        recolour(self.text, {QPalette.ColorRole.WindowText: _TEXT, QPalette.ColorRole.Text: _TEXT})
        self.close_button = FlatButton(tr("Dismiss"), icon="close", on_canvas=True)
        self.close_button.clicked.connect(self.dismissed)
        top = QHBoxLayout()
        top.addWidget(self.text, 1)
        top.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(_LEFT, 6, _RIGHT, 6)
        column.setSpacing(4)
        column.addLayout(top)
        self.remedies: dict[str, FlatButton] = {}
        if notice.remedies:
            column.addLayout(self._buttons(notice.remedies))
        self.setAccessibleName(notice.text)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LASTING_MS[notice.kind])
        self._timer.timeout.connect(self.dismissed)
        self._start()

    def _buttons(self, remedies: tuple[Remedy, ...]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addStretch()
        for number, remedy in enumerate(remedies):
            text = remedy_text(remedy.name)
            kind = PrimaryButton if number == 0 else FlatButton
            button = kind(text, text=text, on_canvas=True)
            button.clicked.connect(lambda _on, remedy=remedy: self.remedy_wanted.emit(remedy))
            row.addWidget(button)
            self.remedies[remedy.name] = button
        return row

    def fit(self, room: int) -> None:
        """Take the size that the text needs within a width."""
        width = min(room, _WIDEST)
        natural = self.text.fontMetrics().horizontalAdvance(self.notice.text) + 80
        buttons = sum(button.sizeHint().width() + 6 for button in self.remedies.values()) + 40
        width = min(width, max(natural, buttons, 200))
        self.setFixedWidth(width)
        # A label that wraps asks for more lines than it needs; the toast counts them itself.
        close = self.close_button.sizeHint()
        room_for_text = width - _LEFT - _RIGHT - close.width() - _GAP
        flags = int(Qt.TextFlag.TextWordWrap)
        box = self.text.fontMetrics().boundingRect(
            0, 0, room_for_text, 10_000, flags, self.notice.text
        )
        self.text.setFixedHeight(max(box.height() + 2, close.height()))
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.setFixedHeight(self.sizeHint().height())

    def _start(self) -> None:
        if self._timer.interval():
            self._timer.start()

    def enterEvent(self, event: QEnterEvent | None) -> None:
        # What is being read does not go away.
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent | None) -> None:
        self._start()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_BACKGROUND)
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        painter.setBrush(_STRIPES[self.notice.kind])
        painter.drawRoundedRect(QRectF(5, 8, 4, self.height() - 16), 2, 2)
        painter.end()


class Toasts(QObject):
    """The messages at the foot of a widget.

    Signals:
        dismissed: A `Notice` has been read.
        remedy_wanted: A `Remedy` that people choose, and its `Notice`.
    """

    dismissed = pyqtSignal(object)
    remedy_wanted = pyqtSignal(object, object)

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.toasts: list[Toast] = []
        self._foot = 0
        host.installEventFilter(self)

    def show_notices(self, notices: tuple[Notice, ...]) -> None:
        """Show these messages, the latest at the bottom."""
        for toast in self.toasts:
            if not any(toast.notice is notice for notice in notices):
                toast.hide()
                toast.deleteLater()
        there = {id(toast.notice): toast for toast in self.toasts}
        self.toasts = [there.get(id(notice)) or self._made(notice) for notice in notices]
        self._arrange()

    def set_foot(self, height: int) -> None:
        """Leave so many pixels free below the messages."""
        if height != self._foot:
            self._foot = height
            self._arrange()

    def _made(self, notice: Notice) -> Toast:
        toast = Toast(notice, self._host)
        toast.dismissed.connect(lambda: self.dismissed.emit(notice))
        toast.remedy_wanted.connect(lambda remedy: self.remedy_wanted.emit(remedy, notice))
        return toast

    def _arrange(self) -> None:
        bottom = self._host.height() - _MARGIN - self._foot
        for toast in reversed(self.toasts):
            toast.fit(self._host.width() - 2 * _MARGIN)
            bottom -= toast.height()
            toast.move((self._host.width() - toast.width()) // 2, bottom)
            bottom -= _GAP
            toast.show()
            toast.raise_()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)
