"""One level of latents: in which order they are coded, and what is expected of them.

::

    state (guide, and the level above) ---+-----------------------+
    known ---- order: which come now -----|---- mask of the group |
    decoded -- masked convolution, divided by what it saw --- expected mean, spread and step

In each of N steps the order network picks a group of positions from what both sides know; the
context network tells for them, from the groups before, a mean, the index of a probability table and
a quantiser step. Positions that are not sent take their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from rawback.models.exact import ExactConv, positive, rounded, signed

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FINER", "STEPS_PER_OCTAVE", "TABLES", "ContextModel", "Expected", "spread_of"]

TABLES = 64
"""Probability tables: one for each spread."""

STEPS_PER_OCTAVE = 8
"""Quantiser steps come in eighths of an octave."""

_HIDDEN, _CONTEXT, _REACH = 64, 32, 2
_STEP_LIMIT = 4.0
_RATIO = 64
_RANDOM_SHARE = 0.5
_PER_UNIT = TABLES / 4
"""Tables for each 1 of an activation."""

FINER = 3
"""Octaves by which steps are finer than their exponents say."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the context network says, each ``[B, C, h, w]``.

    Attributes:
        mean: Of a latent.
        table: Index of its probability table, 0 to TABLES - 1, not yet rounded in training.
        step: Its quantiser step as an exponent of 2.
    """

    mean: Tensor
    table: Tensor
    step: Tensor


def spread_of(table: Tensor) -> Tensor:
    """Scale of the logistic distribution of a table, in quantiser steps: 0.07 to 17.

    Narrower ones would save next to nothing and make every index but 0 so dear in training that
    latents, once silent, never speak again.
    """
    return torch.exp2(table / 8 - 3.8)


class ContextModel(nn.Module):
    """A level of `channels` latents whose state has `inputs` channels.

    Args:
        channels: Of the latents.
        inputs: Of the state.
        groups: How many there are.
        learned_order: Whether the order is learned; else it is interleaved grids.
        adaptive: Whether steps are; else they are all 1.
    """

    def __init__(
        self, channels: int, inputs: int, groups: int, *, learned_order: bool, adaptive: bool
    ) -> None:
        super().__init__()
        self.channels, self.groups, self.adaptive = channels, groups, adaptive
        self.learned_order = learned_order
        if learned_order:
            self.order = _interleaving(ExactConv(inputs + 3, 16, 3), ExactConv(16, 1, 3))
        self.around = ExactConv(channels, _CONTEXT, 2 * _REACH + 1)
        self.joined = ExactConv(inputs + _CONTEXT + 1, _HIDDEN, 1)
        self.head = ExactConv(_HIDDEN, channels * (3 if adaptive else 2), 1)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            # Begin with a spread far below a step: nearly all latents are silent.
            self.head.bias[channels : 2 * channels] = 8 / _PER_UNIT

    def coding_order(self, state: Tensor) -> Tensor:
        """In which step each position is coded: ``[B, 1, h, w]``, 0 to groups - 1.

        Masks depend on the state alone, so all of them are known before anything is decoded.
        """
        known = torch.zeros_like(state[:, :1])
        order = torch.zeros_like(known)
        for number in range(self.groups):
            group = self.next_group(state, known, number)
            order += group * number
            known = known + group
        return order

    def logits(self, state: Tensor, known: Tensor) -> Tensor:
        """What speaks for coding each position next: ``[B, 1, h, w]``, of a learned order."""
        first, second = self.order
        seen = torch.cat([state, known, *_parities(known)], dim=1)
        return signed(second(positive(first(seen)))).float()

    def next_group(self, state: Tensor, known: Tensor, number: int) -> Tensor:
        """Which of the positions not known yet make the next group: 1 or 0, ``[B, 1, h, w]``.

        As many of them come as make all groups alike in size: those with the largest logits, and of
        equal ones the first. In training, noise is added to the logits every other time (Gumbel
        top-k, Kool et al., ICML 2019), and the gradient is that of a choice by logits against the
        last one that was taken: against its logits too, so that nothing is gained by moving all of
        them alike, to where they are clipped and tell nothing any more.
        """
        left = 1 - known
        if number == self.groups - 1:
            return left
        if not self.learned_order:
            return left * _interleaved(known, number, self.groups)
        logits = self.logits(state, known)
        if self.training and torch.rand(()) < _RANDOM_SHARE:
            noise = torch.empty_like(logits).uniform_(1e-4, 1 - 1e-4)
            logits = logits - torch.log(-torch.log(noise))
        ranked = torch.where(left > 0, logits, torch.full_like(logits, -torch.inf)).flatten(1)
        taken = _size_of_group(known[0].numel(), self.groups, number)
        order = ranked.detach().sort(dim=1, descending=True, stable=True).indices[:, :taken]
        hard = torch.zeros_like(ranked).scatter_(1, order, 1.0).reshape(logits.shape)
        if not self.training:
            return hard
        last = ranked.gather(1, order[:, -1:])[:, :, None, None]
        soft = left * torch.sigmoid(logits - last)
        return soft + (hard - soft).detach()

    def expected(self, state: Tensor, decoded: Tensor, known: Tensor) -> Expected:
        """What to expect of every position, given those decoded so far.

        Args:
            state: ``[B, inputs, h, w]``.
            decoded: ``[B, C, h, w]``, what is decoded as networks see it; anything elsewhere.
            known: ``[B, 1, h, w]``, 1 where it is decoded.
        """
        around = self._around(decoded * known, known)
        joined = positive(self.joined(torch.cat([state, around, known], dim=1)))
        parts = self.head(joined).chunk(3 if self.adaptive else 2, dim=1)
        mean, table = signed(parts[0]), positive(parts[1])
        step = signed(parts[2], _STEP_LIMIT) if self.adaptive else torch.zeros_like(mean)
        return Expected(
            mean, torch.floor(table * _PER_UNIT) if not self.training else table * _PER_UNIT, step
        )

    def _around(self, decoded: Tensor, known: Tensor) -> Tensor:
        """The masked convolution, scaled up for the neighbours it missed.

        The product with the ratio needs more than 24 bits, so it is formed in float64 when coding.
        """
        side = 2 * _REACH + 1
        with torch.no_grad():
            window = known.new_ones(1, 1, side, side)
            seen = functional.conv2d(known, window, padding=_REACH)
            whole = functional.conv2d(torch.ones_like(known), window, padding=_REACH)
            ratio = torch.round(whole / seen.clamp(min=1) * _RATIO) / _RATIO * (seen > 0)
        sums = self.around(decoded)
        if not self.training:
            sums, ratio = sums.double(), ratio.double()
        return signed(sums * ratio).to(decoded.dtype)


def _size_of_group(positions: int, groups: int, number: int) -> int:
    """How many of the positions make a group, when all groups are to be alike in size."""
    for group in range(number):
        positions -= -(-positions // (groups - group))
    return -(-positions // (groups - number))


def _parities(like: Tensor) -> tuple[Tensor, Tensor]:
    """Planes that are 1 in every other row, and in every other column, like ``[B, 1, h, w]``."""
    height, width = like.shape[-2:]
    rows = (torch.arange(height, device=like.device) % 2).to(like.dtype)[:, None]
    columns = (torch.arange(width, device=like.device) % 2).to(like.dtype)
    return rows.expand_as(like), columns.expand_as(like)


def _interleaving(first: ExactConv, second: ExactConv) -> nn.ModuleList:
    """The order network, beginning with logits that make four groups interleaved grids."""
    with torch.no_grad():
        own, middle = first.weight[:3], first.weight.shape[-1] // 2
        own.zero_()
        own[0, -2, middle, middle] = own[1, -1, middle, middle] = 1
        own[2, -2:, middle, middle] = 1
        first.bias[2] = -1  # 1 where row and column are both odd
        second.weight.zero_()
        # 3, 2, 1, 0 for the grids of upper left, lower right, upper right and lower left.
        second.weight[0, :3, middle, middle] = torch.tensor([-3.0, -2.0, 4.0])
        second.bias.fill_(3)
        second.weight.div_(2)
        second.bias.div_(2)
    return nn.ModuleList([first, second])


def _interleaved(like: Tensor, number: int, groups: int) -> Tensor:
    """The fixed order: one of 2x2 interleaved grids after the other."""
    rows, columns = _parities(like)
    place = torch.where(columns == rows, rows * 0, rows * 0 + 2) + rows
    return (torch.floor(place * groups / 4) == number).to(like.dtype)


def quantiser_step(step: Tensor) -> Tensor:
    """Size of the quantiser step: ``2 ** (step - 3)``, in eighths of an octave."""
    return torch.exp2(rounded(step, _STEP_LIMIT, STEPS_PER_OCTAVE) - FINER)


def quantised(place: Tensor) -> Tensor:
    """Indices of latents, less their means, in quantiser steps: rounded, but sooner towards 0.

    What a latent that just comes to a half tells is worth less than the bits of its index: encoders
    of video round so too, with offsets of a third or a sixth instead of a half.
    """
    return place.sign() * torch.floor(place.abs() + _ROUNDING)


_ROUNDING = 0.35


def visible(latents: Tensor) -> Tensor:
    """Latents as the networks see them."""
    return signed(latents)
