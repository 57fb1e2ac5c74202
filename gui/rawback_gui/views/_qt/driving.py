# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the window from a script: the hand's moves, waiting for things, and what is seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt
from PyQt6.QtGui import QImage, QMouseEvent
from PyQt6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback_gui.models.state import Source
    from rawback_gui.views._qt.window import MainWindow

__all__ = ["compares", "drag", "drawn", "grabbed", "settled", "shows", "wait_until"]

_MILLISECONDS = 5


def wait_until(condition: Callable[[], bool], seconds: float = 400.0) -> float:
    """Let the window live until something holds.

    Args:
        condition: What has to hold.
        seconds: How long to wait for it.

    Returns:
        The seconds it took.

    Raises:
        TimeoutError: It does not hold.
    """
    started = time.perf_counter()
    while not condition():
        if time.perf_counter() - started > seconds:
            message = f"the window was waited for {seconds} s in vain"
            raise TimeoutError(message)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, _MILLISECONDS)
        time.sleep(_MILLISECONDS / 5000)
    return time.perf_counter() - started


def drawn(window: MainWindow, seconds: float = 400.0) -> float:
    """Wait for pictures of the state and the rate as they are, of no earlier wish."""
    return wait_until(lambda: window.workspace.drawn, seconds)


def shows(window: MainWindow, *sources: Source) -> bool:
    """Whether the window shows pictures of all these sources."""
    return set(sources) <= set(window.workspace.pictures.sources)


def compares(window: MainWindow) -> bool:
    """Whether the window shows the JPEG beside a raw."""
    there = set(window.workspace.pictures.sources)
    return "carrier" in there and bool(there & {"original", "restored"})


def settled(window: MainWindow) -> bool:
    """Whether the payload at the rate was made and everything is shown as it restores."""
    space, rates = window.workspace, window.workspace.rates
    measured = rates.made is not None and rates.curve is not None and rates.curve.complete
    return measured and space.feedback.progress is None and space.drawn


def drag(widget: QWidget, start: QPoint, end: QPoint, *, shift: bool = False) -> None:
    """Press the left button, move, and let go."""
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    moves = (
        (QEvent.Type.MouseButtonPress, start, left, left),
        (QEvent.Type.MouseMove, (start + end) / 2, none, left),
        (QEvent.Type.MouseMove, end, none, left),
        (QEvent.Type.MouseButtonRelease, end, left, none),
    )
    for kind, place, button, held in moves:
        at = (QPointF(place), QPointF(widget.mapToGlobal(place)))
        QApplication.sendEvent(widget, QMouseEvent(kind, *at, button, held, keys))


def grabbed(widget: QWidget) -> NDArray[np.uint8]:
    """What a widget looks like: uint8 ``[height, width, 3]``, sRGB, in device pixels."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    data = bits.asstring(image.sizeInBytes()) if bits else b""
    rows = np.frombuffer(data, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
