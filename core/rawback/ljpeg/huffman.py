"""Huffman tables of lossless JPEG (T.81, annex C and section K.2)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CATEGORIES", "HuffmanTable"]

CATEGORIES = 17
"""A difference of 16 bits has a magnitude of 0 to 16 bits."""

_LONGEST = 16


@dataclass(frozen=True, slots=True)
class HuffmanTable:
    """A prefix code for categories, as a DHT segment spells it.

    Attributes:
        counts: How many codes there are of 1 to 16 bits.
        categories: The categories, from the shortest code to the longest.

    Raises:
        ValueError: That is no prefix code, or no code for categories.
    """

    counts: bytes
    categories: bytes

    def __post_init__(self) -> None:
        if len(self.counts) != _LONGEST or sum(self.counts) != len(self.categories):
            message = "a Huffman table whose counts and categories do not fit"
            raise ValueError(message)
        if not self.categories or max(self.categories) >= CATEGORIES:
            message = "a Huffman table for other symbols than categories"
            raise ValueError(message)
        if len(set(self.categories)) != len(self.categories):
            message = "a Huffman table with two codes for one category"
            raise ValueError(message)
        taken = sum(n << (_LONGEST - k) for k, n in enumerate(self.counts, start=1))
        if taken > 1 << _LONGEST:
            message = "a Huffman table with more codes than there are"
            raise ValueError(message)

    @classmethod
    def optimal(cls, frequencies: Sequence[int]) -> HuffmanTable:
        """The shortest table for categories that occur so often.

        Args:
            frequencies: How often each category occurs, from 0 on; at least one does.

        Returns:
            A table with codes for those that occur. No code is all ones, as T.81 has it.
        """
        lengths = _code_lengths(frequencies)
        counts = [0] * (max(lengths.values()) + 1)
        for length in lengths.values():
            counts[length] += 1
        counts = _limited(counts)
        # The longest code, all ones, goes to nobody.
        counts[max(k for k, n in enumerate(counts) if n)] -= 1
        lengths.pop(CATEGORIES)
        ranked = sorted(lengths, key=lambda category: (lengths[category], category))
        return cls(bytes(counts[1 : _LONGEST + 1]), bytes(ranked))

    def codes(self) -> list[int]:
        """``length << 16 | code`` of each category, 0 for those without a code."""
        spelled = [0] * CATEGORIES
        code, at = 0, 0
        for length, count in enumerate(self.counts, start=1):
            for category in self.categories[at : at + count]:
                spelled[category] = length << 16 | code
                code += 1
            at += count
            code <<= 1
        return spelled


def _code_lengths(frequencies: Sequence[int]) -> dict[int, int]:
    """Lengths of an unlimited Huffman code, with one more symbol that never occurs."""
    lengths = {k: 0 for k, n in enumerate(frequencies) if n} | {CATEGORIES: 0}
    # Of equally rare ones, that symbol comes first, so that its code is among the longest.
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (0 if k == CATEGORIES else frequencies[k], -k, (k,)) for k in lengths
    ]
    heapq.heapify(heap)
    while len(heap) > 1:
        (rare, _, left), (rarer, order, right) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in left + right:
            lengths[symbol] += 1
        heapq.heappush(heap, (rare + rarer, order, left + right))
    return lengths


def _limited(counts: list[int]) -> list[int]:
    """Numbers of codes by length, none longer than 16 bits (T.81, figure K.3)."""
    counts += [0] * (_LONGEST + 1 - len(counts))
    for length in range(len(counts) - 1, _LONGEST, -1):
        while counts[length]:
            shorter = max(k for k in range(length - 1) if counts[k])
            counts[length] -= 2
            counts[length - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    return counts[: _LONGEST + 1]
