# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours that all widgets share, light or dark; the canvas is dark and neutral in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PyQt6.QtGui import QResizeEvent

__all__ = [
    "CANVAS",
    "PILL",
    "PILL_TEXT",
    "THEMES",
    "Caption",
    "Elided",
    "Theme",
    "ThemeName",
    "apply_theme",
    "contrast",
    "follow_system",
    "recolour",
    "small_font",
    "theme_of",
]

ThemeName: TypeAlias = Literal["system", "light", "dark"]
THEMES: tuple[ThemeName, ...] = ("system", "light", "dark")

CANVAS = QColor(38, 38, 38)
"""Behind pictures: neutral, so that it tints no judgement, and dark in both themes."""

_CHOSEN: list[ThemeName] = []
"""The theme that Qt was asked for; asking again would tell everybody that it has changed."""

PILL, PILL_TEXT = QColor(16, 16, 16, 214), QColor(255, 255, 255)
"""Labels on the canvas."""


@dataclass(frozen=True)
class Theme:
    """Colours of a theme.

    Attributes:
        dark: Whether it is the dark one.
        window: Behind everything.
        base: Behind text that is typed and lists.
        text: Of labels.
        faint: Of labels that are less prominent, readable all the same.
        border: Around fields.
        track: Of sliders and empty parts of plots.
        grid: Of plots.
        accent: Behind what is active; `on_accent` is readable on it.
        on_accent: Text on it.
        accent_line: Lines and words in the accent's colour, readable on `window`.
    """

    dark: bool
    window: QColor
    base: QColor
    text: QColor
    faint: QColor
    border: QColor
    track: QColor
    grid: QColor
    accent: QColor
    on_accent: QColor
    accent_line: QColor


_LIGHT = Theme(
    dark=False,
    window=QColor(243, 243, 242),
    base=QColor(255, 255, 255),
    text=QColor(28, 28, 30),
    faint=QColor(88, 88, 92),
    border=QColor(178, 178, 180),
    track=QColor(204, 204, 204),
    grid=QColor(226, 226, 224),
    accent=QColor(22, 104, 178),
    on_accent=QColor(255, 255, 255),
    accent_line=QColor(22, 104, 178),
)
_DARK = Theme(
    dark=True,
    window=QColor(46, 46, 47),
    base=QColor(34, 34, 35),
    text=QColor(236, 236, 237),
    faint=QColor(180, 180, 183),
    border=QColor(96, 96, 98),
    track=QColor(92, 92, 94),
    grid=QColor(68, 68, 70),
    accent=QColor(26, 108, 182),
    on_accent=QColor(255, 255, 255),
    accent_line=QColor(112, 182, 244),
)


def theme_of(widget: QWidget) -> Theme:
    """The colours that go with a widget's palette."""
    dark = widget.palette().color(QPalette.ColorRole.Window).lightness() < 128
    return _DARK if dark else _LIGHT


def apply_theme(name: ThemeName) -> None:
    """Use a theme everywhere.

    Args:
        name: Light, dark, or whatever the system has now.
    """
    hints = QGuiApplication.styleHints()
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    dark = name == "dark"
    if hints is not None:
        # Since Qt 6.8: windows' frames and the system's own dialogs follow too.
        choose = getattr(hints, "setColorScheme", None)
        if choose is not None and [name] != _CHOSEN:
            _CHOSEN[:] = [name]
            choose(schemes.get(name, Qt.ColorScheme.Unknown))
        if name == "system":
            dark = hints.colorScheme() == Qt.ColorScheme.Dark
    QApplication.setPalette(_palette(_DARK if dark else _LIGHT))


def follow_system(call: Callable[[], None]) -> None:
    """Call something whenever the system becomes light or dark."""
    hints = QGuiApplication.styleHints()
    if hints is not None:
        hints.colorSchemeChanged.connect(call)


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    button = theme.window.lighter(125) if theme.dark else QColor(252, 252, 252)
    for which, colour in {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.base,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.Button: button,
        role.ButtonText: theme.text,
        role.BrightText: theme.on_accent,
        role.ToolTipBase: theme.base,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.faint,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent_line,
        role.Light: theme.base if not theme.dark else theme.window.lighter(150),
        role.Midlight: theme.grid,
        role.Mid: theme.track,
        role.Dark: theme.border,
        role.Shadow: QColor(0, 0, 0, 160),
    }.items():
        palette.setColor(which, colour)
    dimmed = QColor(theme.faint)
    dimmed.setAlpha(150)
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, which, dimmed)
    palette.setColor(group.Disabled, role.Highlight, theme.track)
    return palette


def contrast(one: QColor, other: QColor) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2.1 defines it."""

    def luminance(colour: QColor) -> float:
        parts = (colour.redF(), colour.greenF(), colour.blueF())
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def recolour(widget: QWidget, colours: Mapping[QPalette.ColorRole, QColor]) -> None:
    """Give a widget some colours of its own; harmless where it has them already."""
    palette = widget.palette()
    if any(palette.color(role) != colour for role, colour in colours.items()):
        for role, colour in colours.items():
            palette.setColor(role, colour)
        widget.setPalette(palette)


class Caption(QLabel):
    """A label that is less prominent than others but as easy to read, in light and in dark."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._follow_theme()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._follow_theme()

    def _follow_theme(self) -> None:
        recolour(self, {QPalette.ColorRole.WindowText: theme_of(self.window() or self).faint})


class Elided(Caption):
    """A line that never asks for more room than there is; the tooltip has all of it."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        prominent: bool = False,
    ) -> None:
        """Make a line.

        Args:
            text: What it says.
            parent: Its parent.
            mode: Where to leave text out.
            prominent: Whether it is not to be paler than other text.
        """
        self._prominent = prominent
        super().__init__("", parent)
        self._whole = text
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)
        self.set_text(text)

    @property
    def whole(self) -> str:
        """All of the text."""
        return self._whole

    def set_text(self, text: str) -> None:
        """Show a text as far as there is room."""
        self._whole = text
        self.setAccessibleDescription(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._elide()

    def _follow_theme(self) -> None:
        if not self._prominent:
            super()._follow_theme()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(self.width(), 0))
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


def small_font(widget: QWidget, ratio: float = 1.0) -> tuple[QFont, QFontMetrics]:
    """The font of captions, and its metrics.

    Args:
        widget: Whose font it goes with.
        ratio: Device pixels per pixel of the painter, where that paints in device pixels.
    """
    font = QFont(widget.font())
    size = font.pointSizeF()
    if size > 0:
        font.setPointSizeF(size * 0.88 * ratio)
    return font, QFontMetrics(font)
