"""Packed shots as files, and which of them are kept for validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_held_out", "number_of", "packed", "shard_of"]

_EVERY = 16
_PREFIX = "shot"


def is_held_out(number: int) -> bool:
    """Whether a shot, or a photograph to make shots of, is never trained on."""
    return number % _EVERY == 0


def shard_of(folder: Path, number: int) -> Path:
    """The file of a shot."""
    return folder / f"{_PREFIX}{number:05d}.safetensors"


def number_of(shard: Path) -> int:
    """The number of the shot in a file."""
    return int(shard.stem.removeprefix(_PREFIX))


def packed(folder: Path, *, held_out: bool) -> list[Path]:
    """The shots in a folder that are held out, or those that are not."""
    shards = sorted(folder.glob(f"{_PREFIX}*.safetensors"))
    return [shard for shard in shards if is_held_out(number_of(shard)) == held_out]
