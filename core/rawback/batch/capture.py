"""When a raw or a JPEG was taken, and with which camera, as its Exif data says."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback.batch.storage import read_head

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["UNKNOWN", "Capture", "jpeg_capture", "raw_capture"]

_HEAD = 1 << 20
_EXIF_IFD = 0x8769
_MODEL, _ORIGINAL, _FRACTION = 0x0110, 36867, 37521


@dataclass(frozen=True, slots=True)
class Capture:
    """The moment of a shot.

    Attributes:
        second: Exif DateTimeOriginal, ``2024:05:31 17:02:09``; empty if unknown.
        fraction: The digits of SubSecTimeOriginal without zeros at their end; None if unknown.
        model: The camera's model; empty if unknown.
    """

    second: str = ""
    fraction: str | None = None
    model: str = ""

    def confirms(self, other: Capture) -> bool:
        """Whether both are known and say the same."""
        return bool(self.second and other.second) and not self.contradicts(other)

    def contradicts(self, other: Capture) -> bool:
        """Whether the two cannot be the same shot."""
        if self.model and other.model and self.model != other.model:
            return True
        if not (self.second and other.second):
            return False
        if self.second != other.second:
            return True
        fractions = (self.fraction, other.fraction)
        return None not in fractions and fractions[0] != fractions[1]


UNKNOWN = Capture()


def raw_capture(raw: Path) -> Capture:
    """What the head of a raw file says; unknown where it says nothing."""
    from rawback.rawio.exif import read_camera

    camera = read_camera(read_head(raw, _HEAD))
    return _capture(camera.exif.get(_ORIGINAL), camera.exif.get(_FRACTION), camera.model)


def jpeg_capture(jpeg: Path) -> Capture:
    """What a JPEG's Exif segment says; unknown where there is none, or a broken one."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(read_head(jpeg, _HEAD)), formats=("JPEG",)) as opened:
            exif = opened.getexif()
            inner = exif.get_ifd(_EXIF_IFD)
    except Exception:  # noqa: BLE001 -- Pillow's Exif reader raises what it meets in broken data
        return UNKNOWN
    return _capture(inner.get(_ORIGINAL), inner.get(_FRACTION), exif.get(_MODEL))


def _capture(second: object, fraction: object, model: object) -> Capture:
    digits = _text(fraction)
    return Capture(
        second=_text(second) if any(c in "123456789" for c in _text(second)) else "",
        fraction=digits.rstrip("0") if digits.isdigit() else None,
        model=_text(model),
    )


def _text(value: object) -> str:
    return value.split("\0")[0].strip() if isinstance(value, str) else ""
