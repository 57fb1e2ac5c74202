"""Adaptive models of binary decisions (3.2, "Decisions", of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arrays import Ints
    from .symbols import RangeDecoder

RATES = [(1 << 17) // (2 * uses + 3) for uses in range(512)]
MOST_USES = 511
MOST_WEIGHT = (1 << 18) - 1


class Models:
    """Counters and weights, which learn from the decisions coded with them (3.2, Decisions)."""

    def __init__(
        self,
        coder: RangeDecoder,
        curves: tuple[Ints, Ints],
        counters: tuple[Ints, Ints],
        weights: Ints,
    ) -> None:
        self.coder = coder
        self.stretch, self.squash = (curve.tolist() for curve in curves)
        # Probabilities are in 2^-22.
        self.probability = [64 * p for p in counters[0].tolist()]
        self.uses: list[int] = counters[1].tolist()
        self.weights: list[list[int]] = weights.tolist()

    def single(self, counter: int) -> int:
        """A decision that one counter expects (3.2, Decisions)."""
        bit = self.coder.bit(max(self.probability[counter] >> 6, 1))
        self._learn(counter, bit)
        return bit

    def mixed(self, counters: Sequence[int], first: int, second: int) -> int:
        """A decision that several counters expect, with two sets of weights (3.2, Decisions)."""
        odds = [self.stretch[self.probability[counter] >> 10] for counter in counters]
        one, other = self.weights[first], self.weights[second]
        total = sum((a + b >> 3) * x for a, b, x in zip(one, other, odds, strict=True))
        expected = self.squash[min(max(total >> 14, -2047), 2047) + 2048]
        bit = self.coder.bit(expected)
        error = (65536 * bit - expected) * 22 >> 4
        changes = [x * error + 32768 >> 16 for x in odds]
        self.weights[first] = _changed(one, changes)
        self.weights[second] = _changed(other, changes)
        for counter in counters:
            self._learn(counter, bit)
        return bit

    def golomb(self, first: int) -> int:
        """A number in exponential Golomb code, whose length counters expect (3.2, Decisions)."""
        length = 0
        while length < 16 and self.single(first + length):
            length += 1
        found = 1
        for _ in range(length):
            found = 2 * found + self.coder.bit(32768)
        return found - 1

    def _learn(self, counter: int, bit: int) -> None:
        p, uses = self.probability[counter], self.uses[counter]
        p += ((bit << 22) - p) * RATES[uses] >> 16
        self.probability[counter] = min(max(p, 64), (1 << 22) - 64)
        self.uses[counter] = min(uses + 1, MOST_USES)


def _changed(weights: Sequence[int], changes: Sequence[int]) -> list[int]:
    """Weights after changes, clipped (3.2, Decisions)."""
    return [
        min(max(weight + change, -MOST_WEIGHT), MOST_WEIGHT)
        for weight, change in zip(weights, changes, strict=True)
    ]
