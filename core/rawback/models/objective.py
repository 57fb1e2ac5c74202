"""What training and the encoder minimise: bits of latents, and bits of what they leave.

Whatever latents leave is coded by the residual layer or stays as an error, so it is worth what that
layer pays for it, in bits and in distortion at the slope ``1 / (2 ln(2) theta)`` of its operating
point, where it leaves the squared error `theta` per coefficient. A coefficient of variance `v`
costs ``W log2(1 + v / (W theta)) / 2`` bits: its own error at small `v`, and about its code length,
with what is left after it, at large. So nothing diverges in clipped highlights, where residuals
reach hundreds of standard deviations, and no weight between rate and distortion is to be tuned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from rawback.models.exact import LIMIT
from rawback.models.input_features import SIDE_CODES

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "EYE",
    "POOR_GAIN",
    "Emphasis",
    "energies",
    "error_left",
    "fitted_readout",
    "gain_of",
    "residual_bits",
    "side_information",
    "theta_of",
]

_LEVELS = 5
_MIXES = {
    4: [
        [0.5, 0.5, 0.5, 0.5],
        [0.5, 0.5, -0.5, -0.5],
        [0.5, -0.5, 0.5, -0.5],
        [0.5, -0.5, -0.5, 0.5],
    ],
    3: [[3**-0.5] * 3, [2**-0.5, 0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]],
}


@dataclass(frozen=True, slots=True)
class Emphasis:
    """How much finer errors are to be coded, by component of the planes and level.

    Attributes:
        mix: Components from planes, a row each, orthonormal.
        octaves: By how many octaves the step of each component falls from one level to the next.
    """

    mix: tuple[tuple[float, ...], ...]
    octaves: tuple[float, ...]


EYE = Emphasis(
    (
        (0.5, 0.5, 0.5, 0.5),
        (0.5**0.5, 0, 0, -(0.5**0.5)),
        (0.5, -0.5, -0.5, 0.5),
        (0, 0.5**0.5, -(0.5**0.5), 0),
    ),
    (0.25, 0.45, 0.6, 0.16),
)
"""Of RGGB planes: light, red against blue, magenta against green, and what the greens differ by,
with about the slopes that payloads tuned for the eye have."""

_FINEST = (1 / 7) ** 2 / 6
"""The least squared error that an emphasis leads to, in variances of the noise."""

POOR_GAIN = 16.0
"""What a feature of 1 is worth, in standard deviations of the noise, where the guide clips or is
missing; elsewhere 1."""


def gain_of(flags: Tensor) -> Tensor:
    """What a feature of 1 is worth at each quad, ``[B, 1, h, w]`` of flags ``[B, 2, h, w]``."""
    return 1 + (POOR_GAIN - 1) * flags.amax(dim=1, keepdim=True)


def theta_of(step: Tensor) -> Tensor:
    """Squared error that a quantiser of this step leaves at its operating point."""
    return step * step / 6


def energies(residual: Tensor, gain: Tensor) -> Tensor:
    """How much there is to tell: where the guide is good, where it is not, and of means.

    Args:
        residual: In quantiser steps and what a feature of 1 is worth, ``[B, P, h, w]``, sides
            divisible by 8.
        gain: ``[B, 1, h, w]``.

    Returns:
        Sums of magnitudes and counts of each, ``[B, 3, 2]``; those of parts may be added up.
    """
    size = residual.clamp(-LIMIT, LIMIT).abs().mean(dim=1, keepdim=True)
    poor = (gain > 1).to(size.dtype)
    means = functional.avg_pool2d(residual.clamp(-LIMIT, LIMIT), 8).abs()
    sums = [
        ((size * where).sum(dim=(1, 2, 3)), where.sum(dim=(1, 2, 3)))
        for where in (1 - poor, poor, torch.ones_like(poor))
    ]
    sums[2] = means.sum(dim=(1, 2, 3)), means.new_full((len(means),), means[0].numel())
    return torch.stack([torch.stack(pair, dim=1) for pair in sums], dim=1)


def side_information(sums: Tensor) -> Tensor:
    """Logarithms of the mean magnitudes, as whole numbers: ``[B, SIDE_VALUES, 1, 1]``."""
    mean = sums[..., 0] / sums[..., 1].clamp(min=1)
    codes = torch.round(2 * torch.log2(mean.clamp(min=2.0**-20))) + SIDE_CODES * 3 // 4
    return codes.clamp(0, SIDE_CODES - 1)[:, :, None, None]


_WASTE = 2.5
"""W, set by hand. An ideal coder that leaves `theta` has 1; what the residual layer really spends
and leaves is above that by a third to four fifths, less the noise, at coarse steps, and more at
fine ones."""


def residual_bits(error: Tensor, theta: Tensor, emphasis: Emphasis | None = None) -> Tensor:
    """What coding or leaving `error` costs, in bits per sample, about.

    Args:
        error: ``[B, planes, h, w]`` in standard deviations of the noise, sides divisible by 32.
        theta: ``[B, 1, 1, 1]``: of the finest level.
        emphasis: What is coded finer than that; nothing by default.

    Returns:
        ``[B]``.
    """
    planes = error.shape[1]
    mix = error.new_tensor(_MIXES[planes] if emphasis is None else emphasis.mix)
    octaves = error.new_tensor((0.0,) * planes if emphasis is None else emphasis.octaves)
    low = torch.einsum("pq,bqhw->bphw", mix, error)
    total, here = error.new_zeros(error.shape[0]), theta
    for level in range(_LEVELS):
        finer = theta * torch.exp2(-2 * level * octaves)[:, None, None]
        here = torch.maximum(finer, theta.clamp(max=_FINEST))
        even, odd = low[..., 0::2, :], low[..., 1::2, :]
        tall, flat = (even + odd) * 0.5**0.5, (even - odd) * 0.5**0.5
        high = [
            (tall[..., 0::2] - tall[..., 1::2]) * 0.5**0.5,
            (flat[..., 0::2] + flat[..., 1::2]) * 0.5**0.5,
            (flat[..., 0::2] - flat[..., 1::2]) * 0.5**0.5,
        ]
        low = (tall[..., 0::2] + tall[..., 1::2]) * 0.5**0.5
        total = total + _bits(torch.cat(high, dim=1), here.repeat(1, 3, 1, 1))
    return (total + _bits(low, here)) / error[0].numel()


def _bits(values: Tensor, theta: Tensor) -> Tensor:
    """Cost of one band; a coder knows the variance from a coefficient's neighbours."""
    variance = functional.avg_pool2d(
        values * values, 3, stride=1, padding=1, count_include_pad=False
    )
    return (0.5 * _WASTE * torch.log2(1 + variance / (_WASTE * theta))).sum(dim=(1, 2, 3))


