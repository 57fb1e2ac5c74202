"""Arithmetic that comes out the same on every machine.

Every number in the networks is a whole number of 1/64, between -255/64 and 255/64; every weight is
an 8-bit integer times a power of two. A convolution in float32 then adds up multiples of one small
unit; as long as no sum reaches ``2 ** 24`` of them, every partial sum is exact, whatever the order,
the instruction set or the number of threads (:meth:`ExactConv.bound`, checked at export). Only then
is a result rounded to 1/64 again.

In training the same modules round too, and gradients pass as if they did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LIMIT", "UNIT", "ExactConv", "positive", "rounded", "signed"]

UNIT = 64
"""Activations are multiples of 1/64: about as large as weights and learning rates like them."""

LIMIT = 255 / UNIT
"""Largest magnitude of an activation."""

_MAX_SHIFT = 15
_EXACT = 1 << 24


def rounded(values: Tensor, unit: float = UNIT) -> Tensor:
    """To the nearest multiple of ``1 / unit``, ties to even; the gradient is that of identity."""
    exact = torch.round(values * unit) / unit
    return values + (exact - values).detach() if values.requires_grad else exact


def positive(values: Tensor) -> Tensor:
    """The activation: 0 to LIMIT, rounded."""
    return rounded(values.clamp(0, LIMIT))


def signed(values: Tensor, limit: float = LIMIT) -> Tensor:
    """An output: -limit to limit, rounded."""
    return rounded(values.clamp(-limit, limit))


class ExactConv(nn.Module):
    """A convolution ``[B, I, h, w]`` to ``[B, O, h / stride, w / stride]`` with 8-bit weights.

    Each output channel has its own power of two. Borders see zeros.

    Attributes:
        frozen: Whether weights and biases are multiples of their units already, as after loading.
    """

    frozen = False

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride = stride
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")

    def shifts(self) -> Tensor:
        """Bits behind the point of each output channel's weights, int64 ``[O]``."""
        largest = self.weight.detach().abs().amax(dim=(1, 2, 3)).clamp(min=2.0**-_MAX_SHIFT)
        return torch.floor(torch.log2(127 / largest)).clamp(0, _MAX_SHIFT).to(torch.int64)

    def integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights int64 ``[O, I, k, k]``, biases int64 ``[O]`` in sums' units, and shifts."""
        shifts = self.shifts()
        scale = torch.exp2(shifts.float())
        weight = torch.round(self.weight.detach() * scale[:, None, None, None])
        bias = torch.round(self.bias.detach() * scale * UNIT)
        return weight.clamp(-127, 127).to(torch.int64), bias.to(torch.int64), shifts

    def bound(self) -> int:
        """What no sum of this convolution exceeds, in its own unit; must be below ``2 ** 24``."""
        weight, bias, _ = self.integers()
        return int((weight.abs().sum(dim=(1, 2, 3)) * round(LIMIT * UNIT) + bias.abs()).max())

    def freeze(self, weight: Tensor, bias: Tensor, shifts: Tensor) -> None:
        """Take over what :meth:`integers` gave."""
        scale = torch.exp2(shifts.float())
        with torch.no_grad():
            self.weight.copy_(weight.float() / scale[:, None, None, None])
            self.bias.copy_(bias.float() / (scale * UNIT))
        self.frozen = True

    def forward(self, values: Tensor) -> Tensor:
        """Convolve; not rounded yet."""
        padding = self.weight.shape[-1] // 2
        if self.frozen:
            return functional.conv2d(values, self.weight, self.bias, self.stride, padding)
        scale = torch.exp2(self.shifts().to(self.weight.dtype))
        weight = _rounded_to(self.weight, scale[:, None, None, None], 127)
        bias = _rounded_to(self.bias, scale * UNIT, _EXACT)
        return functional.conv2d(values, weight, bias, self.stride, padding)


def _rounded_to(values: Tensor, scale: Tensor, largest: int) -> Tensor:
    exact = torch.round(values.detach() * scale).clamp(-largest, largest) / scale
    return values + (exact - values.detach()) if values.requires_grad else exact
