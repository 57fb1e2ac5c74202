# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line that does what the window shows."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rawback import MetadataChoice, Rate, Tune

__all__ = ["embed_command", "restore_command"]


def embed_command(
    raw: Path,
    jpeg: Path,
    rate: Rate,
    *,
    keep: bool | str = False,
    metadata: MetadataChoice = "auto",
    tune: Tune = "visual",
    verify: bool = True,
) -> str:
    """The ``rawback embed`` that makes the same payload.

    Args:
        raw: The raw file.
        jpeg: The JPEG.
        rate: Of the payload.
        keep: Whether the raw file itself is kept, and "store" if it may be stored whole.
        metadata: What the payload tells of the raw.
        tune: What errors are small for.
        verify: Whether what was written is read back.
    """
    options = {
        "quality": ["-q", f"{rate.value:g}"],
        "size": ["--size", f"{rate.value:.0f}"],
        "bpp": ["--bpp", f"{rate.value:g}"],
        "psnr": ["--psnr", f"{rate.value:g}"],
        "lossless": ["--lossless"],
    }
    more = [] if not keep else ["--store-original" if keep == "store" else "--original"]
    # Defaults are left out.
    more += [] if metadata == "auto" else ["--metadata", metadata]
    more += [] if tune == "visual" else ["--tune", tune]
    more += [] if verify else ["--no-verify"]
    return shlex.join(["rawback", "embed", str(raw), str(jpeg), *options[rate.kind], *more])


def restore_command(carrier: Path) -> str:
    """The ``rawback restore`` that makes the same DNG."""
    return shlex.join(["rawback", "restore", str(carrier)])
