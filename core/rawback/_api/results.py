"""What the verbs return: frozen values, which are also what ``--json`` prints."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from rawback.metrics import VisibleError

__all__ = [
    "CarrierInfo",
    "EmbedResult",
    "MetadataInfo",
    "RawFileInfo",
    "RestoreResult",
    "SectionInfo",
    "ShrinkResult",
    "Status",
    "StripResult",
    "Verification",
]

Status: TypeAlias = Literal[
    "intact", "pixels changed", "payload cut", "payload damaged", "payload missing"
]
"""What `rawback.verify` finds."""


@dataclass(frozen=True, slots=True)
class _Result:
    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON has them: names to numbers, texts, lists and null.

        Null stands for what is not a number: a PSNR without any error, or of no pixels at all.
        """
        figures: dict[str, Any] = _plain(self)
        return figures


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True, slots=True)
class SectionInfo(_Result):
    """A part of a payload.

    Attributes:
        kind: ``"header"``, ``"metadata"``, ``"border"``, ``"base"``, ``"filter"``, ``"codes"``,
            ``"latents"``, ``"residual"``, ``"exact"``, ``"remainder"``, ``"original"``,
            ``"unknown"``, or ``"packaging"``: what the carrier needs to hold the rest.
        layer: Place from coarse to fine.
        tile: Index of the tile, 0 where there is one only.
        bytes: Its size, checksum included.
        intact: Whether its checksum holds.
    """

    kind: str
    layer: int
    tile: int
    bytes: int
    intact: bool = True


@dataclass(frozen=True, slots=True)
class RawFileInfo(_Result):
    """A raw file that a payload gives back as it was.

    Attributes:
        name: Its name, without folders; empty where it had none.
        size: Its bytes.
        sha256: Its SHA-256, in hexadecimal.
        encoding: How it keeps its image data: ``"uncompressed"`` or ``"lossless JPEG"``; or
            ``"stored whole"``.
        bytes: What giving it back takes in the payload.
    """

    name: str
    size: int
    sha256: str
    encoding: str
    bytes: int


@dataclass(frozen=True, slots=True)
class MetadataInfo(_Result):
    """What a payload tells besides samples.

    Attributes:
        bytes: What that takes of the payload, checksums included.
        personal: Where names, serial numbers, places, times, titles and maker notes are:
            ``"stored"`` in the payload; ``"in the JPEG"``, from which a restored raw takes what is
            still there; or ``"left out"``.
    """

    bytes: int
    personal: Literal["stored", "in the JPEG", "left out"]

    @property
    def sentence(self) -> str:
        """The same for people."""
        return {
            "stored": "names, places, times and maker notes are in the payload",
            "in the JPEG": "names, places and times are not in the payload: a restored raw gets "
            "those that its JPEG tells",
            "left out": "names, places and times are left out",
        }[self.personal]


@dataclass(frozen=True, slots=True)
class EmbedResult(_Result):
    """What came of `rawback.embed`.

    Attributes:
        output: The file that holds the payload; None in memory.
        original: Where the JPEG as it was is kept, if it was changed in place.
        width: Columns of the raw mosaic.
        height: Rows of the raw mosaic.
        payload_bytes: All bytes put into the carrier: the sum over `sections`.
        bpp: Those bytes as bits per raw pixel.
        psnr_db: Raw PSNR of what the payload restores, in dB; infinite where that is exact.
        highlight_psnr_db: The same where the JPEG clips; nan where it does not clip.
        error_over_sigma: RMS error over the raw's own noise.
        worst_error: Largest difference between a sample and the one that comes back: whole DN, or
            a difference of numbers where samples are floating point numbers.
        visible: How different both look at 1:1 and at fit, at 0, +2 and +4 EV, estimated from a
            sample of the frame; all 0 where the payload is exact.
        exact: Whether every sample of the raw comes back, with those of its border.
        seconds: Time taken.
        peak_memory_bytes: The most memory the process has held so far; None where the system does
            not tell.
        sections: What the payload is made of.
        guided: False where the JPEG does not show the raw, which was coded on its own.
        verified: Whether what was written was read back, decoded, and found to restore just what
            these figures tell of.
        raw_file: The raw file, where the payload gives it back.
        metadata: What the payload tells besides samples.
    """

    output: Path | None
    original: Path | None
    width: int
    height: int
    payload_bytes: int
    bpp: float
    psnr_db: float
    highlight_psnr_db: float
    error_over_sigma: float
    worst_error: float
    exact: bool
    seconds: float
    peak_memory_bytes: int | None
    sections: tuple[SectionInfo, ...]
    visible: tuple[VisibleError, ...] = ()
    guided: bool = True
    verified: bool = False
    raw_file: RawFileInfo | None = None
    metadata: MetadataInfo = MetadataInfo(0, "left out")


