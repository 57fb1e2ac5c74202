"""Suffixes of names, by which files are told apart before anybody looks into them."""

from __future__ import annotations

__all__ = ["JPEG_SUFFIXES", "RAW_SUFFIXES"]

_RAW_NAMES = (
    "3fr ari arw bay cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf "
    "pef ptx pxn raf raw rw2 rwl rwz sr2 srf srw x3f"
)

RAW_SUFFIXES = frozenset(f".{name}" for name in _RAW_NAMES.split())
"""By which raws are told from other files, in lower case; LibRaw has the last word."""

JPEG_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif"))
"""By which JPEGs are told from other files, in lower case."""
