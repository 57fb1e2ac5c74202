"""From the raw to latents, and from latents back: not each other's mirror.

::

    analysis    raw against base, cell view --> strided convolutions --> latents (16x16 pixels)
    synthesis   cell view --> guide features ----+--> block --+--> ... --> block --+--> plain
                latents --> lifted to cells -----+            |                    +--> scaled
                            (4x4 pixels)         guide features enter every block

The guide already holds the fine structure, so the synthesis brings the few latents up to where the
guide is and works there, instead of growing an image out of latents. It says two things: `plain`,
in standard deviations of the noise, is what the guide alone tells and needs no latents; `scaled`,
in quantiser steps, is what latents tell, so that one network serves all steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from rawback.models.config import LATENT
from rawback.models.exact import LIMIT, ExactConv, positive, rounded, signed

if TYPE_CHECKING:
    from torch import Tensor

    from rawback.models.config import ModelConfig

__all__ = [
    "FEATURE_LIMIT",
    "FEATURE_UNIT",
    "Analysis",
    "MirroredSynthesis",
    "SkipPath",
    "Synthesis",
    "SynthesisOutput",
]

FEATURE_UNIT = 16
"""Features are multiples of 1/16, as the domain of the raw is."""

FEATURE_LIMIT = 255.0

_GUIDE, _BLOCKS = 32, 4
_LARGEST = 8.0
_START = 0.01


@dataclass(frozen=True, slots=True)
class SynthesisOutput:
    """What a synthesis says of every sample of every cell, each ``[B, F cell_side^2, h, w]``.

    Attributes:
        plain: Features in standard deviations of the noise, not rounded.
        scaled: In quantiser steps, multiples of 1/64; None where there are no latents.
    """

    plain: Tensor
    scaled: Tensor | None


class Analysis(nn.Module):
    """Latents of both levels. Only the encoder runs it, so it need not be exact."""

    def __init__(self, config: ModelConfig, state: int) -> None:
        super().__init__()
        self.samples_per_cell_side = config.samples_per_cell_side
        target = config.planes * config.samples_per_cell_side**2
        last = nn.Conv2d(64, config.main, 1)
        nn.init.zeros_(last.weight)
        self.main = nn.Sequential(
            nn.Conv2d(config.inputs + target, 48, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(48, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            last,
        )
        self.mean = nn.Conv2d(config.planes, config.main, 1, bias=False)
        _take_first(self.mean.weight)
        self.auxiliary = nn.Sequential(
            nn.Conv2d(config.main + state, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, config.auxiliary, 1),
        )

    def main_latents(self, cells: Tensor, residual: Tensor) -> Tensor:
        """Main latents ``[B, main, h / 4, w / 4]``.

        Args:
            cells: The cell view ``[B, inputs, h, w]``.
            residual: Raw less base in quantiser steps, and in those that a feature of 1 is
                worth, ``[B, planes, cell_side h, cell_side w]``. Its range is compressed here, as
                it reaches hundreds in clipped highlights. Dividing by the step is the paper's shift
                of the step by gamma, seen from the other side.
        """
        target = torch.asinh(residual).clamp(-_LARGEST, _LARGEST)
        seen = torch.cat(
            [cells, functional.pixel_unshuffle(target, self.samples_per_cell_side)], dim=1
        )
        means = functional.avg_pool2d(
            residual.clamp(-LIMIT, LIMIT), self.samples_per_cell_side * LATENT
        )
        latents: Tensor = self.main(seen) + self.mean(means)
        return latents

    def auxiliary_latents(self, main: Tensor, guide: Tensor) -> Tensor:
        """Auxiliary latents ``[B, auxiliary, h / 4, w / 4]`` of main ones and the guide's state."""
        latents: Tensor = self.auxiliary(torch.cat([main, guide], dim=1))
        return latents


