"""Floating point numbers: codes and remainders (3.16 of FORMAT.md)."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from .border import lzma2
from .models import Models
from .refusal import require
from .symbols import RangeDecoder

if TYPE_CHECKING:
    from .arrays import Ints
    from .stored import Tables

MOST_LISTED, MOST_OF_CODE = 1 << 22, 1 << 16
SIGN = 1 << 31


def _bits(number: float) -> int:
    """The bits of a number of single precision, which it is, without that of the sign."""
    single = np.float32(number)
    require(float(single) == number, "no number of single precision")
    return int(single.view(np.uint32)) % SIGN


class Codes:
    """Which numbers codes stand for (3.16)."""

    def __init__(self, kind: int, exponent: int) -> None:
        self.zero = 8192 if kind == 1 else 32768
        self.below, self.above = (8192, 57343) if kind == 1 else (31743, 31743)
        plain = [float(d) for d in range(self.above + 1)]
        if kind == 0:
            plain = np.arange(self.above + 1, dtype=np.uint16).view(np.float16).tolist()
        self.positive = [number * 2.0**exponent for number in plain]
        middles = zip(self.positive, self.positive[1:], strict=False)
        self.lowest = [0, *(_bits((one + other) / 2) for one, other in middles)]

    def place(self, code: int) -> int:
        """How far a code is from that of 0, at most as the last one."""
        return min(max(code - self.zero, -self.below), self.above)

    def split(self, bits: int) -> tuple[int, int]:
        """Code and remainder of a number, given its 32 bits."""
        magnitude = bits % SIGN
        d = bisect_right(self.lowest, magnitude) - 1
        if bits >= SIGN:
            d = min(d, self.below)
        code = self.zero - d if bits >= SIGN else self.zero + d
        return code, magnitude - self.lowest[d] if d else bits

    def number(self, code: int, remainder: int) -> int:
        """The 32 bits of the number of a code and a remainder."""
        d = self.place(code)
        if d == 0:
            return remainder
        return (self.lowest[abs(d)] + remainder) % SIGN + (SIGN if d < 0 else 0)

    def meant(self, code: int) -> int:
        """The 32 bits of the number that a code stands for."""
        d = self.place(code)
        return _bits(self.positive[abs(d)]) + (SIGN if d < 0 else 0)

    def width(self, code: int) -> int:
        """The bits of its remainders."""
        d = self.place(code)
        if d == 0:
            return 32
        if d == -self.below:
            return 31
        end = self.lowest[abs(d) + 1] if d != self.above else SIGN
        return (end - self.lowest[abs(d)] - 1).bit_length()


class Remainders:
    """What layer 0 of the REMAINDER sections says, and what follows for tiles (3.16)."""

    def __init__(self, codes: Codes, data: bytes, tables: Tables, samples: int) -> None:
        require(len(data) > 0 and data[0] <= 12, "an impossible shift")
        self.codes, self.tables, self.shift = codes, tables, data[0]
        body = lzma2(data[1:], 4 * min(MOST_LISTED, samples), dict_size=1 << 22)
        require(len(body) % 4 == 0, "a list of another size")
        planes = np.frombuffer(body, np.uint8).astype(np.int64).reshape(4, -1)
        steps = planes[0] << 24 | planes[1] << 16 | planes[2] << 8 | planes[3]
        places = np.cumsum(steps)
        require(bool((steps[1:] > 0).all()), "a list that does not ascend")
        require(places.size == 0 or places[-1] < 1 << 32, "a list that goes on too far")
        self.listed: dict[int, list[int]] = {}
        for place in places.tolist():
            bits = place - SIGN if place >= SIGN else 2 * SIGN - 1 - place
            code, remainder = codes.split(bits)
            self.listed.setdefault(code, []).append(remainder)
        for remainders in self.listed.values():
            require(len(remainders) <= MOST_OF_CODE, "too many numbers of a code")
            remainders.sort()

    def tile(self, samples: Ints, data: bytes) -> Ints:
        """The remainders of a tile, given its codes."""
        coder = RangeDecoder(data)
        curves = self.tables["stretch"], self.tables["squash"]
        even = np.full(4, 1 << 15), np.zeros(4, np.int64)
        models = Models(coder, curves, even, np.zeros((0, 0), np.int64))
        found = np.zeros(samples.shape, np.int64)
        others = np.zeros((samples.shape[0] + 1, samples.shape[1] + 1), np.int64)
        for y, x in np.ndindex(samples.shape):
            code = int(samples[y, x])
            listed, other = self.listed.get(code, []), 1
            if listed:
                other = models.single(int(2 * others[y, x + 1] + others[y + 1, x]))
            others[y + 1, x + 1] = other
            if other:
                remainder = self._told(coder, self.codes.width(code) - self.shift)
            else:
                remainder = listed[coder.below(len(listed))]
            found[y, x] = remainder
        return found

    def _told(self, coder: RangeDecoder, count: int) -> int:
        value = 0
        while count > 0:
            some = min(count, 16)
            value = value << some | coder.even(some)
            count -= some
        return value << self.shift
