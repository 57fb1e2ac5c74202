"""``python -m rawback_darktable``: the command."""

from __future__ import annotations

import sys

from rawback_darktable.command import main

sys.exit(main())
