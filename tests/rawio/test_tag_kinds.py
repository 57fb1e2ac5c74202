"""Which tags are carried over, and when."""

from __future__ import annotations

import pytest

from rawback.metadata import Directory
from rawback.rawio.tag_kinds import TAG_KINDS, TagKind, kind_of


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (TagKind.STRUCTURE, "ImageWidth StripOffsets CFAPattern LinearizationTable SubIFDs"),
        (TagKind.STRUCTURE, "OriginalRawFileData NewRawImageDigest JXLDistance"),
        (TagKind.RENDERING, "Make Model UniqueCameraModel ColorMatrix1 ColorMatrix2 ColorMatrix3"),
        (TagKind.RENDERING, "ForwardMatrix1 ForwardMatrix3 ReductionMatrix2 AnalogBalance"),
        (TagKind.RENDERING, "CameraCalibration1 CalibrationIlluminant2 IlluminantData3"),
        (TagKind.RENDERING, "ProfileHueSatMapData1 ProfileHueSatMapData3 ProfileLookTableData"),
        (TagKind.RENDERING, "ProfileToneCurve ProfileGainTableMap ProfileGainTableMap2 RGBTables"),
        (TagKind.RENDERING, "OpcodeList1 OpcodeList2 OpcodeList3 NoiseProfile DefaultUserCrop"),
        (TagKind.RENDERING, "DefaultScale BestQualityScale BlackLevelDeltaH BlackLevelDeltaV"),
        (TagKind.RENDERING, "MaskedAreas ActiveArea AntiAliasStrength ShadowScale WhiteLevel"),
        (TagKind.RENDERING, "BaselineExposure BaselineExposureOffset LinearResponseLimit"),
        (TagKind.RENDERING, "DefaultBlackRender BayerGreenSplit NoiseReductionApplied ISOSpeed"),
        (TagKind.PERSONAL, "Artist Copyright ImageDescription XMP IPTC Rating MakerNote"),
        (TagKind.PERSONAL, "BodySerialNumber LensSerialNumber CameraSerialNumber LensModel"),
        (TagKind.PERSONAL, "CameraOwnerName DateTimeOriginal OffsetTimeOriginal DNGPrivateData"),
        (TagKind.PERSONAL, "RawDataUniqueID OriginalRawFileName LensInfo UserComment Software"),
        (TagKind.THUMBNAIL, "PreviewColorSpace PreviewSettingsDigest RawToPreviewGain"),
    ],
)
def test_kinds(kind: TagKind, names: str) -> None:
    kinds = dict(TAG_KINDS.values())
    assert {name: kinds[name] for name in names.split()} == dict.fromkeys(names.split(), kind)


def test_no_tag_is_of_two_kinds() -> None:
    names = [name for name, _ in TAG_KINDS.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("directory", "tag"),
    [(Directory.IMAGE, 65000), (Directory.EXIF, 59999), (Directory.GPS, 2), (Directory.GPS, 271)],
)
def test_what_is_not_known_is_personal(directory: Directory, tag: int) -> None:
    assert kind_of(directory, tag) is TagKind.PERSONAL


def test_every_tag_of_dng_is_known() -> None:
    """All numbers that DNG has taken, up to version 1.7.1, less those that are not used."""
    taken = {
        *range(50706, 50742), *range(50778, 50782), *range(50827, 50835), 50879,
        *range(50931, 50943), *range(50964, 50976), 50981, 50982, 51008, 51009, 51022, 51041,
        51043, 51044, 51058, 51081, *range(51089, 51092), 51105, *range(51107, 51113), 51114, 51125,
        *range(51177, 51183), 52525, 52526, 52528, *range(52529, 52539), 52543, 52544, 52547, 52548,
        *range(52550, 52556),
    }  # fmt: skip
    assert taken <= set(TAG_KINDS)
