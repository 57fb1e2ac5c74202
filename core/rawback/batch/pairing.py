"""Which raw goes with which JPEG, over whole folders, by name and by the moment of the shot."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rawback.batch.capture import UNKNOWN, Capture, jpeg_capture, raw_capture
from rawback.batch.places import is_folder, list_files, place_of, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rawback.files import StrPath

__all__ = ["JPEG_SUFFIXES", "Ambiguity", "Found", "Pair", "Pairing", "find_files", "pair_up"]

_RAW_NAMES = (
    "3fr ari arw bay cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf "
    "pef ptx pxn raf raw rw2 rwl rwz sr2 srf srw x3f"
)

RAW_SUFFIXES = frozenset(f".{name}" for name in _RAW_NAMES.split())
"""By which raws are told from other files; LibRaw has the last word."""

JPEG_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif"))

_OURS = ".rawback"
_DUPLICATE = re.compile(r"_\d\d$")
"""What darktable adds to the names of further versions of a picture."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A JPEG and the raw that it was made from.

    Attributes:
        raw: The raw.
        jpeg: The JPEG.
        inside: The JPEG's folder within the source it was found in: names of folders.
    """

    raw: Path
    jpeg: Path
    inside: tuple[str, ...] = ()


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
        return {"jpeg": show(self.jpeg), "raws": [show(raw) for raw in self.raws], "why": self.why}


@dataclass(frozen=True, slots=True)
class Pairing:
    """Files by shot.

    Attributes:
        pairs: Each JPEG with its raw. A raw may be in several pairs.
        ambiguous: JPEGs that may be of several raws, or whose time says that their name misleads.
        jpegs: JPEGs without any raw.
        raws: Raws without any JPEG.
        carriers: JPEGs that are called ``NAME.rawback.jpg``, as rawback calls carriers.
        ignored: Files that are neither raws nor JPEGs.
    """

    pairs: tuple[Pair, ...]
    ambiguous: tuple[Ambiguity, ...]
    jpegs: tuple[Path, ...]
    raws: tuple[Path, ...]
    carriers: tuple[Path, ...]
    ignored: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """Names to what JSON has."""
        alone = ("jpegs", "raws", "carriers", "ignored")
        return {
            "pairs": [{"raw": show(pair.raw), "jpeg": show(pair.jpeg)} for pair in self.pairs],
            "ambiguous": [item.as_dict() for item in self.ambiguous],
            **{name: [show(place) for place in getattr(self, name)] for name in alone},
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and where below a source it was found.

    Attributes:
        place: The file.
        inside: Names of the folders between the source and the file.
        named: Whether the file was named itself, and not just a folder that it is in.
    """

    place: Path
    inside: tuple[str, ...]
    named: bool

    @property
    def suffix(self) -> str:
        """The end of its name, in lower case."""
        return self.place.suffix.lower()


def find_files(sources: Iterable[StrPath], *, recursive: bool = False) -> list[Found]:
    """Files, each once; folders stand for the files in them.

    Args:
        sources: Paths or URLs of files and folders.
        recursive: Look into folders in folders as well.

    Raises:
        RawbackError: A source is not there, or cannot be read.
    """
    found: dict[Path, Found] = {}
    for source in map(place_of, sources):
        if is_folder(source):
            depth = len(source.parts)
            for file in list_files(source, recursive=recursive):
                found.setdefault(file, Found(file, file.parts[depth:-1], named=False))
        else:
            found.setdefault(source, Found(source, (), named=True))
    return list(found.values())


