"""What hostile bytes are fed to, each returning a result or raising a `RawbackError`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import rawback
from rawback import container
from rawback.bitstream import SectionKind, cbor, unpack
from rawback.bitstream.header import write_header
from rawback.common.header_fields import ResidualParameters
from rawback.common.latents import LatentHeader
from rawback.errors import RawbackError
from rawback.geometry import Geometry, build_guide
from rawback.jpegio import decode_jpeg
from rawback.mosaic import Mosaic
from rawback.residual import LosslessModel, read_code_values
from rawback.tone import Base, colour_histogram
from rawback_lab.reliability.mutations import Mutator
from rawback_lab.reliability.shots import carriers

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["feed_parsers", "feed_restore", "honest", "replay"]

_MOSAIC = Mosaic.parse("RGGB")
_SIZE = (64, 64)
_LARGEST_GUIDE = 1 << 16


def honest() -> tuple[bytes, ...]:
    """The carriers that mutations start from."""
    return tuple(carriers().values())


def feed_restore(random: Random) -> bytes:
    """A carrier for `replay`: one in five changed anywhere, the others inside the payload."""
    files = honest()
    carrier = random.choice(files)
    mutator = Mutator(random, files)
    if random.random() < 0.2:
        return mutator.changed(carrier)
    payload = mutator.payload(container.extract_payload(carrier))
    return container.embed_payload(container.remove_payload(carrier), payload)


def replay(data: bytes, choice: int = 0) -> None:
    """Do to a carrier what a user might: restore, salvage, restore a part, verify.

    Args:
        data: The file.
        choice: Any number; says which of these.
    """
    if choice % 4 == 3:
        rawback.verify(data)
    else:
        region = (16, 8, 30, 40) if choice % 4 == 2 else None
        rawback.restore_bytes(data, salvage=choice % 4 == 1, region=region)


def feed_parsers(random: Random) -> tuple[Callable[[bytes], object], bytes]:
    """One of the parsers, and bytes for it."""
    draw = random.random()
    files = honest()
    mutator = Mutator(random, files)
    carrier = random.choice(files)
    packed = container.extract_payload(carrier)
    if draw < 0.35:
        return _from_file, mutator.changed(carrier)
    if draw < 0.5:
        return _from_file, mutator.changed(container.wrap(packed))
    if draw < 0.65:
        return _from_file, container.wrap(mutator.payload(packed))
    if draw < 0.72:
        return unpack, mutator.changed(packed)
    part, samples = random.choice(_parts())
    return part, mutator.changed(random.choice(samples))


def _from_file(data: bytes) -> object:
    """Everything that looks at a file without decoding samples."""
    found: list[object] = []
    for use in (
        rawback.inspect,
        rawback.strip_bytes,
        lambda file: rawback.shrink_bytes(file, 900),
        lambda file: rawback.shrink_bytes(file, 3000),
    ):
        try:
            found.append(use(data))
        except RawbackError as error:
            failed = error
        else:
            continue
        if len(found) == 0:
            raise failed
    return found


def _cbor(data: bytes) -> object:
    try:
        return cbor.decode(data)
    except ValueError as error:
        # Of the parsers, the only one whose errors are translated a storey higher.
        if type(error) not in (ValueError, UnicodeDecodeError):
            raise
        message = "no CBOR"
        raise rawback.PayloadDamaged(message) from error


def _geometry(data: bytes) -> object:
    geometry = Geometry.from_bytes(data, raw_size=_SIZE, carrier_size=_SIZE)
    return build_guide(geometry, _pixels())


def _base(data: bytes) -> object:
    return Base.from_pointwise_bytes(data, _MOSAIC, _cells(), _SIZE)


def _lists(data: bytes) -> object:
    return read_code_values(data, 3, 12)


def _exact(data: bytes) -> object:
    return LosslessModel.from_bytes(data, _MOSAIC)


def _residual(data: bytes) -> object:
    return ResidualParameters.from_bytes(data, _MOSAIC.planes)


@cache
def _pixels() -> NDArray[np.uint8]:
    return decode_jpeg(carriers()["lossy"]).pixels


@cache
def _cells() -> NDArray[np.int64]:
    return colour_histogram(_pixels())


@cache
def _base_itself() -> Base:
    payload = unpack(container.extract_payload(carriers()["lossy"]))
    base = next(s for s in payload.sections if s.kind == SectionKind.BASE)
    return Base.from_pointwise_bytes(base.data, _MOSAIC, _cells(), _SIZE)


def _filters(data: bytes) -> object:
    return _base_itself().with_filter_bytes(data)


@cache
def _parts() -> tuple[tuple[Callable[[bytes], object], tuple[bytes, ...]], ...]:
    """Parsers of parts of a payload, and honest bytes for each."""
    payloads = [unpack(container.extract_payload(file)) for file in honest()]

    def of(kind: int, layer: int = 0) -> tuple[bytes, ...]:
        return tuple(
            section.data
            for payload in payloads
            for section in payload.sections
            if (section.kind, section.layer) == (kind, layer)
        )

    kinds = SectionKind
    bodies = tuple(
        data[data.index(b"\x01\x48") - 1 :]
        for data in map(write_header, (payload.header for payload in payloads))
    )
    return (
        (_cbor, bodies),
        (_geometry, tuple(payload.header.geometry for payload in payloads)),
        (_residual, tuple(payload.header.residual for payload in payloads)),
        (_base, of(kinds.BASE)),
        (_filters, of(kinds.FILTER)),
        (_lists, of(kinds.CODES)),
        (_exact, of(kinds.CODES, 1)),
        (LatentHeader.from_bytes, of(kinds.LATENTS)),
    )
