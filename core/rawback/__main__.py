"""``python -m rawback``: the command line."""

from __future__ import annotations

import sys

from rawback.cli import main

sys.exit(main())
