"""The header: what a decoder has to know before it reads the first section.

The fields of `Header`, with the key and the rule that each of them carries, are the one list from
which headers are written, read and checked. A field at its default is left out. Keys that this
version does not know are kept in `extra` and written back, so an older rawback can shrink or move
a newer payload without losing anything.

Everything is a whole number, bytes or text: a header reads the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import MappingProxyType
from typing import Any

import google_crc32c

from rawback.bitstream.cbor import CborValue, decode, encode
from rawback.bitstream.rules import (
    Rule,
    either,
    like,
    nothing,
    octets,
    row,
    rows,
    table,
    whole,
)
from rawback.bitstream.varint import read_varint, write_varint
from rawback.errors import PayloadDamaged, PayloadTooNew

__all__ = ["FORMAT_VERSION", "MAGIC", "Header", "read_header", "write_header"]

MAGIC = b"rwbk"
FORMAT_VERSION = (2, 0)
"""Major and minor version that this code writes. It reads every minor version of this major."""

MAX_HEADER = 1 << 18
"""Bytes of CBOR; the fields' own limits keep every valid header below it."""

_PATTERN = "[RGBCMYEW]{4}|[RGBCMYEW]{1,16}(/[RGBCMYEW]{1,16}){0,15}|[RGBCMYEW]([+][RGBCMYEW]){2}"

_side = whole(2, 0xFFFF)
_dyadic = row(whole(0, (1 << 53) - 1), whole(-255, 0))


def _empty() -> Mapping[int, Any]:
    return MappingProxyType({})


