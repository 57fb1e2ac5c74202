"""Black that differs along rows and columns (3.4 of FORMAT.md)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .refusal import refuse, require

if TYPE_CHECKING:
    from .arrays import Ints
    from .payload import Header


def unfolded(numbers: Ints) -> Ints:
    """0, -1, 1, -2 ... of 0, 1, 2, 3 ... (3.4, 3.12, 3.13)."""
    found: Ints = np.where(numbers % 2, -(numbers + 1) // 2, numbers // 2)
    return found


def byte_planes(data: bytes) -> Ints:
    """Numbers whose low bytes come before their high bytes (3.4, 3.13)."""
    require(len(data) % 2 == 0, "half a number")
    low, high = np.frombuffer(data, np.uint8).astype(np.int64).reshape(2, -1)
    return low + 256 * high


@dataclass(frozen=True)
class Offsets:
    """The offset of each sample, and the pedestal (3.4)."""

    samples: Ints
    pedestal: int

    def added(self, mosaic: Ints) -> Ints:
        """The sensor's samples (3.4)."""
        found: Ints = np.clip(mosaic + self.samples - self.pedestal, 0, 65535)
        return found


def offsets_of(header: Header) -> Offsets | None:
    """What the field black_offsets says, None without it (3.4)."""
    data = header.black_offsets
    if not data:
        return None
    require(not header.pattern.linear, "offsets of a linear frame")
    require(len(data) > 2 and min(data[:2]) >= 1 and max(data[:2]) <= 64, "an impossible pattern")
    rows, columns = data[0], data[1]
    count = rows * columns + header.height + header.width
    inflater = zlib.decompressobj(-15)
    try:
        planes = inflater.decompress(data[2:], 2 * count + 1)
    except zlib.error:
        refuse("offsets are damaged")
    require(inflater.eof and not inflater.unused_data, "offsets are cut, or go on")
    require(len(planes) == 2 * count, "offsets of another size")
    values = unfolded(byte_planes(planes))
    require(int(values.min()) > -32768, "an impossible offset")
    pattern = values[: rows * columns].reshape(rows, columns)
    along, across = np.split(values[rows * columns :], [header.height])
    y, x = np.arange(header.height), np.arange(header.width)
    samples = pattern[y[:, None] % rows, x % columns] + along[:, None] + across
    return Offsets(samples, max(0, int(pattern.max() + along.max() + across.max())))
