"""Which raw goes with which JPEG, over whole folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from rawback.batch.names import is_output_name
from rawback.batch.sources import find_files
from rawback.batch.storage import display_name
from rawback.files import JPEG_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rawback.batch.sources import SourceFile
    from rawback.files import StrPath
    from rawback.types import Progress

__all__ = [
    "Ambiguity",
    "Basis",
    "Match",
    "Pair",
    "Pairing",
    "pair_files",
    "pair_up",
]

Match: TypeAlias = Literal["names", "times", "pictures"]
"""What decides which raw goes with a JPEG: names alone; names and times; or these, and the pictures
where they leave doubt."""

Basis: TypeAlias = Literal["given", "name", "time", "picture"]
"""By what a pair was found."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A JPEG and the raw that it was made from.

    Attributes:
        raw: The raw.
        jpeg: The JPEG.
        subfolders: The JPEG's folder within the source it was found in: names of folders.
        basis: By what it was found.
    """

    raw: Path
    jpeg: Path
    subfolders: tuple[str, ...] = field(default=(), compare=False)
    basis: Basis = field(default="given", compare=False)


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A JPEG whose raw cannot be told.

    Attributes:
        jpeg: The JPEG.
        raws: The raws that it may be of.
        why: One sentence about it.
    """

    jpeg: Path
    raws: tuple[Path, ...]
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Names to what JSON has."""
        raws = [display_name(raw) for raw in self.raws]
        return {"jpeg": display_name(self.jpeg), "raws": raws, "why": self.why}


@dataclass(frozen=True, slots=True)
class Pairing:
    """Files by shot.

    Attributes:
        pairs: Each JPEG with its raw. A raw may be in several pairs.
        ambiguous: JPEGs that may be of several raws, or of one as far as its name goes, but not by
            its time.
        jpegs: JPEGs without any raw.
        raws: Raws without any JPEG.
        carriers: JPEGs that are called ``NAME.rawback.jpg``, as rawback calls carriers.
        ignored: Files that are neither raws nor JPEGs, and restored raws (``NAME.rawback.dng``) of
            which no JPEG is here.
        reasons: For each of `jpegs` and `raws` one sentence about why it is alone.
    """

    pairs: tuple[Pair, ...]
    ambiguous: tuple[Ambiguity, ...]
    jpegs: tuple[Path, ...]
    raws: tuple[Path, ...]
    carriers: tuple[Path, ...]
    ignored: tuple[Path, ...]
    reasons: Mapping[Path, str] = field(default_factory=lambda: MappingProxyType({}))

    def as_dict(self) -> dict[str, Any]:
        """Names to what JSON has."""
        return {
            "pairs": [
                {
                    "raw": display_name(pair.raw),
                    "jpeg": display_name(pair.jpeg),
                    "basis": pair.basis,
                }
                for pair in self.pairs
            ],
            "ambiguous": [item.as_dict() for item in self.ambiguous],
            **{
                name: [display_name(path) for path in getattr(self, name)]
                for name in ("jpegs", "raws", "carriers", "ignored")
            },
            "reasons": {display_name(path): why for path, why in self.reasons.items()},
        }


def pair_up(
    sources: Iterable[StrPath],
    *,
    recursive: bool = False,
    match: Match = "pictures",
    progress: Progress | None = None,
) -> Pairing:
    """Find the raw of each JPEG.

    Names and times propose. A JPEG goes with the raw of the same name. Unicode forms, upper and
    lower case, the raw's own ending before the JPEG's (``IMG_1.CR2.jpg``) and the names that
    phones give are seen through (``PXL_20240531_120000000.RAW-01.COVER.jpg``, ``IMG_E1234.JPG``),
    and what programs add for copies and versions is (``_01``, ``-Edit``, ``(1)``). A JPEG whose
    name no raw has goes with the raw of its moment. Of several, one whose moment is known to be the
    JPEG's goes first, then one in the same folder, then one in the folder of the same name below
    another source. Moments are compared as instants, and differ by up to 5 seconds in files of
    one name; models are compared without the maker's name.

    Where they leave doubt, the pictures decide: where names agree and times or cameras do not,
    where a name was only made out, where several raws have the same name or moment, and where a
    JPEG has neither. Nothing is guessed: what the pictures do not settle is ambiguous.

    Args:
        sources: Paths or URLs of files and folders.
        recursive: Search subfolders as well.
        match: ``"pictures"`` is the above. ``"times"`` looks at no picture. ``"names"`` goes by
            names alone, whatever the times say.
        progress: Is told how many JPEGs have been looked at. What it raises ends the search.

    Returns:
        What goes with what, in the order of `sources` and names.

    Raises:
        RawbackError: A source is not there, or cannot be read.
        ValueError: `match` is none of its choices.
    """
    return pair_files(find_files(sources, recursive=recursive), match, progress)


def pair_files(
    files: Sequence[SourceFile], match: Match = "pictures", progress: Progress | None = None
) -> Pairing:
    """`pair_up` for files that are listed already."""
    from rawback.batch.matching import Matcher

    raws = [file for file in files if file.suffix in RAW_SUFFIXES]
    jpegs = [file for file in files if file.suffix in JPEG_SUFFIXES]
    carriers = [file.path for file in jpegs if is_output_name(file.path)]
    matcher = Matcher(raws, match, progress)
    matcher.match([file for file in jpegs if file.path not in carriers])
    used = {pair.raw for pair in matcher.pairs}
    used |= {raw for item in matcher.ambiguous for raw in item.raws}
    unused = [raw.path for raw in raws if raw.path not in used]
    alone = [path for path in unused if not is_output_name(path)]
    known = {file.path for file in (*raws, *jpegs)} - (set(unused) - set(alone))
    reasons = {path: matcher.why_alone(path) for path in alone}
    reasons |= matcher.unmatched
    return Pairing(
        pairs=tuple(matcher.pairs),
        ambiguous=tuple(matcher.ambiguous),
        jpegs=tuple(matcher.unmatched),
        raws=tuple(alone),
        carriers=tuple(carriers),
        ignored=tuple(file.path for file in files if file.path not in known),
        reasons=MappingProxyType(reasons),
    )
