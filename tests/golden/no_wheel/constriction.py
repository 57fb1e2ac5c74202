"""The range decoder in plain Python, for machines that the constriction package has no wheel for.

Written from FORMAT.md, section 3.2; slow, and only good for restoring the stored carriers. Put this
folder on the path and the library finds it instead of the package.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD, _STATE = 32, (1 << 64) - 1


class Categorical:
    """A table: where each symbol begins, in units of 2**-24."""

    def __init__(self, probabilities: NDArray[np.float64], *, perfect: bool) -> None:
        assert not perfect
        count = len(probabilities)
        sums = accumulate((int(p * 65536) for p in probabilities), initial=0)
        self.edges = [(s * ((1 << 24) - count) >> 16) + i for i, s in enumerate(sums)]


class RangeDecoder:
    """Reads symbols from little words."""

    def __init__(self, words: NDArray[np.uint32]) -> None:
        self.words = iter(words.tolist())
        self.low, self.span = 0, _STATE
        self.point = self.word() << _WORD | self.word()

    def word(self) -> int:
        return next(self.words, 0)

    def decode(self, model: Categorical, count: int) -> NDArray[np.int32]:
        return np.array([self.symbol(model.edges) for _ in range(count)], dtype=np.int32)

    def symbol(self, edges: list[int]) -> int:
        unit = self.span >> 24
        quantile = (self.point - self.low & _STATE) // unit
        assert quantile < 1 << 24
        symbol = bisect_right(edges, quantile) - 1
        self.low = self.low + unit * edges[symbol] & _STATE
        self.span = unit * (edges[symbol + 1] - edges[symbol])
        if self.span < 1 << _WORD:
            self.low = self.low << _WORD & _STATE
            self.span <<= _WORD
            self.point = self.point << _WORD & _STATE | self.word()
        return symbol


stream = SimpleNamespace(
    queue=SimpleNamespace(RangeDecoder=RangeDecoder),
    model=SimpleNamespace(Categorical=Categorical),
)