class SkipPath(nn.Module):
    """What latents say of the mean over a position, brought to every sample without any network.

    Together with its counterpart in the analysis this makes a codec of means from the start, which
    training refines: latents that have to find a use through all layers of the synthesis are given
    up for the bits they cost before they do.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.scale = config.samples_per_cell_side * LATENT
        self.head = ExactConv(config.main, config.features, 1)
        _take_first(self.head.weight)

    def forward(self, latents: Tensor, scale: Tensor) -> Tensor:
        """Latents ``[B, main, h, w]`` to changes of features.

        These are ``[B, F, 4 cell_side h, 4 cell_side w]``.

        Between positions they are interpolated linearly: with weights of 1/256 the sums of what is
        a multiple of 1/16 already are exact.
        """
        means = rounded(signed(self.head(latents)) * scale, FEATURE_LIMIT, FEATURE_UNIT)
        return functional.interpolate(
            means, scale_factor=self.scale, mode="bilinear", align_corners=False
        )


def _take_first(weight: Tensor) -> None:
    """Let the first outputs be the first inputs."""
    with torch.no_grad():
        weight.zero_()
        count = min(weight.shape[:2])
        weight[range(count), range(count)] = 1


class Synthesis(nn.Module):
    """Features of every sample from latents and guide, at the resolution of cells."""

    def __init__(self, config: ModelConfig, state: int) -> None:
        super().__init__()
        self.samples_per_cell_side, self.width = config.samples_per_cell_side, config.width
        outputs = config.features * config.samples_per_cell_side**2
        self.stem = ExactConv(config.inputs, config.width + _GUIDE, 3)
        self.blocks = nn.ModuleList(
            [
                ExactConv(config.width + _GUIDE, config.width, 3, skips=True, signed=False)
                for _ in range(_BLOCKS)
            ]
        )
        self.out = ExactConv(config.width + _GUIDE, outputs, 1, signed=False)
        if config.latents:
            self.gathered = ExactConv(config.main + state, 64, 3)
            self.lifted = ExactConv(64, config.width * LATENT * LATENT, 1, signed=False)
            self.scaled_head = ExactConv(config.width + _GUIDE, outputs, 1, signed=False)
        for block in self.blocks:
            # What is added to an activation begins small.
            nn.init.kaiming_normal_(block.get_parameter("weight"), a=3.0)
        for name in ("out", "scaled_head"):
            if hasattr(self, name):
                nn.init.normal_(getattr(self, name).weight, std=_START)

    def forward(
        self, cells: Tensor, state: Tensor | None, latents: Tensor | None
    ) -> SynthesisOutput:
        """What there is to say.

        Args:
            cells: The cell view ``[B, inputs, h, w]``.
            state: Of the main latents ``[B, S, h / 4, w / 4]``; None without latents.
            latents: Decoded ``[B, main, h / 4, w / 4]``; None where there are none.
        """
        cells = self.stem.taken(cells)
        if latents is None or state is None:
            seen = self.stem(cells, active=True)
        else:
            seen = self._told(self.stem(cells), state, latents)
        guide = seen[:, self.width :]
        for block in self.blocks:
            hidden = block(seen, seen[:, : self.width], active=True)
            seen = torch.cat([hidden, guide], dim=1)
        scaled = None if latents is None else signed(self.scaled_head(seen), inplace=True)
        return SynthesisOutput(self.out(seen), scaled)

    def _told(self, sums: Tensor, state: Tensor, latents: Tensor) -> Tensor:
        """What the first block sees, when latents have had their say in the stem's sums."""
        gathered = self.lifted.taken(
            self.gathered(torch.cat([latents, state], dim=1)), inplace=True
        )
        lifted = signed(self.lifted(gathered), inplace=True)
        hidden = signed(sums[:, : self.width], inplace=True)
        hidden = functional.pixel_shuffle(lifted, LATENT).add_(hidden)
        parts = hidden, sums[:, self.width :]
        return torch.cat([self.out.taken(part, inplace=True) for part in parts], dim=1)


class MirroredSynthesis(nn.Module):
    """The analysis backwards: the guide is seen only where the latents are. For comparison."""

    def __init__(self, config: ModelConfig, state: int) -> None:
        super().__init__()
        self.samples_per_cell_side = config.samples_per_cell_side
        outputs = config.features * config.samples_per_cell_side**2
        self.gathered = ExactConv(config.main * config.latents + state, 64, 3)
        self.twice = ExactConv(64, 4 * 64, 1)
        self.wide = ExactConv(64, 64, 3)
        self.again = ExactConv(64, 4 * config.width, 1)
        self.fine = ExactConv(config.width, config.width, 3)
        self.out = ExactConv(config.width, outputs, 1)
        self.scaled_head = ExactConv(config.width, outputs, 1)
        for head in (self.out, self.scaled_head):
            nn.init.normal_(head.weight, std=_START)

    def forward(
        self, cells: Tensor, state: Tensor | None, latents: Tensor | None
    ) -> SynthesisOutput:
        """As :meth:`Synthesis.forward`; without latents it has nothing to say."""
        if state is None or latents is None:
            count, _, height, width = cells.shape
            plain = self.out.weight.shape[0] // self.samples_per_cell_side**2
            return SynthesisOutput(
                cells.new_zeros(count, plain * self.samples_per_cell_side**2, height, width), None
            )
        hidden = positive(self.gathered(torch.cat([latents, state], dim=1)))
        hidden = functional.pixel_shuffle(positive(self.twice(hidden)), 2)
        hidden = positive(self.wide(hidden))
        hidden = functional.pixel_shuffle(positive(self.again(hidden)), 2)
        hidden = positive(self.fine(hidden))
        return SynthesisOutput(self.out(hidden), signed(self.scaled_head(hidden)))
