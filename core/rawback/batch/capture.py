"""When a raw or a JPEG was taken, and with which camera, as its Exif data says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from rawback.batch.storage import read_head
from rawback.errors import UnsupportedCarrier
from rawback.metadata import Directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["UNKNOWN", "Agreement", "Capture", "jpeg_capture", "raw_capture"]

_HEAD = 1 << 20
_NAMES = (
    "EXIF DateTimeOriginal",
    "EXIF OffsetTimeOriginal",
    "EXIF SubSecTimeOriginal",
    "Image Make",
    "Image Model",
)

_TIME = re.compile(r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)")
_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")

_NEAR = 5.0
"""Seconds between a phone's raw and the JPEG that it computes of it, or between two files of a
camera that writes each with the time when it was written."""
_QUARTER, _ROUNDING, _FARTHEST_ZONES = 900, 1.0, 26 * 3600


class Agreement(IntEnum):
    """How far two moments agree, from not at all to surely."""

    OTHER = 0
    SHIFTED = 1
    """A whole number of quarters of an hour lies between: as between time zones."""
    UNKNOWN = 2
    NEAR = 3
    SAME = 4


@dataclass(frozen=True, slots=True)
class Capture:
    """The moment of a shot, and the camera.

    Attributes:
        second: Exif DateTimeOriginal, the time on the clock; None if unknown.
        fraction: The digits of SubSecTimeOriginal: those of the second's fraction; empty if
            unknown.
        offset: OffsetTimeOriginal: that clock's lead over UTC; None if unknown.
        make: The camera's maker; empty if unknown.
        model: The camera's model; empty if unknown.
    """

    second: datetime | None = None
    fraction: str = ""
    offset: timedelta | None = None
    make: str = ""
    model: str = ""

    @property
    def seconds(self) -> frozenset[datetime]:
        """The whole second on the clock, and in UTC if that is known, to look others up by."""
        if self.second is None:
            return frozenset()
        if self.offset is None:
            return frozenset({self.second})
        return frozenset({self.second, self.second - self.offset})

    def agreement(self, other: Capture) -> Agreement:
        """How far the two moments agree."""
        if self.second is None or other.second is None:
            return Agreement.UNKNOWN
        apart = (self.second - other.second).total_seconds()
        zoned = self.offset is not None and other.offset is not None
        if self.offset is not None and other.offset is not None:
            apart -= (self.offset - other.offset).total_seconds()
        tolerance = 0.0
        if self.fraction and other.fraction:
            apart += float(f"0.{self.fraction}") - float(f"0.{other.fraction}")
            # The shorter one was rounded, or cut.
            tolerance = 1.01 * 10 ** -min(len(self.fraction), len(other.fraction))
        if abs(apart) <= tolerance:
            return Agreement.SAME
        if abs(apart) <= _NEAR:
            return Agreement.NEAR
        beyond = abs(apart - _QUARTER * round(apart / _QUARTER))
        if not zoned and beyond <= _ROUNDING and abs(apart) <= _FARTHEST_ZONES:
            return Agreement.SHIFTED
        return Agreement.OTHER

    def is_other_camera(self, other: Capture) -> bool:
        """Whether both models are known and differ, however they are spelled."""
        mine, theirs = self._model_words(), other._model_words()
        count = min(len(mine), len(theirs))
        # Some programs put the maker's name before the model's, others do not.
        return count > 0 and mine[-count:] != theirs[-count:]

    def _model_words(self) -> list[str]:
        words, maker = _words(self.model), _words(self.make)
        return words[1:] if len(words) > 1 and words[:1] == maker[:1] else words


UNKNOWN = Capture()


def raw_capture(raw: Path) -> Capture:
    """What the head of a raw file says; unknown where it says nothing.

    Raises:
        RawbackError: The file cannot be read.
    """
    from rawback.rawio import Tag, read_metadata

    metadata = read_metadata(read_head(raw, _HEAD))

    def text(tag: int) -> str:
        # In TIFF/EP, Exif tags stand in the first directory.
        return metadata.text(tag, Directory.EXIF) or metadata.text(tag)

    return _capture(
        second=text(Tag.DATE_TIME_ORIGINAL),
        offset=text(Tag.OFFSET_TIME_ORIGINAL),
        fraction=text(Tag.SUB_SEC_TIME_ORIGINAL),
        make=metadata.text(Tag.MAKE),
        model=metadata.text(Tag.MODEL),
    )


def jpeg_capture(jpeg: Path) -> Capture:
    """What a JPEG's Exif segment says; unknown where there is none, or a broken one.

    Raises:
        RawbackError: The file cannot be read.
    """
    from rawback.jpegio import exif_texts, read_jpeg_metadata

    head = read_head(jpeg, _HEAD)
    try:
        metadata = read_jpeg_metadata(head)
    except UnsupportedCarrier:
        return UNKNOWN
    second, offset, fraction, make, model = exif_texts(metadata.exif, _NAMES)
    return _capture(second=second, offset=offset, fraction=fraction, make=make, model=model)


def _capture(*, second: str, offset: str, fraction: str, make: str, model: str) -> Capture:
    return Capture(
        second=_second(second),
        fraction=fraction if fraction.isascii() and fraction.isdigit() else "",
        offset=_offset(offset),
        make=make,
        model=model,
    )


def _second(text: str) -> datetime | None:
    match = _TIME.match(text)
    if match is None:
        return None
    try:
        return datetime.strptime(" ".join(match.groups()), "%Y %m %d %H %M %S")
    except ValueError:
        # All zeros, which is how Exif says that it is unknown; or no time at all.
        return None


def _offset(text: str) -> timedelta | None:
    match = _ZONE.fullmatch(text)
    if match is None:
        return timedelta(0) if text == "Z" else None
    lead = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -lead if match[1] == "-" else lead


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
