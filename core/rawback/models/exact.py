"""Arithmetic that comes out the same on every machine.

Every number in the networks is a whole number of 1/64, between -255/64 and 255/64; every weight is
an 8-bit integer times a power of two. A convolution in float32 then adds up multiples of one small
unit; as long as no sum reaches ``2 ** 24`` of them, every partial sum is exact, whatever the order,
the instruction set or the number of threads (:meth:`ExactConv.bound`, checked at export). Only then
is a result rounded to 1/64 again.

In training the same modules round too, and gradients pass as if they did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


class _Rounding(torch.autograd.Function):
    """Clip and round; the gradient is that of clipping alone."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float, unit: float) -> Tensor:
        clipped = values.clamp(low, high)
        ctx.save_for_backward(clipped == values)
        return clipped.mul_(unit).round_().div_(unit)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None, None, None


def rounded(values: Tensor, limit: float, unit: float = UNIT, low: float | None = None) -> Tensor:
    """To the nearest multiple of ``1 / unit`` in `low` (``-limit``) to `limit`, ties to even."""
    found: Tensor = _Rounding.apply(values, -limit if low is None else low, limit, unit)  # type: ignore[no-untyped-call]
    return found


def positive(values: Tensor) -> Tensor:
    """The activation: 0 to LIMIT, rounded."""
    return rounded(values, LIMIT, low=0)


def signed(values: Tensor, limit: float = LIMIT) -> Tensor:
    """An output: -limit to limit, rounded."""
    return rounded(values, limit)


class ExactConv(nn.Module):
    """A convolution ``[B, I, h, w]`` to ``[B, O, h / stride, w / stride]`` with 8-bit weights.

    Each output channel has its own power of two. Borders see zeros.

    Args:
        inputs: Channels.
        outputs: Channels.
        side: Of the kernel.
        stride: Of the output.
        skips: Whether an activation is added to each sum before it is rounded.

    Attributes:
        frozen: Whether weights and biases are multiples of their units already, as after loading.
    """

    frozen = False

    def __init__(
        self, inputs: int, outputs: int, side: int, stride: int = 1, *, skips: bool = False
    ) -> None:
        super().__init__()
        self.skips = skips
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
        weight, bias, shifts = self.integers()
        largest = round(LIMIT * UNIT)
        skipped = largest * 2**shifts if self.skips else 0
        return int((weight.abs().sum(dim=(1, 2, 3)) * largest + bias.abs() + skipped).max())

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
