"""Which tags of a raw belong to what: the one table that says what is carried over, and when.

Tags of TIFF 6.0, TIFF/EP (ISO 12234-2), Exif 2.32 (CIPA DC-008) and DNG 1.7.1. Numbers mean the
same in the first directory and in that of Exif; GPS and interoperability tags count from 0 anew.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from rawback.metadata import Directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawback.metadata import Entry

__all__ = ["TAG_KINDS", "TagKind", "is_rendering", "kind_of"]


class TagKind(Enum):
    """What becomes of a tag.

    Attributes:
        STRUCTURE: Says how this very file keeps its samples; made anew for each file.
        RENDERING: Changes what an editor makes of the samples; always carried over.
        PERSONAL: Says who took the picture, with which copies of camera and lens, where, when and
            how; carried over as the user wants it. So is every tag that is not in the table.
        THUMBNAIL: Describes the preview in the file; another preview takes its place.
    """

    STRUCTURE = "structure"
    RENDERING = "rendering"
    PERSONAL = "personal"
    THUMBNAIL = "thumbnail"


_STRUCTURE = {
    254: "NewSubfileType", 255: "SubfileType", 256: "ImageWidth", 257: "ImageLength",
    258: "BitsPerSample", 259: "Compression", 262: "PhotometricInterpretation",
    263: "Threshholding", 264: "CellWidth", 265: "CellLength", 266: "FillOrder",
    273: "StripOffsets", 274: "Orientation", 277: "SamplesPerPixel", 278: "RowsPerStrip",
    279: "StripByteCounts", 280: "MinSampleValue", 281: "MaxSampleValue",
    284: "PlanarConfiguration", 288: "FreeOffsets", 289: "FreeByteCounts", 292: "T4Options",
    293: "T6Options", 317: "Predictor", 320: "ColorMap", 322: "TileWidth", 323: "TileLength",
    324: "TileOffsets", 325: "TileByteCounts", 330: "SubIFDs", 338: "ExtraSamples",
    340: "SMinSampleValue", 341: "SMaxSampleValue", 347: "JPEGTables",
    512: "JPEGProc", 513: "JPEGInterchangeFormat", 514: "JPEGInterchangeFormatLength",
    515: "JPEGRestartInterval", 517: "JPEGLosslessPredictors", 518: "JPEGPointTransforms",
    519: "JPEGQTables", 520: "JPEGDCTables", 521: "JPEGACTables", 529: "YCbCrCoefficients",
    530: "YCbCrSubSampling", 531: "YCbCrPositioning", 532: "ReferenceBlackWhite",
    33421: "CFARepeatPatternDim", 33422: "CFAPattern",
    34665: "ExifIFD", 34853: "GPSInfoIFD",
    36864: "ExifVersion", 37121: "ComponentsConfiguration", 37122: "CompressedBitsPerPixel",
    37398: "TIFFEPStandardID", 40960: "FlashpixVersion", 40961: "ColorSpace",
    40962: "PixelXDimension", 40963: "PixelYDimension", 40965: "InteroperabilityIFD",
    41730: "CFAPattern (Exif)",
    # LibRaw hands out samples that have gone through the table.
    50712: "LinearizationTable",
    # What these lead to is kept, each profile as a directory of its own.
    50933: "ExtraCameraProfiles",
    # The file that a converter was given; `rawback embed --original` has a better answer.
    50828: "OriginalRawFileData", 50973: "OriginalRawFileDigest",
    50972: "RawImageDigest", 50974: "SubTileBlockSize", 50975: "RowInterleaveFactor",
    51111: "NewRawImageDigest", 51114: "CacheVersion", 52547: "ColumnInterleaveFactor",
    52553: "JXLDistance", 52554: "JXLEffort", 52555: "JXLDecodeSpeed", 59932: "Padding",
    59933: "OffsetSchema",
}  # fmt: skip

_RENDERING = {
    # By which rules the others are read.
    50706: "DNGVersion", 50707: "DNGBackwardVersion",
    # Whose raw it is: editors find their profiles by it.
    271: "Make", 272: "Model", 50708: "UniqueCameraModel", 50709: "LocalizedCameraModel",
    # Exposure: what noise and lens profiles go by, and a default exposure compensation.
    33434: "ExposureTime", 33437: "FNumber", 34855: "PhotographicSensitivity",
    34864: "SensitivityType", 34865: "StandardOutputSensitivity",
    34866: "RecommendedExposureIndex", 34867: "ISOSpeed", 34868: "ISOSpeedLatitudeyyy",
    34869: "ISOSpeedLatitudezzz", 37377: "ShutterSpeedValue", 37378: "ApertureValue",
    37380: "ExposureBiasValue", 37386: "FocalLength", 41989: "FocalLengthIn35mmFilm",
    # Levels and geometry.
    339: "SampleFormat", 50710: "CFAPlaneColor", 50711: "CFALayout",
    50713: "BlackLevelRepeatDim", 50714: "BlackLevel",
    50715: "BlackLevelDeltaH", 50716: "BlackLevelDeltaV", 50717: "WhiteLevel",
    50718: "DefaultScale", 50719: "DefaultCropOrigin", 50720: "DefaultCropSize",
    50780: "BestQualityScale", 50829: "ActiveArea", 50830: "MaskedAreas",
    51089: "OriginalDefaultFinalSize", 51090: "OriginalBestQualityFinalSize",
    51091: "OriginalDefaultCropSize", 51125: "DefaultUserCrop",
    # Colour.
    50721: "ColorMatrix1", 50722: "ColorMatrix2", 50723: "CameraCalibration1",
    50724: "CameraCalibration2", 50725: "ReductionMatrix1", 50726: "ReductionMatrix2",
    50727: "AnalogBalance", 50728: "AsShotNeutral", 50729: "AsShotWhiteXY",
    50778: "CalibrationIlluminant1", 50779: "CalibrationIlluminant2", 50831: "AsShotICCProfile",
    50832: "AsShotPreProfileMatrix", 50833: "CurrentICCProfile",
    50834: "CurrentPreProfileMatrix", 50879: "ColorimetricReference",
    50931: "CameraCalibrationSignature", 50932: "ProfileCalibrationSignature",
    50964: "ForwardMatrix1", 50965: "ForwardMatrix2", 52529: "CalibrationIlluminant3",
    52530: "CameraCalibration3", 52531: "ColorMatrix3", 52532: "ForwardMatrix3",
    52533: "IlluminantData1", 52534: "IlluminantData2", 52535: "IlluminantData3",
    52538: "ReductionMatrix3",
    # How bright, sharp and noisy.
    50730: "BaselineExposure", 50731: "BaselineNoise", 50732: "BaselineSharpness",
    50733: "BayerGreenSplit", 50734: "LinearResponseLimit", 50737: "ChromaBlurRadius",
    50738: "AntiAliasStrength", 50739: "ShadowScale", 50935: "NoiseReductionApplied",
    51041: "NoiseProfile", 51109: "BaselineExposureOffset", 51110: "DefaultBlackRender",
    # Profiles, gains and corrections.
    50934: "AsShotProfileName", 50936: "ProfileName", 50937: "ProfileHueSatMapDims",
    50938: "ProfileHueSatMapData1", 50939: "ProfileHueSatMapData2", 50940: "ProfileToneCurve",
    50941: "ProfileEmbedPolicy", 50942: "ProfileCopyright", 50981: "ProfileLookTableDims",
    50982: "ProfileLookTableData", 51008: "OpcodeList1", 51009: "OpcodeList2",
    51022: "OpcodeList3", 51107: "ProfileHueSatMapEncoding", 51108: "ProfileLookTableEncoding",
    52525: "ProfileGainTableMap", 52537: "ProfileHueSatMapData3", 52543: "RGBTables",
    52544: "ProfileGainTableMap2", 52551: "ProfileDynamicRange", 52552: "ProfileGroupName",
}  # fmt: skip

_PERSONAL = {
    269: "DocumentName", 270: "ImageDescription", 282: "XResolution", 283: "YResolution",
    285: "PageName", 296: "ResolutionUnit", 297: "PageNumber", 301: "TransferFunction",
    305: "Software", 306: "DateTime", 315: "Artist", 316: "HostComputer", 318: "WhitePoint",
    319: "PrimaryChromaticities", 700: "XMP", 18246: "Rating", 18249: "RatingPercent",
    33423: "BatteryLevel", 33432: "Copyright", 33723: "IPTC", 34377: "PhotoshopSettings",
    34675: "ICCProfile", 34850: "ExposureProgram", 34852: "SpectralSensitivity", 34856: "OECF",
    34857: "Interlace", 34858: "TimeZoneOffset", 34859: "SelfTimerMode",
    36867: "DateTimeOriginal", 36868: "DateTimeDigitized", 36880: "OffsetTime",
    36881: "OffsetTimeOriginal", 36882: "OffsetTimeDigitized", 37379: "BrightnessValue",
    37381: "MaxApertureValue", 37382: "SubjectDistance", 37383: "MeteringMode",
    37384: "LightSource", 37385: "Flash", 37387: "FlashEnergy (TIFF/EP)",
    37388: "SpatialFrequencyResponse (TIFF/EP)", 37389: "Noise",
    37390: "FocalPlaneXResolution (TIFF/EP)", 37391: "FocalPlaneYResolution (TIFF/EP)",
    37392: "FocalPlaneResolutionUnit (TIFF/EP)", 37393: "ImageNumber",
    37394: "SecurityClassification", 37395: "ImageHistory", 37396: "SubjectArea",
    37397: "ExposureIndex (TIFF/EP)", 37399: "SensingMethod (TIFF/EP)", 37500: "MakerNote",
    37510: "UserComment", 37520: "SubSecTime", 37521: "SubSecTimeOriginal",
    37522: "SubSecTimeDigitized", 37888: "AmbientTemperature", 37889: "Humidity",
    37890: "Pressure", 37891: "WaterDepth", 37892: "Acceleration",
    37893: "CameraElevationAngle", 40091: "XPTitle", 40092: "XPComment", 40093: "XPAuthor",
    40094: "XPKeywords", 40095: "XPSubject", 40964: "RelatedSoundFile", 41483: "FlashEnergy",
    41484: "SpatialFrequencyResponse", 41486: "FocalPlaneXResolution",
    41487: "FocalPlaneYResolution", 41488: "FocalPlaneResolutionUnit", 41492: "SubjectLocation",
    41493: "ExposureIndex", 41495: "SensingMethod", 41728: "FileSource", 41729: "SceneType",
    41985: "CustomRendered", 41986: "ExposureMode", 41987: "WhiteBalance",
    41988: "DigitalZoomRatio", 41990: "SceneCaptureType", 41991: "GainControl",
    41992: "Contrast", 41993: "Saturation", 41994: "Sharpness",
    41995: "DeviceSettingDescription", 41996: "SubjectDistanceRange", 42016: "ImageUniqueID",
    42032: "CameraOwnerName", 42033: "BodySerialNumber", 42034: "LensSpecification",
    42035: "LensMake", 42036: "LensModel", 42037: "LensSerialNumber", 42080: "CompositeImage",
    42081: "SourceImageNumberOfCompositeImage",
    42082: "SourceExposureTimesOfCompositeImage", 42240: "Gamma",
    50735: "CameraSerialNumber", 50736: "LensInfo", 50740: "DNGPrivateData",
    50741: "MakerNoteSafety", 50781: "RawDataUniqueID", 50827: "OriginalRawFileName",
    51043: "TimeCodes", 51044: "FrameRate", 51058: "TStop", 51081: "ReelName",
    51105: "CameraLabel", 51177: "DepthFormat", 51178: "DepthNear", 51179: "DepthFar",
    51180: "DepthUnits", 51181: "DepthMeasureType", 51182: "EnhanceParams",
    52526: "SemanticName", 52528: "SemanticInstanceID", 52536: "MaskSubArea",
    52548: "ImageSequenceInfo", 52550: "ImageStats",
}  # fmt: skip

_THUMBNAIL = {
    50966: "PreviewApplicationName", 50967: "PreviewApplicationVersion",
    50968: "PreviewSettingsName", 50969: "PreviewSettingsDigest", 50970: "PreviewColorSpace",
    50971: "PreviewDateTime", 51112: "RawToPreviewGain",
}  # fmt: skip

TAG_KINDS: Mapping[int, tuple[str, TagKind]] = MappingProxyType(
    {
        tag: (name, kind)
        for kind, names in (
            (TagKind.STRUCTURE, _STRUCTURE),
            (TagKind.RENDERING, _RENDERING),
            (TagKind.PERSONAL, _PERSONAL),
            (TagKind.THUMBNAIL, _THUMBNAIL),
        )
        for tag, name in names.items()
    }
)
"""Name and kind of every known tag of the first directory, the raw's and Exif, by number."""


def kind_of(directory: int, tag: int) -> TagKind:
    """What becomes of a tag; one that is not known is personal."""
    if directory in (Directory.GPS, Directory.INTEROPERABILITY):
        return TagKind.PERSONAL
    return TAG_KINDS[tag][1] if tag in TAG_KINDS else TagKind.PERSONAL


def is_rendering(entry: Entry) -> bool:
    """Whether an entry is always carried over."""
    return kind_of(entry.directory, entry.tag) is TagKind.RENDERING
