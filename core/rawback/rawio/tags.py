"""TIFF, Exif and DNG tag numbers, and the Exif tags that travel with a frame.

Numbers and types: TIFF 6.0, Exif 2.32 (CIPA DC-008) and the DNG 1.4 specification.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CARRIED", "Carried", "Tag", "TiffType"]


class TiffType(IntEnum):
    """Field types of TIFF 6.0, section 2."""

    BYTE = 1
    ASCII = 2
    SHORT = 3
    LONG = 4
    RATIONAL = 5
    SBYTE = 6
    UNDEFINED = 7
    SSHORT = 8
    SLONG = 9
    SRATIONAL = 10
    FLOAT = 11
    DOUBLE = 12
    IFD = 13


class Tag(IntEnum):
    """The tags that describe structure, levels and colour."""

    NEW_SUBFILE_TYPE = 254
    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    MAKE = 271
    MODEL = 272
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES_PER_PIXEL = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTE_COUNTS = 279
    PLANAR_CONFIGURATION = 284
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILE_OFFSETS = 324
    TILE_BYTE_COUNTS = 325
    SUB_IFDS = 330
    SAMPLE_FORMAT = 339
    YCBCR_SUBSAMPLING = 530
    YCBCR_POSITIONING = 531
    CFA_REPEAT_PATTERN_DIM = 33421
    CFA_PATTERN = 33422
    EXIF_IFD = 34665
    EXIF_VERSION = 36864
    DNG_VERSION = 50706
    DNG_BACKWARD_VERSION = 50707
    UNIQUE_CAMERA_MODEL = 50708
    CFA_LAYOUT = 50711
    BLACK_LEVEL_REPEAT_DIM = 50713
    BLACK_LEVEL = 50714
    BLACK_LEVEL_DELTA_H = 50715
    BLACK_LEVEL_DELTA_V = 50716
    WHITE_LEVEL = 50717
    DEFAULT_CROP_ORIGIN = 50719
    DEFAULT_CROP_SIZE = 50720
    COLOR_MATRIX_1 = 50721
    COLOR_MATRIX_2 = 50722
    CAMERA_CALIBRATION_1 = 50723
    CAMERA_CALIBRATION_2 = 50724
    ANALOG_BALANCE = 50727
    AS_SHOT_NEUTRAL = 50728
    AS_SHOT_WHITE_XY = 50729
    CALIBRATION_ILLUMINANT_1 = 50778
    CALIBRATION_ILLUMINANT_2 = 50779
    ACTIVE_AREA = 50829
    CAMERA_CALIBRATION_SIGNATURE = 50931
    PROFILE_CALIBRATION_SIGNATURE = 50932
    PREVIEW_COLOR_SPACE = 50970
    NOISE_PROFILE = 51041


class Carried(NamedTuple):
    """How a carried tag is written.

    Attributes:
        type: Its TIFF type.
        values: How many values it has; 1 for text.
        in_exif: Whether it belongs in the Exif IFD; else in the first IFD.
        positive: Whether 0 stands for unknown, so that such a value stays behind.
    """

    type: TiffType
    values: int = 1
    in_exif: bool = True
    positive: bool = False


CARRIED: Mapping[int, Carried] = MappingProxyType(
    {
        315: Carried(TiffType.ASCII, in_exif=False),  # Artist
        33432: Carried(TiffType.ASCII, in_exif=False),  # Copyright
        33434: Carried(TiffType.RATIONAL, positive=True),  # ExposureTime
        33437: Carried(TiffType.RATIONAL, positive=True),  # FNumber
        34850: Carried(TiffType.SHORT),  # ExposureProgram
        34855: Carried(TiffType.SHORT, positive=True),  # PhotographicSensitivity (ISO)
        34864: Carried(TiffType.SHORT),  # SensitivityType
        34866: Carried(TiffType.LONG, positive=True),  # RecommendedExposureIndex: ISO above 65535
        36867: Carried(TiffType.ASCII),  # DateTimeOriginal
        36881: Carried(TiffType.ASCII),  # OffsetTimeOriginal
        37380: Carried(TiffType.SRATIONAL),  # ExposureBiasValue
        37383: Carried(TiffType.SHORT),  # MeteringMode
        37385: Carried(TiffType.SHORT),  # Flash
        37386: Carried(TiffType.RATIONAL, positive=True),  # FocalLength
        37521: Carried(TiffType.ASCII),  # SubSecTimeOriginal
        41989: Carried(TiffType.SHORT, positive=True),  # FocalLengthIn35mmFilm
        42033: Carried(TiffType.ASCII),  # BodySerialNumber
        42034: Carried(TiffType.RATIONAL, 4),  # LensSpecification
        42035: Carried(TiffType.ASCII),  # LensMake
        42036: Carried(TiffType.ASCII),  # LensModel
        50719: Carried(TiffType.RATIONAL, 2, in_exif=False),  # DefaultCropOrigin
        50720: Carried(TiffType.RATIONAL, 2, in_exif=False),  # DefaultCropSize
        50730: Carried(TiffType.SRATIONAL, in_exif=False),  # BaselineExposure
    }
)
"""The tags that are carried over, by number; all others stay behind."""