@dataclass(frozen=True, slots=True)
class RestoreResult(_Result):
    """What came of `rawback.restore`.

    Attributes:
        output: The DNG; None in memory.
        width: Columns of the restored mosaic.
        height: Rows of the restored mosaic.
        region: Left, top, width and height of the part that was restored; None for all of it.
        exact: Whether the mosaic is, sample for sample, the one that was embedded, with its
            border; False also where only a part was restored, which has no checksum.
        complete: False where damaged sections had to be left out.
        seconds: Time taken.
        peak_memory_bytes: The most memory the process has held so far; None where the system does
            not tell.
        raw_file: What the output is, where it is not a DNG but the raw file that was embedded.
        grain: Whether grain was added.
    """

    output: Path | None
    width: int
    height: int
    region: tuple[int, int, int, int] | None
    exact: bool
    complete: bool
    seconds: float
    peak_memory_bytes: int | None
    raw_file: RawFileInfo | None = None
    grain: bool = False


@dataclass(frozen=True, slots=True)
class CarrierInfo(_Result):
    """What a carrier, or a detached payload, says about itself.

    Attributes:
        format_version: Version of the payload format.
        make: Manufacturer of the camera.
        model: Camera model.
        width: Columns of the raw mosaic.
        height: Rows of the raw mosaic.
        pattern: Colours of its samples: ``"RGGB"``, the rows of a larger pattern with slashes
            between them, ``"R+G+B"`` of linear RGB, ``"W"`` of monochrome raws; see
            :class:`rawback.Mosaic`.
        orientation: EXIF orientation, 1 to 8, that turns the mosaic upright.
        carrier_width: Columns of the JPEG the payload was made for.
        carrier_height: Rows of that JPEG.
        payload_bytes: All bytes the payload takes in the file: the sum over `sections`.
        bpp: Those bytes as bits per raw pixel.
        exact: Whether the payload restores the raw sample for sample, with its border.
        intact: Whether all checksums hold.
        sections: What the payload is made of.
        raw_file: The raw file, where the payload gives it back as it was; None where it does not.
        metadata: What it tells besides samples.
        floating_point: Whether samples are floating point numbers, not integers.
    """

    format_version: str
    make: str
    model: str
    width: int
    height: int
    pattern: str
    orientation: int
    carrier_width: int
    carrier_height: int
    payload_bytes: int
    bpp: float
    exact: bool
    intact: bool
    sections: tuple[SectionInfo, ...]
    raw_file: RawFileInfo | None = None
    metadata: MetadataInfo = MetadataInfo(0, "left out")
    floating_point: bool = False


@dataclass(frozen=True, slots=True)
class Verification(_Result):
    """What `rawback.verify` found.

    Attributes:
        status: The gravest finding, or ``"intact"``.
        detail: One sentence about it.
        psnr_db: Raw PSNR against the raw, in dB; None without a raw, or where nothing could be
            restored to compare.
        worst_error: Largest difference between samples of the two: whole DN, or a difference of
            numbers where samples are floating point numbers. None where `psnr_db` is.
        exact: Whether the restored samples equal the raw's; None where `psnr_db` is.
        sections: What the payload is made of.
        visible: How different the restored raw and the raw look at 1:1 and at fit, at 0, +2 and
            +4 EV, over the whole frame; empty where `psnr_db` is None.
    """

    status: Status
    detail: str
    psnr_db: float | None
    worst_error: float | None
    exact: bool | None
    sections: tuple[SectionInfo, ...]
    visible: tuple[VisibleError, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.status == "intact"


@dataclass(frozen=True, slots=True)
class ShrinkResult(_Result):
    """What came of `rawback.shrink`.

    Attributes:
        output: The smaller carrier; None in memory.
        payload_bytes: All bytes the payload now takes in the file.
        bpp: Those bytes as bits per raw pixel.
        removed_bytes: Bytes that were cut off.
        sections: What is left.
    """

    output: Path | None
    payload_bytes: int
    bpp: float
    removed_bytes: int
    sections: tuple[SectionInfo, ...]


@dataclass(frozen=True, slots=True)
class StripResult(_Result):
    """What came of `rawback.strip`.

    Attributes:
        output: The JPEG without a payload; None where it went to no file.
        removed_bytes: Bytes that were taken out.
    """

    output: Path | None
    removed_bytes: int
