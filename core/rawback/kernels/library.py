"""Find, check and load the compiled library that fits this processor."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from functools import lru_cache
from pathlib import Path

from rawback.errors import RawbackError

__all__ = ["VARIANTS", "load"]

VARIANTS = ("baseline", "avx2", "avx512")
"""Builds of the same source by what a processor must have; the first always exists."""

_CHOICE = "RAWBACK_KERNELS"
"""The environment variable that names the highest variant to use, for tests and measurements."""

ROOM = Path(__file__).parent
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
INSTALL_AGAIN = (
    "Install rawback again for this machine (from a checkout: python core/build_kernels.py)."
)


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL:
    """The library, loaded once.

    Raises:
        RawbackError: It is missing, does not fit this machine, or was compiled from other sources
            than those beside it.
    """
    baseline = _opened("baseline")
    level = min(baseline.rawback_processor_level(), _highest())
    if level < 0:
        message = (
            "This processor lacks instructions that rawback is compiled for (x86-64-v2, "
            "common since 2009). Use another machine."
        )
        raise RawbackError(message)
    for variant in VARIANTS[level:0:-1]:
        if _path(variant).exists():
            return _opened(variant)
    return baseline


def _highest() -> int:
    choice = os.environ.get(_CHOICE, VARIANTS[-1])
    if choice not in VARIANTS:
        message = f"{_CHOICE}={choice} names no build of the kernels. Take {', '.join(VARIANTS)}."
        raise RawbackError(message)
    return VARIANTS.index(choice)


def _path(variant: str) -> Path:
    return ROOM / "compiled" / f"{variant}{_SUFFIX}"


def _opened(variant: str) -> ctypes.CDLL:
    path = _path(variant)
    try:
        library = ctypes.CDLL(str(path))
        library.rawback_sources.restype = ctypes.c_char_p
        compiled_from = library.rawback_sources().decode("ascii")
    except (OSError, AttributeError) as error:
        why = "does not fit this machine" if path.exists() else "is missing"
        message = f"The compiled part of rawback, {path}, {why} ({error}). {INSTALL_AGAIN}"
        raise RawbackError(message) from error
    sources = sources_digest()
    if sources and sources != compiled_from:
        message = f"{path} was compiled from other sources than those beside it. {INSTALL_AGAIN}"
        raise RawbackError(message)
    return library


def sources_digest() -> str:
    """SHA-256 of the C sources in hexadecimal, empty where they are not installed (wheels)."""
    sources = sorted(path for path in ROOM.iterdir() if path.suffix in {".c", ".h"})
    joined = b"".join(path.read_bytes() for path in sources)
    return hashlib.sha256(joined).hexdigest() if sources else ""
