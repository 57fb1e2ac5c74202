# SPDX-License-Identifier: GPL-3.0-or-later
"""The app in Qt 6."""

__all__: list[str] = []
