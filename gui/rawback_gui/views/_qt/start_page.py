# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window shows before anything is open, and while the first picture is being opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QIcon, QPainter, QPen, QPixmap
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from rawback_gui.models.filenames import shortened
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.sentence_line import ProgressLine
from rawback_gui.views._qt.theme import Elided, theme_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PyQt6.QtGui import QFont, QPaintEvent, QResizeEvent

    from rawback_gui.controllers.feedback import Progress
    from rawback_gui.models.pairing import Pair

__all__ = ["OpeningPart", "StartPage"]

_MOST_RECENT = 8
_ICON = 64
_CARD, _THUMBNAIL = QSize(168, 138), QSize(152, 102)
_COLUMNS = 4
_NAME_LENGTH = 22
_BAR = 360


def _title_font(label: QLabel) -> QFont:
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * 1.9)
    return font


class OpeningPart(QWidget):
    """What is being opened, how far that is, and a way out.

    Signals:
        cancel_wanted: It is not to be opened.
    """

    cancel_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = Elided(mode=Qt.TextElideMode.ElideMiddle, prominent=True)
        self.name.setObjectName("opening")
        self.name.setFont(_title_font(self.name))
        self.stage = Elided()
        self.stage.setObjectName("opening_stage")
        self.bar = ProgressLine()
        self.bar.setFixedWidth(_BAR)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.clicked.connect(self.cancel_wanted)
        for label in (self.name, self.stage):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.name)
        layout.addSpacing(10)
        layout.addWidget(self.bar, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(4)
        layout.addWidget(self.stage)
        layout.addSpacing(12)
        layout.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_progress(self, name: str, progress: Progress) -> None:
        """Show what is opened and how far that is."""
        self.name.set_text(tr("Opening {}").format(name))
        percent = f"{round(100 * progress.fraction)} %"
        self.stage.set_text(f"{progress.stage} \u00b7 {percent}")
        self.bar.show_fraction(progress.fraction)


class StartPage(QWidget):
    """An invitation, and what was open lately; or what is being opened.

    Signals:
        open_wanted: Files are to be chosen.
        recent_wanted: A `Pair` is to be opened again.
    """

    open_wanted = pyqtSignal()
    recent_wanted = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        icon = QLabel()
        icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        icon.setPixmap(QGuiApplication.windowIcon().pixmap(_ICON, _ICON))
        title = QLabel(tr("Drop a raw or its JPEG here"))
        title.setFont(_title_font(title))
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text = QLabel(
            tr(
                "The other one is found beside it. Then push the exposure and see what the JPEG "
                "alone has lost,\nand what it gets back. A JPEG that carries its raw opens too."
            )
        )
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text.setWordWrap(True)
        button = QPushButton(tr("Open\u2026"))
        button.setObjectName("open")
        button.setDefault(True)
        button.clicked.connect(self.open_wanted)
        self._cards = QGridLayout()
        self._cards.setSpacing(8)
        self._buttons: list[QToolButton] = []
        self._heading = QLabel(tr("Recent"))
        self._heading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.opening = OpeningPart()
        self.invitation = QWidget()
        inner = QVBoxLayout(self.invitation)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(title)
        inner.addSpacing(6)
        inner.addWidget(text)
        inner.addSpacing(12)
        inner.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addSpacing(16)
        inner.addWidget(self._heading)
        cards = QWidget()
        cards.setLayout(self._cards)
        inner.addWidget(cards, 0, Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 40, 40, 40)
        layout.addStretch(3)
        layout.addWidget(icon)
        layout.addSpacing(8)
        layout.addWidget(self.invitation)
        layout.addWidget(self.opening)
        layout.addStretch(4)
        self.show_opening("", None)
        self.show_recent((), lambda _pair: None)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme_of(self).border, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect().adjusted(20, 20, -20, -20)), 12, 12)
        painter.end()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._arrange()

    def show_opening(self, name: str, progress: Progress | None) -> None:
        """Show what is being opened in the place of the invitation.

        Args:
            name: Of its files.
            progress: How far that is; None for the invitation.
        """
        if progress is not None:
            self.opening.show_progress(name, progress)
        self.opening.setVisible(progress is not None)
        self.invitation.setVisible(progress is None)

    def show_recent(
        self, pairs: tuple[Pair, ...], thumbnail: Callable[[Pair], Path | None]
    ) -> None:
        """List what was open lately, as far as it is still there.

        Args:
            pairs: The last first.
            thumbnail: Where the small picture of a pair is, if there is one.
        """
        for old in self._buttons:
            self._cards.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._buttons = [self._card(pair, thumbnail(pair)) for pair in pairs[:_MOST_RECENT]]
        self._heading.setVisible(bool(self._buttons))
        self._arrange()

    def _card(self, pair: Pair, thumbnail: Path | None) -> QToolButton:
        card = QToolButton()
        card.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        card.setAutoRaise(True)
        card.setFixedSize(_CARD)
        card.setIconSize(_THUMBNAIL)
        picture = QPixmap() if thumbnail is None else QPixmap(str(thumbnail))
        if picture.isNull():
            picture = QPixmap(_THUMBNAIL)
            picture.fill(theme_of(self).track)
        card.setIcon(QIcon(picture))
        # An ampersand would mark a key.
        name = shortened(pair.files[0].name, _NAME_LENGTH) if pair.files else ""
        card.setText(name.replace("&", "&&"))
        card.setAccessibleName(tr("Open {} again").format(pair.name))
        card.setToolTip("\n".join(str(path) for path in pair.files))
        card.clicked.connect(lambda _on, pair=pair: self.recent_wanted.emit(pair))
        return card

    def _arrange(self) -> None:
        """As many rows as there is room for."""
        columns = max(min(_COLUMNS, (self.width() - 96) // (_CARD.width() + 8)), 1)
        rows = max((self.height() - 400) // (_CARD.height() + 8), 1)
        for number, card in enumerate(self._buttons):
            self._cards.removeWidget(card)
            shown = number < rows * columns
            # Without a parent it would be shown as a window.
            if shown:
                self._cards.addWidget(card, number // columns, number % columns)
            card.setVisible(shown)
