"""What the networks see of a frame before anything is decoded: guide, mask and base, as integers.

::

    guide --+-- brightness of 16 pixels, two colour differences of 4 --+
    flags --+-- clipped and uncovered of 4 quads ----------------------+-- cell view (4x4 pixels)
    base  --+-- its mean, and each sample against it ------------------+
                                 |
                  7 summaries of each of 4x4 cells -- latent view (16x16 pixels)

All values are multiples of 1/64 within the range of activations, so both sides see the same.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from rawback.models.config import CELL, LATENT
from rawback.models.exact import LIMIT, UNIT

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LATENT_VIEW", "SIDE_CODES", "SIDE_VALUES", "cell_view", "conditioning", "latent_view"]

_SUMMARIES = 7
LATENT_VIEW = _SUMMARIES * LATENT * LATENT
"""Channels of a latent view."""

SIDE_VALUES = 3
"""Numbers that the encoder tells of a frame; see :func:`rawback.models.objective.energies`."""

SIDE_CODES = 16
"""Values of each, half an octave apart."""

_LEVEL, _DETAIL = 2.0**-6, 2.0**-3
"""Units of the base's mean, and of its detail, in its own."""


def cell_view(guide: Tensor, flags: Tensor, base: Tensor, cell_side: int) -> Tensor:
    """What is known of each cell.

    Args:
        guide: ``[B, 3, 4 h, 4 w]``, integers 0 to 255.
        flags: ``[B, 2, cell_side h, cell_side w]``, 0 or 1: where the guide clips, and where there
            is none.
        base: ``[B, planes, cell_side h, cell_side w]``, integers in 1/16 of the noise's standard
            deviation.
        cell_side: Samples of a plane along each side of a cell.

    Returns:
        ``[B, inputs, h, w]``, see :attr:`ModelConfig.inputs`.
    """
    red, green, blue = guide[:, 0:1], guide[:, 1:2], guide[:, 2:3]
    light = torch.floor((red + 2 * green + blue) / 4) - 128
    warm, cold = (_mean(channel - green, 2) for channel in (red, blue))
    mean = _mean(base, cell_side)
    detail = base - functional.interpolate(mean, scale_factor=cell_side, mode="nearest")
    flags = functional.max_pool2d(flags, 2 * cell_side // CELL)
    parts = (
        functional.pixel_unshuffle(light, CELL),
        functional.pixel_unshuffle(warm, CELL // 2),
        functional.pixel_unshuffle(cold, CELL // 2),
        functional.pixel_unshuffle(flags * UNIT, CELL // 2),
        torch.floor(mean * _LEVEL),
        functional.pixel_unshuffle(torch.floor(detail * _DETAIL), cell_side),
    )
    return torch.cat(parts, dim=1).div_(UNIT).clamp_(-LIMIT, LIMIT)


def latent_view(cells: Tensor, planes: int) -> Tensor:
    """Summaries of the cells that each latent position covers.

    Args:
        cells: From :func:`cell_view`, of sides divisible by LATENT.
        planes: Planes of the base.

    Returns:
        ``[B, LATENT_VIEW, h / 4, w / 4]``.
    """
    light, warm, cold = cells[:, :16], cells[:, 16:20], cells[:, 20:24]
    clipped, uncovered, level = cells[:, 24:28], cells[:, 28:32], cells[:, 32 : 32 + planes]
    mean = _floored(light.mean(dim=1, keepdim=True))
    parts = (
        mean,
        _floored((light - mean).abs().mean(dim=1, keepdim=True) * 4).clamp(max=LIMIT),
        *(_floored(part.sum(dim=1, keepdim=True) / 4) for part in (warm, cold, level)),
        *(part.mean(dim=1, keepdim=True) for part in (clipped, uncovered)),
    )
    return functional.pixel_unshuffle(torch.cat(parts, dim=1).clamp(-LIMIT, LIMIT), LATENT)


def conditioning(shift: Tensor, hints: Tensor) -> Tensor:
    """What is known of a frame as a whole.

    Args:
        shift: Octaves by which quantiser steps are above the noise, whole eighths,
            ``[B, 1, 1, 1]``.
        hints: ``[B, SIDE_VALUES, 1, 1]``, whole numbers below SIDE_CODES.

    Returns:
        ``[B, 1 + SIDE_VALUES, 1, 1]``, multiples of 1/64 in the range of activations.
    """
    return torch.cat([shift / 2, hints / 2 - SIDE_CODES / 4], dim=1).clamp(-LIMIT, LIMIT)


def _mean(values: Tensor, side: int) -> Tensor:
    """Mean of squares of `side` whole numbers each way, rounded down; exact, as the sums are whole.

    Adding up every second row and column takes less time than torch's own pooling.
    """
    rows = functools.reduce(torch.add, [values[..., at::side, :] for at in range(side)])
    sums = functools.reduce(torch.add, [rows[..., at::side] for at in range(side)])
    return sums.div_(side * side).floor_()


def _floored(values: Tensor) -> Tensor:
    return torch.floor(values * UNIT) / UNIT
