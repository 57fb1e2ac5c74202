"""Which raw goes with which JPEG, over whole folders, by name and by the moment of the shot."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rawback.batch.capture import UNKNOWN, Capture, jpeg_capture, raw_capture
from rawback.batch.storage import display_name, is_folder, list_files, to_path
from rawback.files import JPEG_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rawback.files import StrPath

__all__ = [
    "Ambiguity",
    "Pair",
    "Pairing",
    "SourceFile",
    "find_files",
    "pair_files",
    "pair_up",
]

_OURS = ".rawback"
_DUPLICATE = re.compile(r"_\d\d$")
"""What darktable adds to the names of further versions of a picture."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A JPEG and the raw that it was made from.

    Attributes:
        raw: The raw.
        jpeg: The JPEG.
        subfolders: The JPEG's folder within the source it was found in: names of folders.
    """

    raw: Path
    jpeg: Path
    subfolders: tuple[str, ...] = ()


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
        return {
            "jpeg": display_name(self.jpeg),
            "raws": [display_name(raw) for raw in self.raws],
            "why": self.why,
        }


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
            "pairs": [
                {"raw": display_name(pair.raw), "jpeg": display_name(pair.jpeg)}
                for pair in self.pairs
            ],
            "ambiguous": [item.as_dict() for item in self.ambiguous],
            **{name: [display_name(path) for path in getattr(self, name)] for name in alone},
        }


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, and where below a source it was found.

    Attributes:
        path: The file.
        subfolders: Names of the folders between the source and the file.
        named: Whether the file was named itself, and not just a folder that it is in.
    """

    path: Path
    subfolders: tuple[str, ...]
    named: bool

    @property
    def suffix(self) -> str:
        """The end of its name, in lower case."""
        return self.path.suffix.lower()


def find_files(sources: Iterable[StrPath], *, recursive: bool = False) -> list[SourceFile]:
    """Files, each once; folders stand for the files in them.

    Args:
        sources: Paths or URLs of files and folders.
        recursive: Look into folders in folders as well.

    Raises:
        RawbackError: A source is not there, or cannot be read.
    """
    found: dict[Path, SourceFile] = {}
    for source in map(to_path, sources):
        if is_folder(source):
            depth = len(source.parts)
            for file in list_files(source, recursive=recursive):
                found.setdefault(file, SourceFile(file, file.parts[depth:-1], named=False))
        else:
            found.setdefault(source, SourceFile(source, (), named=True))
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
    return pair_files(find_files(sources, recursive=recursive))


def pair_files(files: Sequence[SourceFile]) -> Pairing:
    """`pair_up` for files that are listed already."""
    raws = [file for file in files if file.suffix in RAW_SUFFIXES]
    jpegs = [file for file in files if file.suffix in JPEG_SUFFIXES]
    own = [file for file in jpegs if file.path.stem.lower().endswith(_OURS)]
    known = {file.path for file in (*raws, *jpegs)}
    matcher = _Matcher(raws)
    found = [matcher.match(jpeg) for jpeg in jpegs if jpeg not in own]
    pairs = tuple(item for item in found if isinstance(item, Pair))
    ambiguous = tuple(item for item in found if isinstance(item, Ambiguity))
    used = {pair.raw for pair in pairs} | {raw for item in ambiguous for raw in item.raws}
    return Pairing(
        pairs=pairs,
        ambiguous=ambiguous,
        jpegs=tuple(item.path for item in found if isinstance(item, SourceFile)),
        raws=tuple(raw.path for raw in raws if raw.path not in used),
        carriers=tuple(file.path for file in own),
        ignored=tuple(file.path for file in files if file.path not in known),
    )


@dataclass(slots=True)
class _Matcher:
    """All raws, by name and by moment."""

    raws: Sequence[SourceFile]
    by_name: dict[str, list[SourceFile]] = field(init=False)
    by_second: dict[str, list[SourceFile]] | None = field(init=False, default=None)
    captures: dict[Path, Capture] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name = defaultdict(list)
        for raw in self.raws:
            self.by_name[raw.path.stem.casefold()].append(raw)
            self.by_name[raw.path.name.casefold()].append(raw)

    def match(self, jpeg: SourceFile) -> Pair | Ambiguity | SourceFile:
        """The JPEG's raw; the JPEG itself where there is none."""
        taken = jpeg_capture(jpeg.path) if self.raws else UNKNOWN
        named = self._named(jpeg.path.stem.casefold())
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
        return Pair(best[0].path, jpeg.path, jpeg.subfolders)

    def _named(self, stem: str) -> list[SourceFile]:
        """Raws of a JPEG's name, which is without its ending and in lower case."""
        return self.by_name.get(stem) or self.by_name.get(_DUPLICATE.sub("", stem)) or []

    def _simultaneous(self, taken: Capture) -> list[SourceFile]:
        if self.by_second is None:
            self.by_second = defaultdict(list)
            for raw in self.raws:
                self.by_second[self._taken(raw).second].append(raw)
        there = self.by_second.get(taken.second, ())
        return [raw for raw in there if taken.confirms(self._taken(raw))]

    def _best(
        self, fitting: list[SourceFile], jpeg: SourceFile, taken: Capture
    ) -> list[SourceFile]:
        """Those of the highest rank: confirmed by the moment, then the nearest."""

        def rank(raw: SourceFile) -> tuple[bool, bool, bool]:
            return (
                taken.confirms(self._taken(raw)),
                raw.path.parent == jpeg.path.parent,
                raw.subfolders == jpeg.subfolders,
            )

        highest = max(map(rank, fitting))
        return [raw for raw in fitting if rank(raw) == highest]

    def _taken(self, raw: SourceFile) -> Capture:
        if raw.path not in self.captures:
            self.captures[raw.path] = raw_capture(raw.path)
        return self.captures[raw.path]


def _ambiguity(jpeg: SourceFile, raws: Iterable[SourceFile], why: str) -> Ambiguity:
    return Ambiguity(jpeg.path, tuple(raw.path for raw in raws), why)
