# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with files that were dropped or given: which raw goes with which JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["RAW_SUFFIXES", "Pair", "Sorted", "pair_up"]

_RAW_NAMES = (
    "3fr ari arw bay cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf "
    "pef ptx pxn raf raw rw2 rwl rwz sr2 srf srw x3f"
)

RAW_SUFFIXES = frozenset(f".{name}" for name in _RAW_NAMES.split())
"""By which raws are told from other files; LibRaw has the last word."""

JPEG_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif"))
_OURS = ".rawback"


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
        pairs: Those with a raw or a JPEG, in the order in which they were given.
        ignored: Files that are neither.
    """

    pairs: tuple[Pair, ...]
    ignored: tuple[Path, ...]


def pair_up(paths: Iterable[Path]) -> Sorted:
    """Sort files into shots by their names.

    A JPEG goes with the raw of the same name, upper and lower case and a ``.rawback`` aside, in
    the same folder first, else in any. One raw and one JPEG go together whatever their names.

    Args:
        paths: Files; folders stand for the files in them.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files_of(path)))
    raws = [path for path in files if path.suffix.lower() in RAW_SUFFIXES]
    jpegs = [path for path in files if path.suffix.lower() in JPEG_SUFFIXES]
    ignored = tuple(path for path in files if path not in raws and path not in jpegs)
    if len(raws) == len(jpegs) == 1:
        return Sorted((Pair(raws[0], jpegs[0]),), ignored)
    left = list(jpegs)
    pairs = []
    for raw in raws:
        fitting = [path for path in left if _stem(path) == _stem(raw)]
        # The plain export before a carrier that was made from it.
        fitting.sort(key=lambda path: (path.parent != raw.parent, _OURS in path.stem.lower()))
        if fitting:
            left.remove(fitting[0])
        pairs.append(Pair(raw, fitting[0] if fitting else None))
    pairs += [Pair(None, path) for path in left]
    order = {path: place for place, path in enumerate(files)}
    pairs.sort(key=lambda pair: min(order[path] for path in pair.files))
    return Sorted(tuple(pairs), ignored)


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    return [path]


def _stem(path: Path) -> str:
    return path.stem.lower().removesuffix(_OURS)
