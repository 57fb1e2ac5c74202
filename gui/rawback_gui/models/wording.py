# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the user's language; the views say who translates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["tr", "translate_with"]


class _Translator:
    def __init__(self) -> None:
        self.translate: Callable[[str], str] = str


_TRANSLATOR = _Translator()


def translate_with(translate: Callable[[str], str]) -> None:
    """Let something else translate from now on."""
    _TRANSLATOR.translate = translate


def tr(text: str) -> str:
    """A text in the user's language; as it is, as long as nobody translates."""
    return _TRANSLATOR.translate(text)
