"""Numbers and convolutions of the networks (3.11, "Numbers", of FORMAT.md).

Activations are arrays [channel, row, column] of whole numbers, in 1/64, kept in binary64: all sums
stay far below 2^53, and dividing by powers of two is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .arrays import Floats, Ints

LIMIT = 255.0


def unsigned(x: Floats) -> Floats:
    """U: rounded to 1/64, ties to even, from 0 to 255/64 (3.11, Numbers)."""
    return np.clip(np.rint(x), 0.0, LIMIT)


def signed(x: Floats) -> Floats:
    """S: rounded to 1/64, ties to even, from -255/64 to 255/64 (3.11, Numbers)."""
    return np.clip(np.rint(x), -LIMIT, LIMIT)


def joined(*parts: Floats) -> Floats:
    """The channels of all parts, one part behind the other (3.11, Numbers)."""
    return np.concatenate(parts)


def unshuffled(x: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """n x n neighbours of a channel become n^2 channels in reading order (3.11, Numbers)."""
    channels, rows, columns = x.shape
    split = x.reshape(channels, rows // n, n, columns // n, n)
    return split.transpose(0, 2, 4, 1, 3).reshape(channels * n * n, rows // n, columns // n)


def shuffled(x: Floats, n: int) -> Floats:
    """n^2 channels become n x n neighbours of one channel (3.11, Numbers)."""
    channels, rows, columns = x.shape
    split = x.reshape(channels // (n * n), n, n, rows, columns)
    return split.transpose(0, 3, 1, 4, 2).reshape(channels // (n * n), rows * n, columns * n)


class Network:
    """The convolutions of one file of weights, with its tables and readout (3.11, Numbers)."""

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]], *, linear: bool) -> None:
        self.linear = linear
        self.tables: Ints = tensors["tables"].astype(np.int64)
        self.readout: Ints = np.rint(64.0 * tensors["readout"].astype(np.float64)).astype(np.int64)
        self._tensors = {
            name: array.astype(np.float64)
            for name, array in tensors.items()
            if array.dtype in (np.int8, np.int32, np.uint8)
        }

    def channels(self, name: str) -> int:
        """How many channels a convolution gives (3.11, Numbers)."""
        return len(self._tensors[f"{name}.bias"])

    def convolve(self, name: str, x: Floats, stride: int = 1) -> Floats:
        """The convolution `name`, exact, with zeros around the input (3.11, Numbers)."""
        weight = self._tensors[f"{name}.weight"]
        bias, shift = self._tensors[f"{name}.bias"], self._tensors[f"{name}.shift"]
        side = weight.shape[2]
        margin = side // 2
        padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
        rows, columns = ((n - 1) // stride + 1 for n in x.shape[1:])
        total = np.repeat(bias[:, None], rows * columns, axis=1)
        for dy in range(side):
            for dx in range(side):
                part = padded[:, dy : dy + x.shape[1] : stride, dx : dx + x.shape[2] : stride]
                total += weight[:, :, dy, dx] @ part.reshape(len(x), -1)
        return (total * 2.0 ** -shift[:, None]).reshape(-1, rows, columns)
