# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line that does what the window shows."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rawback import Rate

__all__ = ["embed_command", "restore_command"]


def embed_command(raw: Path, jpeg: Path, rate: Rate, *, keep: bool | str = False) -> str:
    """The ``rawback embed`` that makes the same payload.

    Args:
        raw: The raw file.
        jpeg: The JPEG.
        rate: Of the payload.
        keep: Whether the raw file itself is kept, and "store" if it may be stored whole.
    """
    options = {
        "quality": ["-q", f"{rate.value:g}"],
        "size": ["--size", f"{rate.value:.0f}"],
        "bpp": ["--bpp", f"{rate.value:g}"],
        "psnr": ["--psnr", f"{rate.value:g}"],
        "lossless": ["--lossless"],
    }
    kept = [] if not keep else ["--store-original" if keep == "store" else "--original"]
    return shlex.join(["rawback", "embed", str(raw), str(jpeg), *options[rate.kind], *kept])


def restore_command(carrier: Path) -> str:
    """The ``rawback restore`` that makes the same DNG."""
    return shlex.join(["rawback", "restore", str(carrier)])
