"""Names of what a batch writes: no two files get the same, on any file system."""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["distinct_outputs"]


def distinct_outputs(sources: Sequence[Path], outputs: Sequence[Path]) -> list[Path]:
    """Outputs as they were meant, but for those that several sources would have in common.

    Of these one keeps the name, and the others get what tells them apart: the source's whole name
    (``IMG_1.JPG.rawback.jpg`` beside ``IMG_1.rawback.jpg``), its folder
    (``IMG_1.card2.rawback.jpg``) or a number. Which one keeps it does not depend on the order that
    they are given in. Names that differ by upper and lower case only are the same: on many file
    systems they are.

    Args:
        sources: What each output is made from, mainly.
        outputs: Where each is meant to be: ``FOLDER/STEM.ENDING``, the ending with two dots.

    Returns:
        Where each is.
    """
    groups: dict[tuple[Path, str], list[int]] = defaultdict(list)
    for number, output in enumerate(outputs):
        groups[_key(output)].append(number)
    taken = set(groups)
    result = list(outputs)
    for _, numbers in sorted(groups.items()):
        keeper, *others = sorted(numbers, key=lambda number: _rank(sources[number]))
        for number in others:
            for name in _names(sources[number], sources[keeper], outputs[number].name):
                output = outputs[number].with_name(name)
                if _key(output) not in taken:
                    break
            taken.add(_key(output))
            result[number] = output
    return result


def _rank(source: Path) -> tuple[bool, bool, str]:
    return source.suffix != ".jpg", source.suffix != ".JPG", str(source)


def _names(source: Path, keeper: Path, name: str) -> Iterator[str]:
    """Other names of an output, the most telling first."""
    stem, *ending = name.rsplit(".", 2)
    rest = ".".join(("", *ending))
    if source.suffix != keeper.suffix:
        yield f"{stem}{source.suffix}{rest}"
    if source.parent != keeper.parent and source.parent.name:
        yield f"{stem}.{source.parent.name}{rest}"
    for number in itertools.count(2):
        yield f"{stem}_{number}{rest}"


def _key(path: Path) -> tuple[Path, str]:
    return path.parent, unicodedata.normalize("NFC", path.name).casefold()
