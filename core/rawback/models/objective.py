"""What training and the encoder minimise: bits of latents, and bits of what they leave.

Whatever latents leave is coded by the residual layer, so an error is worth what that layer pays for
it. At a step that leaves the squared error `theta` per coefficient a Gaussian coefficient of
variance `v` costs ``log2(1 + v / theta) / 2`` bits: about its own error at small `v`, and no more
than its code length at large. So nothing diverges in clipped highlights, where residuals reach
hundreds of standard deviations, and no weight between rate and distortion is to be tuned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["POOR_GAIN", "error_left", "fitted_readout", "gain_of", "residual_bits", "theta_of"]

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


POOR_GAIN = 16.0
"""What a feature of 1 is worth, in standard deviations of the noise, where the guide clips or is
missing; elsewhere 1."""


def gain_of(flags: Tensor) -> Tensor:
    """What a feature of 1 is worth at each quad, ``[B, 1, h, w]`` of flags ``[B, 2, h, w]``."""
    return 1 + (POOR_GAIN - 1) * flags.amax(dim=1, keepdim=True)


def theta_of(step: Tensor) -> Tensor:
    """Squared error that a quantiser of this step leaves at its operating point."""
    return step * step / 6


def residual_bits(error: Tensor, theta: Tensor, waste: Tensor | float = 1.0) -> Tensor:
    """Bits per sample that coding `error` takes, about.

    Args:
        error: ``[B, planes, h, w]`` in standard deviations of the noise, sides divisible by 32.
        theta: ``[B, 1, 1, 1]``.
        waste: How many times as many bits large coefficients take, ``[B, 1, 1, 1]``: at tiny rates
            most of them are spent on telling where those are.

    Returns:
        ``[B]``.
    """
    mix = error.new_tensor(_MIXES[error.shape[1]])
    low = torch.einsum("pq,bqhw->bphw", mix, error)
    total = error.new_zeros(error.shape[0])
    for _ in range(_LEVELS):
        even, odd = low[..., 0::2, :], low[..., 1::2, :]
        tall, flat = (even + odd) * 0.5**0.5, (even - odd) * 0.5**0.5
        high = [
            (tall[..., 0::2] - tall[..., 1::2]) * 0.5**0.5,
            (flat[..., 0::2] + flat[..., 1::2]) * 0.5**0.5,
            (flat[..., 0::2] - flat[..., 1::2]) * 0.5**0.5,
        ]
        low = (tall[..., 0::2] + tall[..., 1::2]) * 0.5**0.5
        total = total + _bits(torch.cat(high, dim=1), theta, waste)
    return (total + _bits(low, theta, waste)) / error[0].numel()


def _bits(values: Tensor, theta: Tensor, waste: Tensor | float) -> Tensor:
    """Code length of one band; a coder knows the variance from a coefficient's neighbours."""
    variance = functional.avg_pool2d(
        values * values, 3, stride=1, padding=1, count_include_pad=False
    )
    return (0.5 * waste * torch.log2(1 + variance / (waste * theta))).sum(dim=(1, 2, 3))


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
    found = []
    for poor in (False, True):
        where = ((gain > 1) == poor).to(residual.dtype)
        usual = torch.einsum("pf,bfhw->bphw", prior[int(poor)], features)
        left = residual / gain - usual
        # Large errors cost their logarithm: weights make the squares follow it.
        square = worth.square().mean(dim=1, keepdim=True)
        size = functional.avg_pool2d(left.square().mean(dim=1, keepdim=True), 5, 1, 2) * square
        weight = where * square / (size + theta / gain.square())
        gram = torch.einsum("bfhw,bghw->bfg", features * weight, features)
        cross = torch.einsum("bphw,bfhw->bpf", left * weight, features)
        trace = gram.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
        change = torch.linalg.solve(gram + (0.02 * trace + 1e-3) * eye, cross.transpose(1, 2))
        found.append(prior[int(poor)] + change.transpose(1, 2))
    return torch.stack(found, dim=1)