def pair_up(sources: Iterable[StrPath], *, recursive: bool = False) -> Pairing:
    """Find the raw of each JPEG.

    A JPEG goes with the raw of the same name; upper and lower case, the raw's own ending before
    the JPEG's (``IMG_1.CR2.jpg``) and darktable's ``_01`` are seen through. A raw that was taken at
    another moment, or with another camera, as far as Exif data tell, is not the one. Of several,
    one whose moment is known to be the JPEG's goes first, then one in the same folder, then one in
    the folder of the same name below another source. A JPEG whose name no raw has goes with the
    raw of its moment. Where more than one is left the JPEG is ambiguous: nothing is guessed.

    Args:
        sources: Paths or URLs of files and folders.
        recursive: Look into folders in folders as well.

    Returns:
        What goes with what, in the order of `sources` and names.

    Raises:
        RawbackError: A source is not there, or cannot be read.
    """
    files = find_files(sources, recursive=recursive)
    raws = [file for file in files if file.suffix in RAW_SUFFIXES]
    jpegs = [file for file in files if file.suffix in JPEG_SUFFIXES]
    own = [file for file in jpegs if file.place.stem.lower().endswith(_OURS)]
    known = {file.place for file in (*raws, *jpegs)}
    matcher = _Matcher(raws)
    found = [matcher.match(jpeg) for jpeg in jpegs if jpeg not in own]
    pairs = tuple(item for item in found if isinstance(item, Pair))
    ambiguous = tuple(item for item in found if isinstance(item, Ambiguity))
    used = {pair.raw for pair in pairs} | {raw for item in ambiguous for raw in item.raws}
    return Pairing(
        pairs=pairs,
        ambiguous=ambiguous,
        jpegs=tuple(item.place for item in found if isinstance(item, Found)),
        raws=tuple(raw.place for raw in raws if raw.place not in used),
        carriers=tuple(file.place for file in own),
        ignored=tuple(file.place for file in files if file.place not in known),
    )


@dataclass(slots=True)
class _Matcher:
    """All raws, by name and by moment."""

    raws: Sequence[Found]
    by_name: dict[str, list[Found]] = field(init=False)
    by_second: dict[str, list[Found]] | None = field(init=False, default=None)
    captures: dict[Path, Capture] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name = defaultdict(list)
        for raw in self.raws:
            self.by_name[raw.place.stem.casefold()].append(raw)
            self.by_name[raw.place.name.casefold()].append(raw)

    def match(self, jpeg: Found) -> Pair | Ambiguity | Found:
        """The JPEG's raw; the JPEG itself where there is none."""
        taken = jpeg_capture(jpeg.place) if self.raws else UNKNOWN
        named = self._named(jpeg.place.stem.casefold())
        fitting = [raw for raw in named if not taken.contradicts(self._taken(raw))]
        if not fitting and taken.second:
            fitting = self._simultaneous(taken)
        if not fitting:
            if not named:
                return jpeg
            why = "the raw of this name was taken at another time or with another camera"
            return _ambiguity(jpeg, named, why)
        best = self._best(fitting, jpeg, taken)
        if len(best) > 1:
            return _ambiguity(jpeg, best, f"{len(best)} raws have the same name or time")
        return Pair(best[0].place, jpeg.place, jpeg.inside)

    def _named(self, stem: str) -> list[Found]:
        """Raws of a JPEG's name, which is without its ending and in lower case."""
        return self.by_name.get(stem) or self.by_name.get(_DUPLICATE.sub("", stem)) or []

    def _simultaneous(self, taken: Capture) -> list[Found]:
        if self.by_second is None:
            self.by_second = defaultdict(list)
            for raw in self.raws:
                self.by_second[self._taken(raw).second].append(raw)
        there = self.by_second.get(taken.second, ())
        return [raw for raw in there if taken.confirms(self._taken(raw))]

    def _best(self, fitting: list[Found], jpeg: Found, taken: Capture) -> list[Found]:
        """Those of the highest rank: confirmed by the moment, then the nearest."""

        def rank(raw: Found) -> tuple[bool, bool, bool]:
            return (
                taken.confirms(self._taken(raw)),
                raw.place.parent == jpeg.place.parent,
                raw.inside == jpeg.inside,
            )

        highest = max(map(rank, fitting))
        return [raw for raw in fitting if rank(raw) == highest]

    def _taken(self, raw: Found) -> Capture:
        if raw.place not in self.captures:
            self.captures[raw.place] = raw_capture(raw.place)
        return self.captures[raw.place]


def _ambiguity(jpeg: Found, raws: Iterable[Found], why: str) -> Ambiguity:
    return Ambiguity(jpeg.place, tuple(raw.place for raw in raws), why)
