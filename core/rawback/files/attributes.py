"""What a file has besides its bytes: permissions, owner, extended attributes and times."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawback.files.reading import StrPath

__all__ = ["WRITABLE_BY_OWNER", "Attributes"]

WRITABLE_BY_OWNER = stat.S_IRUSR | stat.S_IWUSR

# Flags of copyfile(3) on macOS.
_COPYFILE_ACL, _COPYFILE_XATTR = 1, 4


@dataclass(frozen=True, slots=True)
class Attributes:
    """Where an output gets these from.

    Attributes:
        replaced: The file that it replaces, whose permissions, owner and attributes it gets.
        like: Of a new file: what it is made from. Its permissions count as far as the umask allows,
            because what is made from a private photograph is private; of its attributes, those
            that are users'.
        times: The file whose times it gets; None for now.
    """

    replaced: Path | None = None
    like: StrPath | None = None
    times: StrPath | None = None

    def give_to(self, draft: Path, created: int) -> None:
        """Give them to a file that is written.

        Args:
            draft: The file; nobody but its owner may read it yet.
            created: The permissions it was created with.

        Raises:
            OSError: The files they come from are gone.
        """
        mode = created
        if self.replaced is not None:
            mode = stat.S_IMODE(self.replaced.stat().st_mode)
            _give_owner(self.replaced, draft)
            _copy_attributes(self.replaced, draft)
        elif self.like is not None:
            mode &= stat.S_IMODE(Path(self.like).stat().st_mode) | WRITABLE_BY_OWNER
            _copy_attributes(self.like, draft, users_only=True)
        # Last, as who may not write a file cannot give it attributes either.
        draft.chmod(mode)
        if self.times is not None:
            seen = Path(self.times).stat()
            os.utime(draft, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def _give_owner(source: Path, draft: Path) -> None:
    """Give a file the owner of another, or at least its group, as far as that may be."""
    if sys.platform == "win32":
        return
    seen = source.stat()
    if (seen.st_uid, seen.st_gid) == (os.geteuid(), os.getegid()):
        return
    try:
        os.chown(draft, seen.st_uid, seen.st_gid)
    except OSError:
        with contextlib.suppress(OSError):
            os.chown(draft, -1, seen.st_gid)


def _copy_attributes(source: StrPath, draft: Path, *, users_only: bool = False) -> None:
    """Copy extended attributes, access lists among them, as far as both file systems know them."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for name in os.listxattr(source):
                if name.startswith("user.") or not users_only:
                    with contextlib.suppress(OSError):
                        os.setxattr(draft, name, os.getxattr(source, name))
    elif sys.platform == "darwin":
        copyfile = ctypes.CDLL(None).copyfile
        flags = _COPYFILE_XATTR | (0 if users_only else _COPYFILE_ACL)
        copyfile(os.fsencode(source), os.fsencode(draft), None, flags)
