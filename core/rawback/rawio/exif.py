"""What a raw file says about the camera and the shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback.rawio.tags import CARRIED, Carried, Tag, TiffType
from rawback.rawio.tiff import Field, Ifd, read_ifds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawback.types import ExifValue

__all__ = ["Camera", "ascii_bytes", "carried_fields", "read_camera", "with_sane_crop"]

_LIMITS: Mapping[TiffType, tuple[int, int]] = {
    TiffType.SHORT: (0, 0xFFFF),
    TiffType.LONG: (0, 0xFFFFFFFF),
    TiffType.RATIONAL: (0, 0xFFFFFFFF),
    TiffType.SRATIONAL: (-0x80000000, 0x7FFFFFFF),
}

# Where raw formats that are no TIFF themselves keep theirs: how the file begins, and the marks
# right before each TIFF stream (the first IFD and the Exif IFD of Canon's CR3; the Exif segment
# in the preview of Fujifilm's RAF; the TTW block of Minolta's MRW).
_EMBEDDED: tuple[tuple[int, bytes, tuple[bytes, ...], int], ...] = (
    (4, b"ftypcrx ", (b"CMT1", b"CMT2"), 0),
    (0, b"FUJIFILMCCD-RAW", (b"Exif\0\0",), 0),
    (0, b"\0MRM", (b"\0TTW",), 4),
)
_SEARCHED = 1 << 20

_CROP = (Tag.DEFAULT_CROP_ORIGIN, Tag.DEFAULT_CROP_SIZE)


@dataclass(frozen=True, slots=True)
class Camera:
    """Names of the camera, and the carried Exif tags.

    Attributes:
        make: Manufacturer, as the file gives it.
        model: Camera model, as the file gives it.
        unique_model: DNG UniqueCameraModel; make and model where the file has none.
        exif: Values of the tags in `CARRIED`.
    """

    make: str
    model: str
    unique_model: str
    exif: Mapping[int, ExifValue]


def _streams(data: bytes) -> Iterator[memoryview]:
    """The TIFF streams in a raw file that describe the main image."""
    for at, signature, marks, skip in _EMBEDDED:
        if data.startswith(signature, at):
            for mark in marks:
                found = data.find(mark, 0, _SEARCHED)
                if found >= 0:
                    yield memoryview(data)[found + len(mark) + skip :]
            return
    yield memoryview(data)


def read_camera(data: bytes) -> Camera:
    """Read the names and the carried tags of a raw file of any kind.

    Args:
        data: The file.

    Returns:
        What was found; empty text and no tags where nothing was.
    """
    ifds = [ifd for stream in _streams(data) for ifd in read_ifds(stream)]

    def text(tag: int) -> str:
        return next((ifd.text(tag) for ifd in ifds if tag in ifd), "")

    make, model = text(Tag.MAKE), text(Tag.MODEL)
    exif: dict[int, ExifValue] = {}
    for tag, carried in CARRIED.items():
        values = (_value(ifd, tag, carried) for ifd in ifds if tag in ifd)
        value = next((value for value in values if value is not None), None)
        if value is not None:
            exif[tag] = value
    return Camera(make, model, text(Tag.UNIQUE_CAMERA_MODEL) or _joined(make, model), exif)


def _joined(make: str, model: str) -> str:
    """Make and model, the make's name once: Canon writes it into the model too."""
    repeated = make and model.lower().startswith(make.lower().split()[0])
    return model if repeated else f"{make} {model}".strip()


def _value(ifd: Ifd, tag: int, carried: Carried) -> ExifValue | None:
    if carried.type is TiffType.ASCII:
        return ifd.text(tag) or None
    if carried.type in (TiffType.RATIONAL, TiffType.SRATIONAL):
        pairs = ifd.rationals(tag) or tuple((whole, 1) for whole in ifd.integers(tag))
        if len(pairs) != carried.values:
            return None
        # Zero over zero is how Exif says that one of several is unknown.
        if carried.values > 1:
            return pairs
        numerator, denominator = pairs[0]
        return pairs[0] if denominator and (numerator or not carried.positive) else None
    number = next(iter(ifd.integers(tag)), None)
    return None if carried.positive and number == 0 else number


def carried_fields(exif: Mapping[int, ExifValue], *, in_exif: bool) -> list[Field]:
    """The fields to write for a frame's tags.

    Args:
        exif: The frame's tags; those not in `CARRIED`, and values that do not fit their type,
            are left out.
        in_exif: Whether those of the Exif IFD are wanted; else those of the first IFD.
    """
    fields: list[Field] = []
    for tag, value in exif.items():
        carried = CARRIED.get(tag)
        if carried is None or carried.in_exif is not in_exif:
            continue
        packed = _packable(value, carried)
        if packed is not None:
            fields.append(Field(tag, carried.type, packed))
    return fields


def with_sane_crop(exif: Mapping[int, ExifValue], width: int, height: int) -> dict[int, ExifValue]:
    """A frame's tags, less a default crop that is the whole frame or reaches out of it.

    Args:
        exif: The frame's tags.
        width: Columns of the frame.
        height: Rows of the frame.
    """
    left, top, across, down = (*_crop_values(exif, _CROP[0]), *_crop_values(exif, _CROP[1]))
    fits = min(across, down) >= 1 and left + across <= width and top + down <= height
    if fits and (across, down) != (width, height):
        return dict(exif)
    return {tag: value for tag, value in exif.items() if tag not in _CROP}


def _crop_values(exif: Mapping[int, ExifValue], tag: int) -> tuple[float, float]:
    flat = _packable(exif.get(tag, ""), CARRIED[tag])
    if flat is None or isinstance(flat, bytes) or not (flat[1] and flat[3]):
        return 0.0, 0.0
    return flat[0] / flat[1], flat[2] / flat[3]


def _packable(value: ExifValue, carried: Carried) -> bytes | tuple[int, ...] | None:
    if carried.type is TiffType.ASCII:
        return ascii_bytes(value) if isinstance(value, str) else None
    if isinstance(value, str):
        return None
    flat: list[int] = []
    for item in value if isinstance(value, tuple) else (value,):
        flat += item if isinstance(item, tuple) else (item,)
    low, high = _LIMITS[carried.type]
    per_value = 2 if carried.type in (TiffType.RATIONAL, TiffType.SRATIONAL) else 1
    fits = len(flat) == carried.values * per_value and all(low <= n <= high for n in flat)
    return tuple(flat) if fits else None


def ascii_bytes(text: str) -> bytes:
    """Text as TIFF keeps it: up to its first NUL, which ends it."""
    return text.split("\0")[0].encode("utf-8", "replace") + b"\0"
