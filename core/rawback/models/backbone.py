"""From the raw to latents, and from latents back: not each other's mirror.

::

    analysis    raw against base, cell view --> strided convolutions --> latents (16x16 pixels)
    synthesis   latents --> lifted to cells (4x4 pixels) --+--> block --+--> block --> features
                cell view --> guide features --------------+------------+

The guide already holds the fine structure, so the synthesis brings the few latents up to where the
guide is and works there, instead of growing an image out of latents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from rawback.models.config import LATENT
from rawback.models.exact import LIMIT, ExactConv, positive, signed

if TYPE_CHECKING:
    from torch import Tensor

    from rawback.models.config import ModelConfig

__all__ = ["Analysis", "Means", "MirroredSynthesis", "Synthesis"]

_GUIDE, _LIFTED = 32, 16
_LARGEST = 8.0
_START = 0.01


class Analysis(nn.Module):
    """Latents of both levels. Only the encoder runs it, so it need not be exact."""

    def __init__(self, config: ModelConfig, state: int) -> None:
        super().__init__()
        self.sites = config.sites
        target = config.planes * config.sites**2
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
            residual: Raw less base in units of what a feature of 1 is worth,
                ``[B, planes, sites h, sites w]``; its range is compressed here, as it reaches
                hundreds in clipped highlights.
        """
        target = torch.asinh(residual).clamp(-_LARGEST, _LARGEST)
        seen = torch.cat([cells, functional.pixel_unshuffle(target, self.sites)], dim=1)
        means = functional.avg_pool2d(residual.clamp(-LIMIT, LIMIT), self.sites * LATENT)
        found: Tensor = self.main(seen) + self.mean(means)
        return found

    def auxiliary_latents(self, main: Tensor, guide: Tensor) -> Tensor:
        """Auxiliary latents ``[B, auxiliary, h / 4, w / 4]`` of main ones and the guide's state."""
        found: Tensor = self.auxiliary(torch.cat([main, guide], dim=1))
        return found


class Means(nn.Module):
    """What latents say of the mean over a position, brought to every site without any network.

    Together with its counterpart in the analysis this makes a codec of means from the start, which
    training refines: latents that have to find a use through all layers of the synthesis are given
    up for the bits they cost before they do.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.scale = config.sites * LATENT
        self.means = ExactConv(config.main, config.features, 1)
        _take_first(self.means.weight)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``[B, main, h, w]`` to changes of features ``[B, F, 4 sites h, 4 sites w]``.

        Between positions they are interpolated linearly: with weights of 1/256 the sums are exact.
        """
        return functional.interpolate(
            signed(self.means(latents)),
            scale_factor=self.scale,
            mode="bilinear",
            align_corners=False,
        )


def _take_first(weight: Tensor) -> None:
    """Let the first outputs be the first inputs."""
    with torch.no_grad():
        weight.zero_()
        count = min(weight.shape[:2])
        weight[range(count), range(count)] = 1


class Synthesis(nn.Module):
    """Features of every site from latents and guide, at the resolution of cells."""

    def __init__(self, config: ModelConfig, state: int) -> None:
        super().__init__()
        self.sites = config.sites
        lifted = _LIFTED if config.latents else 0
        if config.latents:
            self.gathered = ExactConv(config.main + state, 64, 3)
            self.lifted = ExactConv(64, _LIFTED * LATENT * LATENT, 1)
        self.guide = ExactConv(config.inputs, _GUIDE, 3)
        self.first = ExactConv(_GUIDE + lifted, config.width, 3)
        self.second = ExactConv(config.width + _GUIDE, config.width, 3)
        self.out = ExactConv(config.width + _GUIDE, config.features * config.sites**2, 1)
        nn.init.normal_(self.out.weight, std=_START)

    def forward(self, cells: Tensor, state: Tensor, latents: Tensor | None) -> Tensor:
        """Features ``[B, F, sites h, sites w]``, not rounded.

        Args:
            cells: The cell view ``[B, inputs, h, w]``.
            state: Of the main latents ``[B, S, h / 4, w / 4]``.
            latents: Decoded ``[B, main, h / 4, w / 4]``; None where there are none by design.
        """
        guide = positive(self.guide(cells))
        hidden = guide
        if latents is not None:
            gathered = positive(self.gathered(torch.cat([latents, state], dim=1)))
            lifted = functional.pixel_shuffle(positive(self.lifted(gathered)), LATENT)
            hidden = torch.cat([guide, lifted], dim=1)
        hidden = positive(self.first(hidden))
        hidden = positive(self.second(torch.cat([hidden, guide], dim=1)))
        out = self.out(torch.cat([hidden, guide], dim=1))
        return functional.pixel_shuffle(out, self.sites)


class MirroredSynthesis(nn.Module):
    """The analysis backwards: the guide is seen only where the latents are. For comparison."""

    def __init__(self, config: ModelConfig, state: int) -> None:
        super().__init__()
        self.sites = config.sites
        self.gathered = ExactConv(config.main * config.latents + state, 64, 3)
        self.twice = ExactConv(64, 4 * 64, 1)
        self.wide = ExactConv(64, 64, 3)
        self.again = ExactConv(64, 4 * config.width, 1)
        self.fine = ExactConv(config.width, config.width, 3)
        self.out = ExactConv(config.width, config.features * config.sites**2, 1)
        nn.init.normal_(self.out.weight, std=_START)

    def forward(self, cells: Tensor, state: Tensor, latents: Tensor | None) -> Tensor:
        """As :meth:`Synthesis.forward`."""
        del cells
        seen = state if latents is None else torch.cat([latents, state], dim=1)
        hidden = positive(self.gathered(seen))
        hidden = functional.pixel_shuffle(positive(self.twice(hidden)), 2)
        hidden = positive(self.wide(hidden))
        hidden = functional.pixel_shuffle(positive(self.again(hidden)), 2)
        hidden = positive(self.fine(hidden))
        return functional.pixel_shuffle(self.out(hidden), self.sites)
