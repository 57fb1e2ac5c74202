"""Sums of the files that the library carries, as ``sha256sum *.safetensors`` writes them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_sums"]


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS``, without which the library refuses the files beside it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.glob("*.safetensors"))
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), "ascii")
