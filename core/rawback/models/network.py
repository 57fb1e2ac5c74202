"""The whole network: views, both levels of latents, synthesis.

::

    latent view --> guide state --> auxiliary level --> lifted --+
                        |                                        |
                        +----------------------------- state ----+--> main level --> synthesis

The encoder runs the analysis besides, see :mod:`rawback.models.backbone`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import nn
from torch.nn import functional

from rawback.models.backbone import (
    FEATURE_LIMIT,
    FEATURE_UNIT,
    Analysis,
    MirroredSynthesis,
    SkipPath,
    Synthesis,
)
from rawback.models.config import LATENT
from rawback.models.context_model import (
    FINER,
    STEPS_PER_OCTAVE,
    ContextModel,
    Expected,
    quantised,
    visible,
)
from rawback.models.exact import ExactConv, positive, rounded
from rawback.models.input_features import LATENT_VIEW, SIDE_VALUES, cell_view, latent_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rawback.models.config import ModelConfig

__all__ = ["FEATURE_LIMIT", "FEATURE_UNIT", "GroupCoder", "Network", "Views", "scale_of"]

GroupCoder: TypeAlias = "Callable[[Tensor, Tensor | None], Tensor]"
"""Codes one group: table indices ``[n]`` and symbols ``[n]``, or None to read them; gives them."""

_GUIDE_STATE, _LIFTED_STATE = 64, 32
_SCALE_UNIT = 64


def scale_of(octaves: Tensor) -> Tensor:
    """Quantiser steps of so many octaves above the noise, in multiples of 1/64 of its deviation.

    Octaves are whole eighths; the powers lie far enough from halves of the unit that any machine
    rounds them alike.
    """
    return torch.round(torch.exp2(octaves.double()) * _SCALE_UNIT).to(octaves.dtype) / _SCALE_UNIT


@dataclass(frozen=True, slots=True)
class Views:
    """What both sides know of a frame, or of a batch of crops, before anything is decoded.

    Attributes:
        cells: ``[B, inputs, h, w]``.
        latents: ``[B, LATENT_VIEW, h / 4, w / 4]``, sides divisible by 4.
    """

    cells: Tensor
    latents: Tensor

    @classmethod
    def of(cls, config: ModelConfig, guide: Tensor, flags: Tensor, base: Tensor) -> Views:
        """Of whole tensors; see :func:`rawback.models.input_features.cell_view`."""
        cells = cell_view(guide, flags, base, config.samples_per_cell_side)
        latents = latent_view(cells, config.planes)
        last = torch.channels_last
        return cls(cells.contiguous(memory_format=last), latents.contiguous(memory_format=last))


class Network(nn.Module):
    """The learned layer of one :class:`ModelConfig`.

    Attributes:
        readout: ``[2, planes, features]``: planes from features where the guide is good, and where
            it clips or is missing; images have their own, which are sent as changes of this one.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        state = _GUIDE_STATE
        if config.latents:
            self.guide = nn.ModuleList(
                [
                    ExactConv(LATENT_VIEW + 1 + SIDE_VALUES, _GUIDE_STATE, 3),
                    ExactConv(_GUIDE_STATE, _GUIDE_STATE, 3),
                ]
            )
            self.coarser = nn.ModuleList(
                [ExactConv(_GUIDE_STATE, _GUIDE_STATE, 3, stride=2) for _ in range(2)]
            )
            self.lift = nn.ModuleList(
                [
                    ExactConv(config.auxiliary + _GUIDE_STATE, 64, 3),
                    ExactConv(64, _LIFTED_STATE * LATENT * LATENT, 1),
                ]
            )
            state += _LIFTED_STATE
            self.auxiliary = self._level(config.auxiliary, _GUIDE_STATE)
            self.main = self._level(config.main, state)
            self.analysis = Analysis(config, _GUIDE_STATE)
            self.skip = SkipPath(config)
        kind = Synthesis if config.hybrid else MirroredSynthesis
        self.synthesis = kind(config, state)
        self.readout = nn.Parameter(torch.eye(config.planes, config.features).repeat(2, 1, 1))
        for parameter in self.parameters():
            if parameter.ndim == 4:
                # Convolutions on the CPU are fastest with channels side by side.
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def _level(self, channels: int, state: int) -> ContextModel:
        return ContextModel(
            channels,
            state,
            self.config.groups,
            learned_order=self.config.order_masks,
            adaptive=self.config.adaptive,
        )

    def guide_state(self, view: Tensor, facts: Tensor) -> Tensor:
        """What the guide says at each latent position.

        Args:
            view: A latent view ``[B, LATENT_VIEW, h, w]``.
            facts: From :func:`rawback.models.input_features.conditioning`: how much of what a
                latent would tell is noise depends on the step, and how much there is to tell on
                the frame.

        Returns:
            ``[B, 64, h, w]``.
        """
        facts = facts.expand(-1, -1, *view.shape[2:])
        view = torch.cat([view, facts], dim=1).contiguous(memory_format=torch.channels_last)
        for conv in self.guide:
            view = positive(conv(view))
        return view

    def auxiliary_state(self, guide: Tensor) -> Tensor:
        """What the guide says at each auxiliary position: ``[B, 64, h / 4, w / 4]``."""
        for conv in self.coarser:
            guide = positive(conv(guide))
        return guide

    def main_state(self, guide: Tensor, coarse: Tensor, auxiliary: Tensor) -> Tensor:
        """All that is known at each main position before its level is decoded."""
        gathered, lifted = self.lift
        hidden = positive(gathered(torch.cat([auxiliary, coarse], dim=1)))
        hidden = functional.pixel_shuffle(positive(lifted(hidden)), LATENT)
        return torch.cat([guide, hidden], dim=1)

    def features(
        self, cells: Tensor, state: Tensor | None, latents: Tensor | None, scale: Tensor
    ) -> Tensor:
        """Features of every sample, ``[B, F, cell_side h, cell_side w]``, multiples of 1/16.

        Args:
            cells: The cell view.
            state: As for the synthesis.
            latents: Likewise.
            scale: From :func:`scale_of`, ``[B, 1, 1, 1]``.
        """
        output, cell_side = self.synthesis(cells, state, latents), self.config.samples_per_cell_side

        def in_units(values: Tensor) -> Tensor:
            return rounded(values, FEATURE_LIMIT, FEATURE_UNIT, inplace=True)

        features = in_units(output.plain.float())
        if latents is None or output.scaled is None:
            return functional.pixel_shuffle(features, cell_side)
        features = in_units(output.scaled.float() * scale).add_(features)
        skipped = self.skip(latents, scale)
        return in_units(skipped.add_(functional.pixel_shuffle(features, cell_side)))

    @torch.no_grad()
    def code(
        self,
        guide: Tensor,
        given: tuple[Tensor, Tensor] | None,
        coders: tuple[list[GroupCoder], list[GroupCoder]],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Write or read both levels of one frame.

        Args:
            guide: From :meth:`guide_state`, ``[1, 64, h, w]``.
            given: Auxiliary and main latents to write; None to read them.
            coders: Of the groups of the auxiliary and of the main level that are there.

        Returns:
            The state and the decoded main latents, as the synthesis wants them, and from
            :meth:`ContextModel.coding_order` in which step each main position is coded.
        """
        coarse = self.auxiliary_state(guide)
        auxiliary, main = given if given is not None else (None, None)
        decoded, _ = code_level(self.auxiliary, coarse, auxiliary, coders[0])
        state = self.main_state(guide, coarse, decoded)
        return state, *code_level(self.main, state, main, coders[1])


def code_level(
    level: ContextModel, state: Tensor, given: Tensor | None, coders: list[GroupCoder]
) -> tuple[Tensor, Tensor]:
    """Write or read the groups of a level; what is not sent takes its mean.

    Returns:
        Decoded latents as networks see them, ``[1, C, h, w]``, and in which step each position is
        coded, ``[1, 1, h, w]``.
    """
    order = level.coding_order(state)
    known = torch.zeros_like(order)
    decoded = known.expand(-1, level.channels, -1, -1).clone()
    for number, coder in enumerate(coders):
        expected = level.expected(state, decoded, known)
        group = order == number
        where = group.expand_as(decoded)
        step = _integer_step(expected)[where]
        mean = torch.round(expected.mean[where] * _FINE)
        symbols = None
        if given is not None:
            symbols = quantised((given[where] * _FINE - mean) / step).to(torch.int64)
        symbols = coder(expected.table[where].to(torch.int64), symbols)
        values = (mean.to(torch.int64) + symbols * step.to(torch.int64)).clamp(-_FAR, _FAR)
        decoded[where] = visible(values.to(decoded.dtype) / _FINE)
        known = known + group.to(known.dtype)
    if len(coders) < level.groups:
        decoded = torch.where(known > 0, decoded, level.expected(state, decoded, known).mean)
    return decoded, order


_FINE = 256
"""Latents are restored in units of 1/256."""

_FAR = 1 << 20


def _integer_step(expected: Expected) -> Tensor:
    """Quantiser steps in units of 1/256; from a table, for powers of 2 are not exact functions."""
    index = torch.round(expected.step * STEPS_PER_OCTAVE) - FINER * STEPS_PER_OCTAVE + _STEP_ZERO
    return _STEP_TABLE[index.clamp(0, len(_STEP_TABLE) - 1).to(torch.int64)]


_STEP_ZERO = 64
_STEP_TABLE = torch.tensor(
    [max(1.0, round(_FINE * 2 ** ((i - _STEP_ZERO) / 8))) for i in range(73)]
)
