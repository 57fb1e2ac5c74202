"""Convolutions of bytes, where the machine adds their products up exactly: faster than floats.

Activations are 0 to 255 of 1/64 and weights are 8-bit integers, which is what processors multiply
four at a time (VNNI and its kin). The sums are the same whole numbers that float32 gives. But older
instruction sets add pairs of products up in 16 bits and clip them there, and which one a library
chooses is its own affair; so before bytes are trusted, they are tried with the largest sums there
can be. Where those come out otherwise, or the library knows no such convolutions, all is computed
in float32.
"""

from __future__ import annotations

import platform
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Int8Conv", "int8_is_exact"]

_FAST = {"x86_64", "AMD64"}
"""Elsewhere oneDNN adds such products up one by one."""


class Int8Conv:
    """A convolution of bytes with stride 1, zeros around them.

    Args:
        weight: int64 ``[O, I, k, k]``, -127 to 127.
        bias: float32 ``[O]``, in what a sum times its scale is.
        scale: float32 ``[O]``: what 1 of a weight is worth, a power of 2.
        unit: One over what 1 of an activation is worth.
    """

    def __init__(self, weight: Tensor, bias: Tensor, scale: Tensor, unit: int) -> None:
        self._one, padding = 1 / unit, weight.shape[-1] // 2
        self._place = [1, 1], [padding, padding], [1, 1], 1
        packed = torch.ops.onednn.qconv_prepack(
            weight.to(torch.int8), scale, self._one, 0, *self._place
        )
        self._weight = packed, scale, torch.zeros(len(scale), dtype=torch.int64), bias

    def sums(self, values: Tensor) -> Tensor:
        """Float32 sums ``[B, O, h, w]`` of bytes ``[B, I, h, w]``, not rounded."""
        sums: Tensor = torch.ops.onednn.qconv2d_pointwise(
            values, self._one, 0, *self._weight, *self._place, 1.0, 0, torch.float32, "none", [], ""
        )
        return sums

    def activations(self, values: Tensor, added: Tensor | None = None) -> Tensor:
        """Sums as bytes: rounded, ties to even, and clipped.

        Args:
            values: Bytes ``[B, I, h, w]``.
            added: Bytes ``[B, O, h, w]`` that are added to the sums before; may be overwritten.
        """
        packed, scale, zero, bias = self._weight
        head, place = (values, self._one, 0, packed, scale, zero), (bias, *self._place)
        form = self._one, 0, torch.uint8
        conv = torch.ops.onednn.qconv2d_pointwise
        activations: Tensor
        if added is None:
            activations = conv(*head, *place, *form, "none", [], "")
        else:
            added = added.contiguous(memory_format=torch.channels_last)
            activations = conv.binary(
                *head, added, *place, *form, self._one, 0, "sum", 1.0, "none", [], ""
            )
        return activations


@cache
def int8_is_exact() -> bool:
    """Whether bytes give here what float32 gives, to the last bit, and sooner."""
    if platform.machine() not in _FAST:
        return False
    random = torch.Generator().manual_seed(0)
    try:
        return all(_comes_out(random, side) for side in (1, 3))
    except (AttributeError, RuntimeError, TypeError):
        # These operators are torch's own affair: another build may have none, or others.
        return False


def _comes_out(random: torch.Generator, side: int) -> bool:
    """Try the largest activations with the largest weights, of one sign and mixed, and others."""
    inputs, outputs, unit = 48, 64, 64
    signs = torch.randint(0, 2, (outputs, inputs, side, side), generator=random) * 2 - 1
    signs[:16], signs[16:32] = 1, -1
    weight = signs * torch.randint(1, 128, signs.shape, generator=random)
    weight[:48] = 127 * signs[:48]
    scale = torch.full((outputs,), 2.0**-7)
    scale[40:] = 2.0**-12
    bias = torch.randint(-(1 << 12), 1 << 12, (outputs,), generator=random) * scale / unit
    values = torch.randint(0, 256, (2, inputs, 17, 23), generator=random)
    values[0] = 255
    added = torch.randint(0, 256, (2, outputs, 17, 23), generator=random)
    expected = functional.conv2d(
        values.double() / unit,
        weight * scale.double()[:, None, None, None],
        bias.double(),
        padding=side // 2,
    )
    conv = Int8Conv(weight, bias, scale, unit)
    last = torch.channels_last
    octets, more = (part.to(torch.uint8).contiguous(memory_format=last) for part in (values, added))

    def rounded(sums: Tensor) -> Tensor:
        return (sums * unit).round().clamp(0, 255).to(torch.uint8)

    return (
        torch.equal(conv.sums(octets).double(), expected)
        and torch.equal(conv.activations(octets), rounded(expected))
        and torch.equal(conv.activations(octets, more), rounded(expected + added / unit))
    )
