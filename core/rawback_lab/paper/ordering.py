"""Coding latents in steps whose order is learned, each step seeing what came before.

::

    guide, prior, what is known --selector--> the next group of positions
    known latents --masked convolution--+
    guide, prior -----------------------+--> mean, scale, step exponent Q of that group

    q = round((y - mean) / 2**(Q + gamma))        restored: mean + q 2**(Q + gamma)

In training, selection is drawn (Gumbel-softmax, straight through) and rounding is additive noise
where bits are counted and straight-through where values go on; when coding, both are what they say.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Grouped", "MaskedContext", "OrderedContext"]

_LEAST_SCALE, _MOST_SCALE = 0.02, 2.0**14
_LEAST_SHARE = 2.0**-40
_BIAS = 4.0
"""How much the untrained selector leans to one of the four interleaved grids at each step."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Latents as they come out of the coder.

    Attributes:
        values: float32 ``[B, C, h, w]``.
        bits: float32 ``[B]``: ideal code length.
        groups: float32 ``[steps, B, 1, h, w]``: 1 where a step codes a position; sums to 1.
    """

    values: Tensor
    bits: Tensor
    groups: Tensor


class MaskedContext(nn.Module):
    """A convolution that sees known positions only, divided by how many of them it sees."""

    def __init__(self, channels: int, width: int, size: int = 5) -> None:
        super().__init__()
        self.size = size
        self.spread = nn.Conv2d(channels, width, size, padding=size // 2, bias=False)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        """Features of values ``[B, C, h, w]`` known where a mask ``[B, 1, h, w]`` is 1.

        Returns:
            ``[B, width, h, w]``; 0 where nothing is known near.
        """
        share = functional.avg_pool2d(known, self.size, 1, self.size // 2)
        found: Tensor = self.spread(values * known) / share.clamp(min=self.size**-2)
        return found


class OrderedContext(nn.Module):
    """One level's latents, coded in learned groups."""

    def __init__(self, channels: int, prior_width: int, width: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        half = max(width // 2, 1)
        self.select = nn.Sequential(
            nn.Conv2d(prior_width + 1, half, 3, padding=1), nn.GELU(), nn.Conv2d(half, 1, 1)
        )
        # Which of the grids (0,0), (1,1), (0,1), (1,0) the untrained selector takes at each step.
        order = torch.tensor([[0, 2], [3, 1]])
        leaning = torch.stack(
            [torch.where(order % steps == k, _BIAS, -_BIAS) for k in range(steps)]
        )
        self.leaning = nn.Parameter(leaning)
        self.context = MaskedContext(channels, width)
        self.predict = nn.Sequential(
            nn.Conv2d(width + prior_width, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, width, 1),
            nn.GELU(),
            nn.Conv2d(width, 3 * channels, 1),
        )

    def forward(
        self,
        latents: Tensor,
        prior: Tensor,
        gamma: float,
        kept: int,
        noise: torch.Generator | None = None,
    ) -> Grouped:
        """Code latents and decode them again.

        Args:
            latents: ``[B, C, h, w]``.
            prior: What the decoder knows beforehand, ``[B, prior_width, h, w]``.
            gamma: Added to all Q.
            kept: Groups that are coded; the rest take their predicted mean for no bits.
            noise: Draws selections and noise, in training; without it both are as in coding.
        """
        known = torch.zeros_like(latents[:, :1])
        values = torch.zeros_like(latents)
        bits = torch.zeros(len(latents), device=latents.device)
        groups = []
        for step in range(self.steps):
            group = self._group(step, prior, known, noise)
            seen = self.context(values, known)
            mean, scale, exponent = (
                self.predict(torch.cat([seen, prior], 1)).float().chunk(3, dim=1)
            )
            if step < kept:
                size = torch.exp2(exponent.clamp(-8, 8) + gamma)
                offset = (latents - mean) / size
                bits = bits + _bits(offset, scale, size, group, noise)
                rounded = offset + (torch.round(offset) - offset).detach()
                values = values + group * (mean + rounded * size)
            else:
                values = values + group * mean
            known = known + group
            groups.append(group)
        return Grouped(values, bits, torch.stack(groups))

    def _group(
        self, step: int, prior: Tensor, known: Tensor, noise: torch.Generator | None
    ) -> Tensor:
        """The positions of a step, 1 or 0, ``[B, 1, h, w]``: all that are left, in the last."""
        left = 1 - known
        if step == self.steps - 1:
            return left
        height, width = known.shape[2:]
        tiled = self.leaning[step].repeat(-(-height // 2), -(-width // 2))[:height, :width]
        logit = self.select(torch.cat([prior, known], 1)).float() + tiled
        if noise is None:
            chosen: Tensor = (logit > 0).float() * left
            return chosen
        # The difference of two Gumbel variables is logistic.
        drawn = torch.rand(logit.shape, generator=noise, device=logit.device).clamp(1e-6, 1 - 1e-6)
        soft = torch.sigmoid(logit + torch.logit(drawn))
        hard = (soft > 0.5).float()
        drawn_group: Tensor = (hard + (soft - soft.detach())) * left
        return drawn_group


def _bits(
    offset: Tensor, scale: Tensor, size: Tensor, group: Tensor, noise: torch.Generator | None
) -> Tensor:
    """Ideal code length of a group under a Gaussian integrated over each step, ``[B]``."""
    if noise is None:
        symbols = torch.round(offset)
    else:
        symbols = offset + torch.rand(offset.shape, generator=noise, device=offset.device) - 0.5
    spread = (torch.exp(scale.clamp(-10, 10)) / size).clamp(_LEAST_SCALE, _MOST_SCALE)
    # Both tails at once lose precision, so the interval is mirrored to the lower one.
    lower, upper = (-symbols.abs() - 0.5) / spread, (-symbols.abs() + 0.5) / spread
    share = (_below(upper) - _below(lower)).clamp(min=_LEAST_SHARE)
    lengths: Tensor = -(torch.log2(share) * group).sum(dim=(1, 2, 3))
    return lengths


def _below(x: Tensor) -> Tensor:
    """The share of a normal distribution below `x`."""
    share: Tensor = torch.special.ndtr(x)
    return share
