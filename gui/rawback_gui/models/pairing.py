# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with files that were dropped or given: which raw goes with which JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import rawback

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Pair", "Sorted", "neighbour", "pair_up", "partner_of", "shots_in", "taken_by"]

_MOST_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Pair:
    """Files of one shot: a raw, its JPEG, or both."""

    raw: Path | None = None
    jpeg: Path | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return " + ".join(path.name for path in self.files)

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files, the raw first."""
        return tuple(path for path in (self.raw, self.jpeg) if path is not None)


@dataclass(frozen=True, slots=True)
class Sorted:
    """Files by shot.

    Attributes:
        pairs: Those with a raw or a JPEG, in the order of their names.
        ignored: Files that are neither.
        missing: Files that are not there.
    """

    pairs: tuple[Pair, ...]
    ignored: tuple[Path, ...]
    missing: tuple[Path, ...]


def pair_up(paths: Iterable[Path]) -> Sorted:
    """Sort files into shots, as `rawback.pair_up` does.

    One raw and one JPEG go together whatever their names. Raws and JPEGs that are alone, or whose
    counterpart cannot be told, are shots of their own.

    Args:
        paths: Files; folders stand for the files in them.
    """
    given = list(paths)
    # Without a look at pictures, which could take minutes.
    pairing = rawback.pair_up((path for path in given if path.exists()), match="times")
    raws = {*pairing.raws, *(raw for item in pairing.ambiguous for raw in item.raws)}
    jpegs = {*pairing.jpegs, *pairing.carriers, *(item.jpeg for item in pairing.ambiguous)}
    raws -= {pair.raw for pair in pairing.pairs}
    if not pairing.pairs and len(raws) == len(jpegs) == 1:
        pairs = [Pair(raws.pop(), jpegs.pop())]
    else:
        pairs = [Pair(pair.raw, pair.jpeg) for pair in pairing.pairs]
        pairs += [Pair(raw, None) for raw in raws] + [Pair(None, jpeg) for jpeg in jpegs]
    pairs.sort(key=lambda pair: [str(file).casefold() for file in pair.files])
    missing = tuple(path for path in given if not path.exists())
    return Sorted(tuple(pairs), pairing.ignored, missing)


def partner_of(pair: Pair) -> Pair:
    """A file that came alone with its counterpart beside it, if there is just one of its name.

    A JPEG that carries a raw stays alone: it is opened for what it carries.

    Args:
        pair: A raw or a JPEG; both stay as they are.
    """
    if len(pair.files) != 1:
        return pair
    file = pair.files[0]
    if pair.jpeg is not None and _carries(pair.jpeg):
        return pair
    stem = file.stem.casefold()
    beside = [
        other
        for other in file.parent.iterdir()
        if other.name.casefold().startswith(stem) and other.is_file() and other != file
    ]
    if not beside or len(beside) > _MOST_CANDIDATES:
        return pair
    pairing = rawback.pair_up([file, *beside], match="times")
    plain = [Pair(found.raw, found.jpeg) for found in pairing.pairs if file in _files(found)]
    # Of several versions of a JPEG the one of the raw's own name is meant.
    same = [found for found in plain if all(f.stem.casefold() == stem for f in found.files)]
    chosen = same or plain
    return chosen[0] if len(chosen) == 1 else pair


def taken_by(opened: Pair | None, dropped: Pair) -> Pair:
    """What to open where files are dropped on an open picture.

    A JPEG is taken by a raw that is open, and a raw by a JPEG, unless each has another partner of
    its own.

    Args:
        opened: What is open.
        dropped: What was dropped.
    """
    if len(dropped.files) != 1:
        return dropped
    with_partner = partner_of(dropped)
    if opened is None or len(with_partner.files) > 1:
        return with_partner
    if not all(file.exists() for file in opened.files):
        # What has gone away since takes nothing.
        return with_partner
    if dropped.jpeg is not None and opened.raw is not None and not _carries(dropped.jpeg):
        return Pair(opened.raw, dropped.jpeg)
    if dropped.raw is not None and opened.jpeg is not None and opened.raw is None:
        return Pair(dropped.raw, opened.jpeg)
    return dropped


def shots_in(folder: Path) -> tuple[Pair, ...]:
    """The shots of a folder, in the order of their names."""
    return pair_up([folder]).pairs


def neighbour(shots: tuple[Pair, ...], current: Pair, step: int) -> Pair | None:
    """The shot before or after another one; None at the ends.

    Args:
        shots: Of the folder.
        current: What is open, which may be a part of a shot only.
        step: -1 for the one before, 1 for the next.
    """
    at = next(
        (n for n, shot in enumerate(shots) if set(current.files) & set(shot.files)),
        None,
    )
    if at is None or not 0 <= at + step < len(shots):
        return None
    return shots[at + step]


def _files(pair: rawback.Pair) -> tuple[Path, Path]:
    return pair.raw, pair.jpeg


def _carries(jpeg: Path) -> bool:
    """Whether a JPEG carries a payload, be it damaged."""
    try:
        rawback.inspect(jpeg)
    except rawback.PayloadDamaged:
        return True
    except rawback.RawbackError:
        # Whatever is wrong with it is told when it is opened.
        return False
    return True
