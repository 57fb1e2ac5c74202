"""The files that a batch is given, one by one or by their folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback.batch.storage import is_folder, is_local, list_files, to_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rawback.files import StrPath

__all__ = ["SourceFile", "find_files"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, and where below a source it is.

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
        recursive: Search subfolders as well.

    Raises:
        RawbackError: A source is not there, or cannot be read.
    """
    files: dict[Path, SourceFile] = {}
    for source in map(to_path, sources):
        if is_folder(source):
            depth = len(source.parts)
            for path in list_files(source, recursive=recursive):
                files.setdefault(_key(path), SourceFile(path, path.parts[depth:-1], named=False))
        else:
            files.setdefault(_key(source), SourceFile(source, (), named=True))
    return list(files.values())


def _key(path: Path) -> Path:
    """The same for two ways to one file."""
    return path.absolute() if is_local(path) else path
