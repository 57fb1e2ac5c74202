"""What a file is, and why it cannot be read where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from rawback.errors import DamagedRaw, UnsupportedRaw
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.rawio.tiff import Ifd

__all__ = [
    "CFA",
    "LINEAR_RAW",
    "check_supported",
    "is_dng",
    "main_ifd",
    "name_of",
    "refuse",
]

CFA, LINEAR_RAW = 32803, 34892
_FLOAT = 3
_RECTANGULAR = 1
# Panasonic says so where the offset stands in a tag of its own.
_OFFSET_ELSEWHERE = 0xFFFFFFFF

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (4, b"JXL ", "a JPEG XL image"),
    (4, b"ftypheic", "a HEIF image"),
    (4, b"ftypmif1", "a HEIF image"),
    (4, b"ftypavif", "an AVIF image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"8BPS", "a Photoshop document"),
    (8, b"WEBP", "a WebP image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
)


def name_of(data: bytes) -> str | None:
    """What a file that is no raw is, by its first bytes: ``"a JPEG image"``; None if unknown."""
    return next((name for at, mark, name in _SIGNATURES if data.startswith(mark, at)), None)


def is_dng(ifds: Sequence[Ifd]) -> bool:
    """Whether the TIFF directories are those of a DNG."""
    return bool(ifds) and Tag.DNG_VERSION in ifds[0]


def _area(ifd: Ifd) -> int:
    return ifd.integer(Tag.IMAGE_WIDTH, 0) * ifd.integer(Tag.IMAGE_LENGTH, 0)


def main_ifd(ifds: Sequence[Ifd]) -> Ifd | None:
    """The directory of a DNG's full resolution raw image; None where there is none."""
    raws = [
        ifd
        for ifd in ifds
        if ifd.integer(Tag.NEW_SUBFILE_TYPE, 0) == 0
        and ifd.integer(Tag.PHOTOMETRIC, -1) in (CFA, LINEAR_RAW)
    ]
    return max(
        raws, key=lambda ifd: (ifd.integer(Tag.PHOTOMETRIC, 0) == CFA, _area(ifd)), default=None
    )


def _unsupported(ifd: Ifd) -> str:
    """What kind of raw the directory holds, if it is one that is not read; else empty."""
    samples = ifd.integer(Tag.SAMPLES_PER_PIXEL, 1)
    if ifd.integer(Tag.PHOTOMETRIC, CFA) == LINEAR_RAW:
        if samples not in (1, 3):
            return f"a linear DNG of {samples} colours"
    elif samples != 1:
        return "a multi-shot raw with several samples per pixel"
    is_float = ifd.integer(Tag.SAMPLE_FORMAT, 1) == _FLOAT
    if ifd.integer(Tag.BITS_PER_SAMPLE, 16) > 16 and not is_float:
        return "a raw of more than 16 bits per sample"
    if ifd.integer(Tag.CFA_LAYOUT, _RECTANGULAR) != _RECTANGULAR:
        return "a raw with a staggered CFA"
    return ""


def _is_multi_shot(ifds: Sequence[Ifd], main: Ifd) -> bool:
    """Whether several mosaics of the main one's size lie in the file, as in pixel-shift raws."""
    twins = [
        ifd
        for ifd in ifds
        if ifd.integer(Tag.PHOTOMETRIC, -1) == CFA
        and ifd.integer(Tag.NEW_SUBFILE_TYPE, 0) == 0
        and _area(ifd) == _area(main)
    ]
    return len({tuple(ifd.extents()) for ifd in twins}) > 1


def check_supported(data: bytes, ifds: Sequence[Ifd], label: str) -> None:
    """Raise where the file's own structure says that it cannot be read.

    Args:
        data: The file.
        ifds: Its TIFF directories; empty where it has none.
        label: What messages call the file.

    Raises:
        UnsupportedRaw: A raw of a kind that is not read yet, or no raw at all.
        DamagedRaw: The file ends before its image data does.
    """
    if data.startswith(b"FOVb"):
        refuse("a Foveon raw", label, "use a DNG that the camera or a converter made of it")
    if _is_cut(data, ifds):
        message = (
            f"{label} is cut or damaged, as image data is missing at its end: "
            "copy it again from the camera or a backup."
        )
        raise DamagedRaw(message)
    main = main_ifd(ifds) if is_dng(ifds) else None
    if main is None:
        return
    kind = _unsupported(main)
    if not kind and _is_multi_shot(ifds, main):
        kind = "a multi-shot raw"
    if kind:
        refuse(kind, label)


def refuse(kind: str, label: str, advice: str = "use a single-shot raw of the camera") -> NoReturn:
    """Name a kind of raw that is not read, and say what to do.

    Raises:
        UnsupportedRaw: Always.
    """
    message = f"{label} is {kind}, which is not supported: {advice}."
    raise UnsupportedRaw(message)


def _is_cut(data: bytes, ifds: Sequence[Ifd]) -> bool:
    """Whether a TIFF-based or ISO-based raw ends before its image data does.

    LibRaw reads some cut files without a word, the missing part as noise or black.
    """
    if data[4:8] == b"ftyp":
        return _boxes_are_cut(data)
    if not ifds:
        return data[:4] in (b"II*\0", b"MM\0*")
    main = main_ifd(ifds) if is_dng(ifds) else None
    if main is None:
        # Raw formats that are not DNG name their images in many ways; the raw is the largest.
        images = [ifd for ifd in ifds if ifd.extents()]
        main = max(images, key=lambda ifd: sum(n for _, n in ifd.extents()), default=None)
    if main is None or _OFFSET_ELSEWHERE in main.integers(Tag.STRIP_OFFSETS):
        return False
    return main.outside_file()


def _boxes_are_cut(data: bytes) -> bool:
    """Whether the last top-level box of an ISO base media file (ISO/IEC 14496-12) is cut."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return False
        if size < 8:
            return True
        at += size
    return at != len(data)
