# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m rawback_gui [FILES]``: the app."""

from __future__ import annotations

import sys

from rawback_gui.views._qt.app import main

if __name__ == "__main__":
    sys.exit(main())
