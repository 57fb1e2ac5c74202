"""The raw file itself, in a payload and out of it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from rawback import bitstream, original
from rawback._api.packaging import contents
from rawback._api.results import RawFileInfo
from rawback.errors import OriginalUnavailable, PayloadDamaged
from rawback.files import RAW_SUFFIXES

if TYPE_CHECKING:
    import os

    from rawback.files import StrPath
    from rawback.rate import Rate
    from rawback.types import RawFrame

__all__ = [
    "KeepOriginal",
    "is_stored_whole",
    "original_name",
    "original_rate",
    "original_recipe",
    "original_section",
    "raw_file_info",
    "rebuilt",
]

KeepOriginal: TypeAlias = bool | Literal["store"]
"""Whether the raw file itself is kept: False, True if it can be made again from its samples,
``"store"`` in any case, whole if need be."""

_DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{n}{k}" for n in ("COM", "LPT") for k in range(1, 10)}
"""Names that are no files on Windows, whatever suffix they have."""

_KIND = bitstream.SectionKind.ORIGINAL


def original_rate(rate: Rate | None, keep: KeepOriginal) -> Rate | None:
    """The rate that goes with keeping the raw file: lossless, unless another was asked for.

    Raises:
        ValueError: Another was asked for, and the file is not stored whole.
    """
    from rawback.rate import Rate

    if not keep:
        return rate
    if rate is None:
        return Rate.lossless()
    if keep != "store" and not rate.is_lossless:
        message = 'original=True needs all samples; give no rate, or original="store"'
        raise ValueError(message)
    return rate


def original_section(
    raw: StrPath | bytes, frame: RawFrame, rate: Rate, keep: KeepOriginal, name: str = ""
) -> bytes:
    """The section that gives back a raw file, as a payload ends with it; empty without one.

    Args:
        raw: The raw file: its path, or its bytes.
        frame: What was read from it.
        rate: Of the payload.
        keep: Whether and how the file is kept.
        name: Of the file, if `raw` is its bytes.

    Raises:
        OriginalUnavailable: It cannot be made again from its samples, and is not to be stored.
    """
    if not keep:
        return b""
    from rawback.original.making import make_recipe, store_whole

    data = contents(raw)
    name = name if isinstance(raw, bytes) else Path(raw).name
    recipe = b""
    if rate.is_lossless:
        try:
            recipe = make_recipe(data, frame.whole_mosaic, name=name)
        except OriginalUnavailable:
            if keep != "store":
                raise
    recipe = recipe or store_whole(data, name=name)
    return b"".join(bitstream.Section(_KIND, 0, 0, recipe).parts())


def original_recipe(payload: bitstream.Payload) -> bytes | None:
    """The recipe in a payload; None if there is none."""
    return next((item.data for item in payload.sections if item.kind == _KIND), None)


def raw_file_info(payload: bitstream.Payload) -> RawFileInfo | None:
    """What a payload says of the raw file that it can give back; None if it cannot.

    Args:
        payload: Its sections that are intact.
    """
    recipe = original_recipe(payload)
    if recipe is None:
        return None
    try:
        head = original.read_recipe(recipe).head
    except PayloadDamaged:
        return None
    if not head.stored and payload.header.cfa_digest is None:
        return None
    return RawFileInfo(head.name, head.size, head.digest.hex(), head.encoding, len(recipe))


def is_stored_whole(recipe: bytes) -> bool:
    """Whether a recipe needs no samples.

    Raises:
        PayloadDamaged: It is damaged.
    """
    return original.read_recipe(recipe).head.stored


def rebuilt(recipe: bytes, frame: RawFrame | None) -> bytes:
    """The raw file.

    Args:
        recipe: From `original_recipe`.
        frame: The frame, all of its samples as they were; a file that is stored whole needs none.

    Raises:
        PayloadDamaged: The recipe is damaged.
        OriginalUnavailable: The samples are not all there.
        VerificationFailed: What comes of it is not the original.
    """
    from rawback.original.rebuilding import rebuild

    return rebuild(recipe, None if frame is None else frame.whole_mosaic)


def original_name(recipe: bytes, carrier: str | os.PathLike[str]) -> Path:
    """Where a raw file belongs: beside its carrier, under its own name.

    A name that no raw would have is not taken, as the payload may come from anybody.

    Raises:
        PayloadDamaged: The recipe is damaged.
    """
    place = Path(carrier)
    name = original.read_recipe(recipe).head.name
    known = Path(name).suffix.lower() in RAW_SUFFIXES and Path(name).stem.upper() not in _DEVICES
    plain = name.isprintable() and not set(name) & set('/\\:*?"<>|') and name == name.strip(". ")
    stem = place.stem.removesuffix(".rawback")
    return place.with_name(name if known and plain else f"{stem}.original")
