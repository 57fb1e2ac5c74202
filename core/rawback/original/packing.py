"""Samples of 8 to 16 bits in bytes without compression: every way that cameras pack them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Order", "Packing"]


class Order(IntEnum):
    """How samples follow each other. The numbers are those of the format."""

    LITTLE = 0
    """Two bytes a sample (one of 8 bits), the lower byte first."""
    BIG = 1
    """Two bytes a sample, the upper byte first."""
    UPPER_FIRST = 2
    """A stream of bits without gaps; a sample's upper bits first, into each byte's upper bits, as
    TIFF has it."""
    LOWER_FIRST = 3
    """A stream of bits without gaps; a sample's lower bits first, into each byte's lower bits."""
    UPPER_FIRST_16 = 4
    """As UPPER_FIRST, but every two bytes are swapped."""
    UPPER_FIRST_32 = 5
    """As UPPER_FIRST, but every four bytes are reversed."""
    CSI_2 = 6
    """The upper 8 bits of four samples (of 12 bits: of two), a byte each, then their lower bits,
    the first sample's lowest (MIPI CSI-2, RAW10, RAW12 and RAW14)."""


_WORDS = {Order.UPPER_FIRST_16: 2, Order.UPPER_FIRST_32: 4}
_GROUPS = {8: 1, 10: 4, 12: 2, 14: 4, 16: 1}


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to pack rows of samples.

    Attributes:
        bits: Bits of a sample: 8, 10, 12, 14 or 16.
        order: How they follow each other. Those of whole bytes take 8 or 16 bits, the others 10,
            12 or 14.

    Raises:
        ValueError: The two do not go together.
    """

    bits: int
    order: Order

    def __post_init__(self) -> None:
        whole = self.order in (Order.LITTLE, Order.BIG)
        if self.bits not in _GROUPS or whole != (self.bits in (8, 16)):
            message = f"no packing of {self.bits} bits in order {self.order}"
            raise ValueError(message)

    def row_bytes(self, samples: int) -> int:
        """Bytes that a row takes."""
        size = -(-samples * self.bits // 8)
        word = _WORDS.get(self.order, 1)
        if self.order == Order.CSI_2:
            word = _GROUPS[self.bits] * self.bits // 8
        return -(-size // word) * word

    def pack(self, samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Pack rows of samples.

        Args:
            samples: uint16 ``[rows, columns]``; bits above those packed are dropped.

        Returns:
            uint8 ``[rows, row_bytes(columns)]``; what fills a row up is 0.
        """
        rows, columns = samples.shape
        if self.bits == 8:
            return samples.astype(np.uint8)
        if self.bits == 16:
            kind = "<u2" if self.order == Order.LITTLE else ">u2"
            return samples.astype(kind).view(np.uint8).reshape(rows, 2 * columns)
        count = _GROUPS[self.bits]
        spare = -columns % count
        if spare:
            samples = np.pad(samples, ((0, 0), (0, spare)))
        groups = samples.reshape(rows, -1, count)
        pack = _pack_csi_2 if self.order == Order.CSI_2 else _pack_stream
        size = self.row_bytes(columns)
        packed = pack(groups, self.bits, self.order).reshape(rows, -1)
        if packed.shape[1] < size:
            packed = np.pad(packed, ((0, 0), (0, size - packed.shape[1])))
        return self._swapped(np.ascontiguousarray(packed[:, :size]))

    def unpack(self, packed: NDArray[np.uint8], columns: int) -> NDArray[np.uint16]:
        """Read rows of samples.

        Args:
            packed: uint8 ``[rows, row_bytes(columns)]``.
            columns: Samples in a row.

        Returns:
            uint16 ``[rows, columns]``.
        """
        rows = packed.shape[0]
        if self.bits == 8:
            return packed.astype(np.uint16)
        if self.bits == 16:
            kind = "<u2" if self.order == Order.LITTLE else ">u2"
            return np.ascontiguousarray(packed).view(kind).astype(np.uint16)
        count = _GROUPS[self.bits]
        size = count * self.bits // 8
        groups = -(-columns // count)
        straight = self._swapped(packed)[:, : groups * size]
        if straight.shape[1] < groups * size:
            straight = np.pad(straight, ((0, 0), (0, groups * size - straight.shape[1])))
        unpack = _unpack_csi_2 if self.order == Order.CSI_2 else _unpack_stream
        samples = unpack(straight.reshape(rows, groups, size), self.bits, self.order)
        return samples.reshape(rows, -1)[:, :columns]

    def _swapped(self, packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The bytes of each word in the other order, if they are."""
        word = _WORDS.get(self.order)
        if word is None:
            return packed
        rows, size = packed.shape
        return packed.reshape(rows, -1, word)[:, :, ::-1].reshape(rows, size)


def _places(bits: int, order: Order) -> list[list[tuple[int, int]]]:
    """For each byte of a group, which samples have bits in it, and how far up they are shifted."""
    count = _GROUPS[bits]
    places: list[list[tuple[int, int]]] = []
    for byte in range(count * bits // 8):
        if order == Order.LOWER_FIRST:
            shifts = [(k, bits * k - 8 * byte) for k in range(count)]
        else:
            shifts = [(k, 8 * byte + 8 - bits * (k + 1)) for k in range(count)]
        places.append([(k, shift) for k, shift in shifts if -bits < shift < 8])
    return places


def _shifted(values: NDArray[np.uint16], shift: int) -> NDArray[np.uint16]:
    return values << np.uint16(shift) if shift >= 0 else values >> np.uint16(-shift)


def _pack_stream(groups: NDArray[np.uint16], bits: int, order: Order) -> NDArray[np.uint8]:
    places = _places(bits, order)
    packed = np.empty((*groups.shape[:2], len(places)), dtype=np.uint8)
    mask = np.uint16((1 << bits) - 1)
    for byte, sources in enumerate(places):
        parts = [_shifted(groups[:, :, k] & mask, shift) for k, shift in sources]
        packed[:, :, byte] = np.bitwise_or.reduce(parts)
    return packed


def _unpack_stream(packed: NDArray[np.uint8], bits: int, order: Order) -> NDArray[np.uint16]:
    groups = np.zeros((*packed.shape[:2], _GROUPS[bits]), dtype=np.uint16)
    for byte, sources in enumerate(_places(bits, order)):
        for k, shift in sources:
            groups[:, :, k] |= _shifted(packed[:, :, byte].astype(np.uint16), -shift)
    groups &= (1 << bits) - 1
    return groups


def _pack_csi_2(groups: NDArray[np.uint16], bits: int, _: Order) -> NDArray[np.uint8]:
    count, low = _GROUPS[bits], bits - 8
    upper = ((groups >> low) & 0xFF).astype(np.uint8)
    lower = np.zeros(groups.shape[:2], dtype=np.uint32)
    for k in range(count):
        lower |= (groups[:, :, k] & np.uint32((1 << low) - 1)).astype(np.uint32) << (low * k)
    rest = [(lower >> (8 * k)).astype(np.uint8) for k in range(count * low // 8)]
    return np.concatenate([upper, np.stack(rest, axis=-1)], axis=-1)


def _unpack_csi_2(packed: NDArray[np.uint8], bits: int, _: Order) -> NDArray[np.uint16]:
    count, low = _GROUPS[bits], bits - 8
    lower = np.zeros(packed.shape[:2], dtype=np.uint32)
    for k in range(count * low // 8):
        lower |= packed[:, :, count + k].astype(np.uint32) << (8 * k)
    groups = packed[:, :, :count].astype(np.uint16) << np.uint16(low)
    for k in range(count):
        groups[:, :, k] |= ((lower >> (low * k)) & ((1 << low) - 1)).astype(np.uint16)
    return groups
