# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on threads, and what follows from what: opening, previewing, coding, batches. No Qt."""

__all__: list[str] = []
