# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with files that were dropped or given: which raw goes with which JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import rawback

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Pair", "Sorted", "pair_up"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Files of one shot: a raw, its JPEG, or both."""

    raw: Path | None = None
    jpeg: Path | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return " + ".join(path.name for path in (self.raw, self.jpeg) if path is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files, the raw first."""
        return tuple(path for path in (self.raw, self.jpeg) if path is not None)


@dataclass(frozen=True, slots=True)
class Sorted:
    """Files by shot.

    Attributes:
        pairs: Those with a raw or a JPEG, in the order of their names.
        ignored: Files that are neither, or are not there.
    """

    pairs: tuple[Pair, ...]
    ignored: tuple[Path, ...]


def pair_up(paths: Iterable[Path]) -> Sorted:
    """Sort files into shots, as `rawback.pair_up` does.

    One raw and one JPEG go together whatever their names. Raws and JPEGs that are alone, or whose
    counterpart cannot be told, are shots of their own.

    Args:
        paths: Files; folders stand for the files in them.
    """
    given = list(paths)
    found = rawback.pair_up(path for path in given if path.exists())
    raws = {*found.raws, *(raw for item in found.ambiguous for raw in item.raws)}
    jpegs = {*found.jpegs, *found.carriers, *(item.jpeg for item in found.ambiguous)}
    raws -= {pair.raw for pair in found.pairs}
    if not found.pairs and len(raws) == len(jpegs) == 1:
        pairs = [Pair(raws.pop(), jpegs.pop())]
    else:
        pairs = [Pair(pair.raw, pair.jpeg) for pair in found.pairs]
        pairs += [Pair(raw, None) for raw in raws] + [Pair(None, jpeg) for jpeg in jpegs]
    pairs.sort(key=lambda pair: [str(file).casefold() for file in pair.files])
    missing = tuple(path for path in given if not path.exists())
    return Sorted(tuple(pairs), (*found.ignored, *missing))