def error_left(residual: Tensor, features: Tensor, gain: Tensor, readout: Tensor) -> Tensor:
    """What is left of the residual after the readout of the features.

    Args:
        residual: Raw less base ``[B, P, h, w]`` in standard deviations of the noise.
        features: ``[B, F, h, w]``.
        gain: ``[B, 1, h, w]``: what a feature of 1 is worth.
        readout: ``[B, 2, P, F]``: of quads where the guide is good, and elsewhere.
    """
    good = torch.einsum("bpf,bfhw->bphw", readout[:, 0], features)
    poor = torch.einsum("bpf,bfhw->bphw", readout[:, 1], features)
    return residual - torch.where(gain > 1, gain * poor, good)


@torch.no_grad()
def fitted_readout(
    residual: Tensor,
    features: Tensor,
    gain: Tensor,
    worth: Tensor,
    theta: Tensor,
    prior: Tensor,
) -> Tensor:
    """The readout that suits each crop: ridge regression towards the network's own.

    Where it minimises the loss, the loss does not change with it: its gradient is not needed.

    Args:
        residual: As for :func:`error_left`.
        features: As for :func:`error_left`.
        gain: As for :func:`error_left`.
        worth: What an error counts, ``[B, P, h, w]``.
        theta: ``[B, 1, 1, 1]``.
        prior: The network's readout ``[2, P, F]``.

    Returns:
        ``[B, 2, P, F]``.
    """
    eye = torch.eye(features.shape[1]).to(residual)
    readouts = []
    for poor in (False, True):
        where = ((gain > 1) == poor).to(residual.dtype)
        usual = torch.einsum("pf,bfhw->bphw", prior[int(poor)], features)
        left = residual / gain - usual
        # Large errors cost their logarithm: weights make the squares follow it.
        square = worth.square().mean(dim=1, keepdim=True)
        size = functional.avg_pool2d(left.square().mean(dim=1, keepdim=True), 5, 1, 2) * square
        weight = where * square / (size + _WASTE * theta / gain.square())
        gram = torch.einsum("bfhw,bghw->bfg", features * weight, features)
        cross = torch.einsum("bphw,bfhw->bpf", left * weight, features)
        trace = gram.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
        change = torch.linalg.solve(gram + (0.02 * trace + 1e-3) * eye, cross.transpose(1, 2))
        readouts.append(prior[int(poor)] + change.transpose(1, 2))
    return torch.stack(readouts, dim=1)
