"""rawback: a JPEG that carries its raw.

Six verbs on files, each with a twin on bytes, and typed results::

    import rawback

    rawback.embed("photo.dng", "photo.jpg", rate=rawback.Rate.size(200_000))
    rawback.restore("photo.rawback.jpg", "again.dng")

Everything is loaded on first use, so that ``import rawback`` costs next to nothing and looking at
a carrier loads no codec.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rawback._api.carriers import inspect, shrink, shrink_bytes, strip, strip_bytes
    from rawback._api.curve import Curve, CurvePoint
    from rawback._api.embed import DEFAULT_QUALITY, embed, embed_bytes
    from rawback._api.metadata import MetadataChoice
    from rawback._api.restoring import restore, restore_bytes, verify
    from rawback._api.results import (
        CarrierInfo,
        EmbedResult,
        MetadataInfo,
        RawFileInfo,
        RestoreResult,
        SectionInfo,
        ShrinkResult,
        Status,
        StripResult,
        Verification,
    )
    from rawback._api.runtime import Codec, set_threads
    from rawback._api.session import Session, open_session
    from rawback._api.session_results import Encoding, Overlay, Preview, SectionEnd
    from rawback._api.viewer import OpenedCarrier, carrier_for, open_carrier
    from rawback.batch import (
        Ambiguity,
        BatchReport,
        BatchWatcher,
        EmbedTask,
        Match,
        Outcome,
        Pair,
        Pairing,
        Unmatched,
        embed_many,
        pair_up,
        restore_many,
    )
    from rawback.errors import (
        Cancelled,
        DamagedCarrier,
        DamagedRaw,
        NothingToRegister,
        OriginalUnavailable,
        OutputRefused,
        PayloadDamaged,
        PayloadMissing,
        PayloadTooNew,
        PixelsChanged,
        RateUnreachable,
        RawbackError,
        ShotMismatch,
        SignedCarrier,
        UnsupportedCarrier,
        UnsupportedRaw,
        VerificationFailed,
    )
    from rawback.files import JPEG_SUFFIXES, RAW_SUFFIXES
    from rawback.metrics import VisibleError
    from rawback.mosaic import Mosaic
    from rawback.rate import Rate, Tune
    from rawback.types import Guide, NoiseModel, Progress, RawFrame

__all__ = [
    "DEFAULT_QUALITY",
    "JPEG_SUFFIXES",
    "RAW_SUFFIXES",
    "Ambiguity",
    "BatchReport",
    "BatchWatcher",
    "Cancelled",
    "CarrierInfo",
    "Codec",
    "Curve",
    "CurvePoint",
    "DamagedCarrier",
    "DamagedRaw",
    "EmbedResult",
    "EmbedTask",
    "Encoding",
    "Guide",
    "Match",
    "MetadataChoice",
    "MetadataInfo",
    "Mosaic",
    "NoiseModel",
    "NothingToRegister",
    "OpenedCarrier",
    "OriginalUnavailable",
    "Outcome",
    "OutputRefused",
    "Overlay",
    "Pair",
    "Pairing",
    "PayloadDamaged",
    "PayloadMissing",
    "PayloadTooNew",
    "PixelsChanged",
    "Preview",
    "Progress",
    "Rate",
    "RateUnreachable",
    "RawFileInfo",
    "RawFrame",
    "RawbackError",
    "RestoreResult",
    "SectionEnd",
    "SectionInfo",
    "Session",
    "ShotMismatch",
    "ShrinkResult",
    "SignedCarrier",
    "Status",
    "StripResult",
    "Tune",
    "Unmatched",
    "UnsupportedCarrier",
    "UnsupportedRaw",
    "Verification",
    "VerificationFailed",
    "VisibleError",
    "__version__",
    "carrier_for",
    "embed",
    "embed_bytes",
    "embed_many",
    "inspect",
    "open_carrier",
    "open_session",
    "pair_up",
    "restore",
    "restore_bytes",
    "restore_many",
    "set_threads",
    "shrink",
    "shrink_bytes",
    "strip",
    "strip_bytes",
    "verify",
]

__version__ = "0.1.0"

_HOMES = {
    "rawback._api.carriers": ("inspect", "shrink", "shrink_bytes", "strip", "strip_bytes"),
    "rawback._api.curve": ("Curve", "CurvePoint"),
    "rawback._api.embed": ("DEFAULT_QUALITY", "embed", "embed_bytes"),
    "rawback._api.metadata": ("MetadataChoice",),
    "rawback._api.session_results": ("Encoding", "Overlay", "Preview", "SectionEnd"),
    "rawback._api.runtime": ("Codec", "set_threads"),
    "rawback._api.viewer": ("OpenedCarrier", "carrier_for", "open_carrier"),
    "rawback._api.restoring": ("restore", "restore_bytes", "verify"),
    "rawback._api.results": (
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
    ),
    "rawback._api.session": ("Session", "open_session"),
    "rawback.files": ("JPEG_SUFFIXES", "RAW_SUFFIXES"),
    "rawback.batch": (
        "Ambiguity",
        "BatchReport",
        "BatchWatcher",
        "EmbedTask",
        "Match",
        "Outcome",
        "Pair",
        "Pairing",
        "Unmatched",
        "embed_many",
        "pair_up",
        "restore_many",
    ),
    "rawback.metrics": ("VisibleError",),
    "rawback.mosaic": ("Mosaic",),
    "rawback.rate": ("Rate", "Tune"),
    "rawback.types": ("Guide", "NoiseModel", "Progress", "RawFrame"),
    "rawback.errors": (
        "Cancelled",
        "DamagedCarrier",
        "DamagedRaw",
        "NothingToRegister",
        "OriginalUnavailable",
        "OutputRefused",
        "PayloadDamaged",
        "PayloadMissing",
        "PayloadTooNew",
        "PixelsChanged",
        "RateUnreachable",
        "RawbackError",
        "ShotMismatch",
        "SignedCarrier",
        "UnsupportedCarrier",
        "UnsupportedRaw",
        "VerificationFailed",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        message = f"module 'rawback' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
