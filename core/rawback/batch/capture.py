"""When a raw or a JPEG was taken, and with which camera, as its Exif data says."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from rawback.batch.storage import read_head

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["UNKNOWN", "Agreement", "Capture", "jpeg_capture", "raw_capture"]

_HEAD = 1 << 20
_EXIF_IFD = 0x8769
_MAKE, _MODEL = 0x010F, 0x0110
_ORIGINAL, _OFFSET, _FRACTION = 36867, 36881, 37521

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
    from rawback.rawio.exif import read_camera

    camera = read_camera(read_head(raw, _HEAD))
    return _capture(camera.exif, camera.make, camera.model)


def jpeg_capture(jpeg: Path) -> Capture:
    """What a JPEG's Exif segment says; unknown where there is none, or a broken one.

    Raises:
        RawbackError: The file cannot be read.
    """
    from PIL import Image

    head = read_head(jpeg, _HEAD)
    try:
        with Image.open(io.BytesIO(head), formats=("JPEG",)) as opened:
            exif = opened.getexif()
            inner = exif.get_ifd(_EXIF_IFD)
    except Exception:  # noqa: BLE001 -- Pillow's Exif reader raises what it meets in broken data
        return UNKNOWN
    return _capture(inner, exif.get(_MAKE), exif.get(_MODEL))


def _capture(exif: Mapping[int, object], make: object, model: object) -> Capture:
    fraction = _text(exif.get(_FRACTION))
    return Capture(
        second=_second(_text(exif.get(_ORIGINAL))),
        fraction=fraction if fraction.isascii() and fraction.isdigit() else "",
        offset=_offset(_text(exif.get(_OFFSET))),
        make=_text(make),
        model=_text(model),
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


def _text(value: object) -> str:
    return value.split("\0")[0].strip() if isinstance(value, str) else ""


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