def _wire(key: int, rule: Rule) -> dict[str, Any]:
    """Mark a field as written under `key` and bound by `rule`."""
    return {"key": key, "rule": rule}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the sections are to be read with.

    Attributes:
        tables: First 8 bytes of the SHA-256 of the stored tables (or weights) the payload was
            coded with.
        width: Columns of the raw mosaic, 2 to 65535.
        height: Rows of the raw mosaic, 2 to 65535.
        pattern: Colours of the samples: of the mosaic's pattern in reading order, with slashes
            between rows where it is not 2x2, or of the samples of a pixel, with a plus between.
        black: Black level of each channel, in 1/256 DN.
        white: Saturation level in DN, above every black level.
        ceiling: The largest sample, in DN, where it is above `white`; else 0.
        black_offsets: By how much black differs along rows and columns, see FORMAT.md, part 3.4;
            empty where it does not.
        noise: Scale and offset of the noise model in this order; each a mantissa and an exponent,
            worth ``mantissa * 2**exponent``. The scale is above 0, both are below 1.
        carrier_width: Columns of the carrier's decoded pixels.
        carrier_height: Rows of the carrier's decoded pixels.
        carrier_digest: First 16 bytes of the SHA-256 of the carrier's decoded pixels.
        orientation: EXIF orientation, 1 to 8, that turns the mosaic upright.
        lost_variance: How much of the noise's variance is not restored, in 1/16 of it: the mean of
            what a value stands for lies above that value.
        geometry: How the carrier lies on the raw; empty where both grids are the same.
        cfa_digest: SHA-256 of the mosaic (uint16, little-endian, row by row), and of remainders,
            where the payload restores all bit for bit.
        residual: Parameters of the residual layer; empty where there is none.
        grain: How strong grain is where no residual was coded; empty where there is none to add.
        floats: Where samples are floating point numbers: 1 for linear codes, 0 for ratio codes; the
            exponent of their power of two; 1 where they leave remainders, else 0.
        extra: Fields that this version does not know: key to their CBOR, kept as it came.
        version: Major and minor format version; not a CBOR field, it stands before them.

    Raises:
        ValueError: A field breaks its rule.
    """

    tables: bytes = field(metadata=_wire(1, octets(8, 8)))
    width: int = field(metadata=_wire(2, _side))
    height: int = field(metadata=_wire(3, _side))
    pattern: str = field(metadata=_wire(4, like(_PATTERN)))
    black: tuple[int, ...] = field(metadata=_wire(5, rows(whole(0, 0xFFFF << 8), 1, 4)))
    white: int = field(metadata=_wire(6, whole(1, 0xFFFF)))
    noise: tuple[tuple[int, int], tuple[int, int]] = field(metadata=_wire(9, row(_dyadic, _dyadic)))
    carrier_width: int = field(metadata=_wire(10, whole(1, 0xFFFF)))
    carrier_height: int = field(metadata=_wire(11, whole(1, 0xFFFF)))
    carrier_digest: bytes = field(metadata=_wire(12, octets(16, 16)))
    orientation: int = field(default=1, metadata=_wire(13, whole(1, 8)))
    lost_variance: int = field(default=0, metadata=_wire(14, whole(0, 23)))
    ceiling: int = field(default=0, metadata=_wire(7, whole(0, 0xFFFF)))
    black_offsets: bytes = field(default=b"", metadata=_wire(8, octets(0, 0xFFFF)))
    geometry: bytes = field(default=b"", metadata=_wire(18, octets(0, 0xFFFF)))
    cfa_digest: bytes | None = field(
        default=None, metadata=_wire(19, either(nothing, octets(32, 32)))
    )
    residual: bytes = field(default=b"", metadata=_wire(20, octets(0, 512)))
    grain: bytes = field(default=b"", metadata=_wire(21, octets(0, 512)))
    floats: tuple[int, int, int] | None = field(
        default=None,
        metadata=_wire(22, either(nothing, row(whole(0, 1), whole(-100, 112), whole(0, 1)))),
    )
    extra: Mapping[int, bytes] = field(default_factory=_empty)
    version: tuple[int, int] = FORMAT_VERSION

    def __post_init__(self) -> None:
        for key, item in _wired().items():
            if not item.metadata["rule"](getattr(self, item.name)):
                message = f"header field {item.name} (key {key}) is out of range"
                raise ValueError(message)
        self._check_levels()
        self._check_extra()
        if self.version[0] != FORMAT_VERSION[0] or not whole(0, 255)(self.version[1]):
            message = f"headers of format version {self.version} are not ours to write"
            raise ValueError(message)
        object.__setattr__(self, "extra", MappingProxyType(dict(sorted(self.extra.items()))))

    def _check_levels(self) -> None:
        """What a mosaic and its noise model need to make sense."""
        if max(self.black) >= self.white << 8:
            message = "header has a black level that is not below white"
            raise ValueError(message)
        if 0 < self.ceiling <= self.white:
            message = "header has a largest sample that is not above white"
            raise ValueError(message)
        (scale, _), _ = self.noise
        if scale == 0 or any(mantissa >> -exponent for mantissa, exponent in self.noise):
            message = "header has an impossible noise model"
            raise ValueError(message)

    def _check_extra(self) -> None:
        rule = table(whole(0, 0xFFFF), octets(1, 1024), limit=32)
        if not rule(self.extra) or not self.extra.keys().isdisjoint(_wired()):
            message = "header has unknown fields that are too many, too long or not unknown"
            raise ValueError(message)
        encode({key: decode(item) for key, item in self.extra.items()})


def _wired() -> dict[int, Field[Any]]:
    """The fields that are written as CBOR, by key."""
    return {item.metadata["key"]: item for item in fields(Header) if item.metadata}


def _default(item: Field[Any]) -> Any:
    """The value at which a field is not written; MISSING where it always is."""
    return item.default if item.default_factory is MISSING else item.default_factory()


def write_header(header: Header) -> bytes:
    """Magic, version, length, CRC-32C and the fields as a CBOR map (FORMAT.md, part 2)."""
    entries: dict[int, CborValue] = {key: decode(item) for key, item in header.extra.items()}
    for key, item in _wired().items():
        value = getattr(header, item.name)
        if value != _default(item):
            entries[key] = dict(value) if isinstance(value, Mapping) else value
    body = encode(entries)
    front = MAGIC + bytes(header.version) + write_varint(len(body))
    checksum: int = google_crc32c.value(front + body)
    return front + checksum.to_bytes(4, "big") + body


def read_header(data: bytes) -> tuple[Header, int]:
    """Read the header at the start of a packed payload.

    Returns:
        The header, and the position of the first section.

    Raises:
        PayloadTooNew: A newer major version of the format wrote it.
        PayloadDamaged: The bytes are no header, or not as they were written.
    """
    if data[:4] != MAGIC or len(data) < 6:
        message = "These bytes do not begin as a payload does; fetch the file again."
        raise PayloadDamaged(message)
    version = (data[4], data[5])
    if version[0] > FORMAT_VERSION[0]:
        message = (
            f"The payload is of format {version[0]}.{version[1]} and this rawback reads formats "
            f"up to {FORMAT_VERSION[0]}; update rawback."
        )
        raise PayloadTooNew(message)
    if version[0] < FORMAT_VERSION[0]:
        message = "The payload is of a format that was never released; fetch the file again."
        raise PayloadDamaged(message)
    try:
        body, end = _framed(data)
        return _header(body, version), end
    except ValueError as error:
        message = f"The payload's header is damaged ({error}); fetch the file again."
        raise PayloadDamaged(message) from error


def _framed(data: bytes) -> tuple[bytes, int]:
    """The header's CBOR and where it ends."""
    size, position = read_varint(data, 6)
    body = data[position + 4 : position + 4 + size]
    if size > MAX_HEADER or len(body) < size:
        message = "it ends early"
        raise ValueError(message)
    expected = int.from_bytes(data[position : position + 4], "big")
    if google_crc32c.value(data[:position] + body) != expected:
        message = "its checksum does not match"
        raise ValueError(message)
    return body, position + 4 + size


def _header(body: bytes, version: tuple[int, int]) -> Header:
    entries = decode(body)
    if not isinstance(entries, dict):
        message = "it is no map"
        raise ValueError(message)  # noqa: TRY004 -- a bad value, not a programmer's bad type
    known = _wired()
    values: dict[str, Any] = {known[key].name: entries[key] for key in entries if key in known}
    extra = {key: encode(value) for key, value in entries.items() if key not in known}
    missing = [
        item.name
        for item in known.values()
        if _default(item) is MISSING and item.name not in values
    ]
    if missing:
        message = f"it lacks {', '.join(missing)}"
        raise ValueError(message)
    return Header(**values, extra=extra, version=version)
