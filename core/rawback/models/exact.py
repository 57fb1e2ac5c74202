"""Arithmetic that comes out the same on every machine.

Every number in the networks is a whole number of 1/64, between -255/64 and 255/64; every weight is
an 8-bit integer times a power of two. A convolution in float32 then adds up multiples of one small
unit; as long as no sum reaches ``2 ** 24`` of them, every partial sum is exact, whatever the order,
the instruction set or the number of threads (:meth:`ExactConv.bound`, checked at export). Only then
is a result rounded to 1/64 again. Activations that are bytes give the same sums faster
(:mod:`rawback.models.int8_conv`).

In training the same modules round too, and gradients pass as if they did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from rawback.models.int8_conv import Int8Conv, int8_is_exact

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
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(clipped == values)
        return _to_multiples(clipped, unit)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None, None, None


def _to_multiples(values: Tensor, unit: float) -> Tensor:
    return values.mul_(unit).round_().mul_(1 / unit)


def rounded(
    values: Tensor,
    limit: float,
    unit: float = UNIT,
    low: float | None = None,
    *,
    inplace: bool = False,
) -> Tensor:
    """To the nearest multiple of ``1 / unit`` in `low` (``-limit``) to `limit`, ties to even.

    Args:
        values: Any.
        limit: The largest.
        unit: A power of 2.
        low: The smallest.
        inplace: Whether `values` may be overwritten; they are where no gradient is to pass.
    """
    low = -limit if low is None else low
    if inplace and not values.requires_grad:
        return _to_multiples(values.clamp_(low, limit), unit)
    clipped: Tensor = _Rounding.apply(values, low, limit, unit)  # type: ignore[no-untyped-call]
    return clipped


def positive(values: Tensor, *, inplace: bool = False) -> Tensor:
    """The activation: 0 to LIMIT, rounded."""
    return rounded(values, LIMIT, low=0, inplace=inplace)


def signed(values: Tensor, limit: float = LIMIT, *, inplace: bool = False) -> Tensor:
    """An output: -limit to limit, rounded."""
    return rounded(values, limit, inplace=inplace)


class ExactConv(nn.Module):
    """A convolution ``[B, I, h, w]`` to ``[B, O, h / stride, w / stride]`` with 8-bit weights.

    Each output channel has its own power of two. Borders see zeros.

    Args:
        inputs: Channels.
        outputs: Channels.
        side: Of the kernel.
        stride: Of the output.
        skips: Whether an activation is added to each sum before it is rounded.
        signed: Whether inputs may be negative.

    Attributes:
        frozen: Whether weights and biases are multiples of their units already, as after loading.
    """

    frozen = False
    _octets: Int8Conv | None = None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int,
        stride: int = 1,
        *,
        skips: bool = False,
        signed: bool = True,
    ) -> None:
        super().__init__()
        self.skips, self.signed = skips, signed
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
        self.frozen, self._octets = True, None

    def taken(self, values: Tensor, *, inplace: bool = False) -> Tensor:
        """What this convolution takes in of any ``[B, I, h, w]``: clipped and rounded.

        Where bytes are exact it comes as bytes; positive and negative parts apart, where there are
        both. `values` may be overwritten if it is to be `inplace`.
        """
        if not self.frozen or values.device.type != "cpu" or not int8_is_exact():
            return rounded(values, LIMIT, low=None if self.signed else 0, inplace=inplace)
        whole = (values.mul_(UNIT) if inplace else values * UNIT).round_()
        parts = [whole, -whole] if self.signed else [whole]
        octets = [part.clamp_(0, LIMIT * UNIT).to(torch.uint8) for part in parts]
        return torch.cat(octets, dim=1).contiguous(memory_format=torch.channels_last)

    def octets(self) -> Int8Conv:
        """The same convolution of bytes."""
        if self._octets is None:
            weight, bias, shifts = self.integers()
            scale = torch.exp2(-shifts.float())
            if self.signed:
                weight = torch.cat([weight, -weight], dim=1)
            self._octets = Int8Conv(weight, bias * scale / UNIT, scale, UNIT)
        return self._octets

    def forward(
        self, values: Tensor, added: Tensor | None = None, *, active: bool = False
    ) -> Tensor:
        """Sums, not rounded, or activations in the form of `values`.

        Args:
            values: ``[B, I, h, w]``, as they are or from :meth:`taken`.
            added: Activations ``[B, O, h, w]`` in the same form, which are added to the sums; may
                be overwritten.
            active: Whether activations are wanted.
        """
        if values.dtype == torch.uint8:
            octets = self.octets()
            return octets.activations(values, added) if active else octets.sums(values)
        sums = self._sums(values)
        if added is not None:
            sums = sums + added
        return positive(sums, inplace=True) if active else sums

    def _sums(self, values: Tensor) -> Tensor:
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
