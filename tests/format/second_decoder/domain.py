"""The noise-normalised domain (3.4) and the weights of the residual (3.9) of FORMAT.md."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from .refusal import require

if TYPE_CHECKING:
    from .arrays import Floats, Ints
    from .offsets import Offsets
    from .payload import Header

LIMIT = 32767


class Domain:
    """The value of each sample, in 1/16 standard deviation of the noise (3.4)."""

    def __init__(self, header: Header, offsets: Offsets | None) -> None:
        pedestal = 0 if offsets is None else offsets.pedestal
        self.white = min(header.white + pedestal, 65535)
        self.ceiling = min((header.ceiling or header.white) + pedestal, 65535)
        self.black = [black / 256 + pedestal for black in header.black]
        require(max(self.black) < self.white, "black is not below white")
        self.a = max(header.noise_scale, 2.0**-18)
        self.lost = header.lost_variance
        self.f = max(0.375 * self.a * self.a + header.noise_offset, self.a * 0.001)

    def values(self, samples: Ints, channel: int, lost: int = 0) -> Ints:
        """T of samples of a channel, or U where something was lost (3.4)."""
        a, f, black = self.a, self.f, self.black[channel]
        s = (samples - black) / (self.white - black) - lost / 64 * self.a
        root = sqrt(f)
        above = (np.sqrt(a * np.maximum(s, 0.0) + f) - root) * 2.0 / a
        found = np.rint(16.0 * np.where(s < 0, s / root, above))
        return np.clip(found, -LIMIT, LIMIT).astype(np.int64)

    def samples(self, values: Ints, channel: int) -> Ints:
        """The samples nearest to values of a channel (3.4)."""
        known = self.values(np.arange(self.ceiling + 1), channel, self.lost)
        bounded = np.clip(values, known[0], known[-1])
        sums = known[:-1] + known[1:]
        below = np.searchsorted(sums, 2 * bounded, side="left")
        middle = (below + np.searchsorted(sums, 2 * bounded, side="right")) // 2
        return np.where(bounded == known[-1], self.ceiling, middle)

    def residual_scale(self, values: Ints, power: int) -> Ints:
        """N of 3.9, "Weights", for values of the base (3.4)."""
        i = np.arange(1024, dtype=np.float64)
        r = (sqrt(self.f) + self.a / 2 * i) / sqrt(self.a / 8 + self.f)
        scale = np.rint(256.0 / np.maximum(_power(r, power), 0.001))
        table = np.clip(scale, 64, 1024).astype(np.int64)
        found: Ints = table[np.clip(values >> 4, 0, 1023)]
        return found


def _power(r: Floats, quarters: int) -> Floats:
    """r to the power of `quarters` / 4, by square roots (3.9)."""
    root = np.sqrt(r)
    return (np.ones_like(r), np.sqrt(root), root, root * np.sqrt(root), r)[quarters]
