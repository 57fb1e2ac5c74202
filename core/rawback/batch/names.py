"""Names of files of one shot: what cameras, phones, editors and file managers make of them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from rawback.files import RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["is_output_name", "jpeg_keys", "raw_keys"]

_OUTPUT = ".rawback"

_SHOTS = (
    # Pixel: PXL_20240531_120000000.RAW-01.COVER.jpg and .RAW-02.ORIGINAL.dng, .MP.jpg, ~2.jpg.
    (r"(pxl_\d{8}_\d{9})[.~_].*", r"\1"),
    # Earlier ones: MVIMG_20180531_120000.jpg and IMG_20180531_120000.dng.
    (r"mvimg_(\d{8}_\d{6})", r"img_\1"),
    # iPhone: IMG_E1234.JPG is IMG_1234 as edited.
    (r"img_e(\d{4,})", r"img_\1"),
    # Lumia: WP_20140531_001__highres.dng and WP_20140531_001_Pro.jpg.
    (r"(wp_\d{8}.*?)_+(?:highres|pro|rich)", r"\1"),
    # Open Camera, Huawei: IMG_1234_RAW.dng.
    (r"(.+)[-_]raw", r"\1"),
    # Android: IMG_20180531_120000_HDR.jpg, IMG20240531120000_Bokeh.jpg.
    (r"(img_?\d{8}_?\d{6}.*?)[-_](?:hdr|hht|bokeh|portrait|night|mp|cover)", r"\1"),
    # Google Drive, and cloud folders in other tongues.
    (r"(?:copy of|kopie von|copie de|copia de|copia di) (.+)", r"\1"),
)
"""What makes two names of one shot the same: patterns of whole names, folded, and the shot's."""

_RAW_ENDS = "|".join(sorted(suffix[1:] for suffix in RAW_SUFFIXES - {".raw"}))

_COPIES = (
    r"_\d{1,2}",  # darktable: further versions of a picture
    # Lightroom, Google Photos
    r"[-_ ](?:edit(?:ed)?|bearbeitet|modifi[eé]|editad[oa]|modificato|bewerkt)(?:[-_ ]?\d{1,2})?",
    r"-\d{1,2}",  # Lightroom: virtual copies
    r" \d{1,2}",  # macOS, Capture One
    r" ?\(\d{1,3}\)",  # file managers and browsers
    r"(?: -)?[-_ ](?:copy|kopie|copie|copia)(?:[-_ ]?\d{1,3})?",
    r"[-_]enhanced(?:[-_][a-z]+)*",  # Lightroom: noise reduction, super resolution
    r"[-_ ]dxo(?:[-_ ].*)?",
    r"[-_ ](?:final|print|web|small|resized|scaled|export(?:ed)?|srgb|bw|sw|hdr)",
    r"[-_ ](?:\d{2,5}x\d{2,5}|\d{3,5}px)",  # WordPress and others: the size
    rf"[-_ ](?:{_RAW_ENDS})",  # the raw's own ending
)
"""What programs add to a shot's name when they write one more picture of it."""

_ENDS = re.compile(f"(.+?)(?:{'|'.join(_COPIES)})")
_MOST = 4
"""How many such additions are seen through."""


def is_output_name(path: Path) -> bool:
    """Whether a file is called as rawback calls what it writes: ``NAME.rawback.jpg``, ``.dng``."""
    return path.stem.lower().endswith(_OUTPUT)


def raw_keys(raw: Path) -> list[str]:
    """What a raw may be found by: its name with and without its ending, and its shot's."""
    return list(dict.fromkeys((*_folded(raw), *map(_shot, _folded(raw)))))


def jpeg_keys(jpeg: Path) -> tuple[list[str], list[str]]:
    """What to find the raw of a JPEG by.

    Returns:
        Its very name, with and without what looks like the raw's own ending; then names that its
        own may have been made from, the likelier first.
    """
    stem = _fold(jpeg.stem)
    exact = [stem]
    before, dot, suffix = stem.rpartition(".")
    if before and dot + suffix in RAW_SUFFIXES:
        exact.append(before)
    derived = dict.fromkeys(_derived(exact))
    return exact, [name for name in derived if name not in exact]


def _derived(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        shorter: str | None = name
        for _ in range(_MOST):
            if shorter is None:
                break
            yield shorter
            yield _shot(shorter)
            match = _ENDS.fullmatch(shorter)
            shorter = match[1] if match else None


def _shot(name: str) -> str:
    for pattern, shot in _SHOTS:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(shot)
    return name


def _folded(path: Path) -> tuple[str, str]:
    return _fold(path.stem), _fold(path.name)


def _fold(name: str) -> str:
    """One spelling of all that look alike: macOS takes letters apart, other systems do not."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
