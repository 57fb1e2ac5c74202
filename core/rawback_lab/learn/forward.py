"""The network in training: rounding with gradients, groups dropped; features and bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from rawback.models import SIDE_CODES, Network, conditioning, scale_of
from rawback.models.context_model import quantised, quantiser_step, spread_of, visible
from rawback.models.network import Views
from rawback.models.objective import energies, side_information

if TYPE_CHECKING:
    from torch import Tensor

    from rawback.models.context_model import ContextModel
    from rawback_lab.learn.material import Batch

__all__ = ["Passed", "code_length", "rate", "run"]


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass gave.

    Attributes:
        features: ``[B, F, h, w]``.
        bits: Of both levels of latents, ``[B]``.
    """

    features: Tensor
    bits: Tensor


def run(network: Network, batch: Batch, shift: Tensor, sent: int, *, bare: bool) -> Passed:
    """Pass a batch.

    Args:
        network: In training or evaluation mode.
        batch: Crops.
        shift: Octaves by which quantiser steps are larger, in eighths, ``[B, 1, 1, 1]``.
        sent: Groups of the main level that are sent.
        bare: Whether no latents are sent at all.
    """
    config = network.config
    views = Views.of(config, batch.guide, batch.flags, batch.base)
    scale = scale_of(shift)
    if bare or not config.latents:
        features = network.features(views.cells, None, None, scale)
        return Passed(features, batch.base.new_zeros(len(batch.base)))
    residual = batch.residual / (batch.gain * scale)
    hints = side_information(energies(residual, batch.gain))
    if network.training:
        # Payloads tell them of whole frames, of which a crop is not always typical.
        hints = (hints + torch.randint_like(hints, -2, 3)).clamp(0, SIDE_CODES - 1)
    guide = network.guide_state(views.latents, conditioning(shift, hints))
    main = network.analysis.main_latents(views.cells, residual).float()
    auxiliary = network.analysis.auxiliary_latents(main, guide).float()
    coarse = network.auxiliary_state(guide)
    decoded, bits = _level(network.auxiliary, coarse, auxiliary, config.groups)
    state = network.main_state(guide, coarse, decoded)
    decoded, spent = _level(network.main, state, main, sent)
    return Passed(network.features(views.cells, state, decoded, scale), bits + spent)


def _level(level: ContextModel, state: Tensor, latents: Tensor, sent: int) -> tuple[Tensor, Tensor]:
    """Decoded latents as networks see them, and bits ``[B]``."""
    known = torch.zeros_like(state[:, :1])
    decoded = torch.zeros_like(latents)
    bits = latents.new_zeros(len(latents))
    for number in range(sent):
        told = level.expected(state, decoded, known)
        group = level.next_group(state, known, number)
        step = quantiser_step(told.step)
        place = (latents - told.mean) / step
        index = place + (quantised(place) - place).detach()
        bits = bits + (group * rate(place, index, spread_of(told.table))).sum(dim=(1, 2, 3))
        decoded = decoded + group * visible(told.mean + index * step)
        known = known + group
    if sent < level.groups:
        decoded = decoded + (1 - known) * level.expected(state, decoded, known).mean
    return decoded, bits


def rate(place: Tensor, index: Tensor, spread: Tensor) -> Tensor:
    """Bits of an index, with gradients for the spread, and for the place it was rounded from.

    At a hundredth of a bit per latent, uniform noise in place of rounding would cost more than the
    latents. But at an index of 0 nothing would pull a place back towards it: errors that pass
    through the rounding push until the index is another, and half of all such latents speak and
    are not worth their bits. So the gradient of the place is that of a code of the place itself.
    """
    spent = code_length(index.detach(), spread)
    pull = code_length(place, spread.detach())
    return spent + (pull - pull.detach())


def code_length(index: Tensor, spread: Tensor) -> Tensor:
    """Bits of an index under a logistic distribution of that scale."""
    size = index.abs().float()
    spread = spread.float()
    far, near = torch.sigmoid((0.5 - size) / spread), torch.sigmoid((-0.5 - size) / spread)
    return -torch.log2((far - near).clamp(min=1e-6))
