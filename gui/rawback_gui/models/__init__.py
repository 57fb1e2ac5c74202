# SPDX-License-Identifier: GPL-3.0-or-later
"""Values and arithmetic: what is shown, how it is rendered, what the figures say. No Qt."""

__all__: list[str] = []
