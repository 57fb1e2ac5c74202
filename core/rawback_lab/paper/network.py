"""The network: strided analysis, two levels of latents, synthesis at the guide's resolution.

::

    raw, guide --/4--> main latents y --/4--> auxiliary latents z
    guide --------------------+-----------------------+
                              |                       |
    z^ = coded in steps, given the guide
    y^ = coded in steps, given the guide and z^
    y^ --lifted to full resolution--> blocks that see the guide's features each --> raw
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rawback_lab.paper.ordering import OrderedContext

if TYPE_CHECKING:
    from rawback_lab.paper.config import PaperConfig

__all__ = ["ALIGNMENT", "HALO", "PaperNetwork", "Restored"]

ALIGNMENT = 16
"""Sides of what the network takes are multiples of this."""

HALO = 32
"""Pixels around a part of the picture that its synthesis may look at, a multiple of 4."""

_FIRST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Restored:
    """What the decoder has.

    Attributes:
        raw: float32 ``[B, raw_channels, H, W]``; may leave [0, 1].
        main_bits: Ideal code length of the main latents, ``[B]``.
        hyper_bits: The same of the auxiliary latents.
    """

    raw: Tensor
    main_bits: Tensor
    hyper_bits: Tensor


class _Block(nn.Module):
    """Two convolutions around a shortcut, the first of which sees the guide's features too."""

    def __init__(self, width: int, guide_width: int = 0) -> None:
        super().__init__()
        self.first = nn.Conv2d(width + guide_width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        # Without normalisation, blocks that begin near the identity are what trains steadily.
        with torch.no_grad():
            self.second.weight *= _FIRST_SHARE

    def forward(self, features: Tensor, guide: Tensor | None = None) -> Tensor:
        seen = features if guide is None else torch.cat([features, guide], 1)
        found: Tensor = features + self.second(nn.functional.gelu(self.first(seen)))
        return found


class _Synthesis(nn.Module):
    """Latents and guide to the raw."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        width, guide_width = config.width, config.guide_width
        self.guide = nn.Sequential(
            nn.Conv2d(config.guide_channels, guide_width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(guide_width, guide_width, 3, padding=1),
            nn.GELU(),
        )
        self.lift = nn.Sequential(
            nn.Conv2d(config.latents, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, 16 * guide_width, 1),
            nn.PixelShuffle(4),
        )
        self.merge = nn.Conv2d(2 * guide_width, width, 1)
        self.blocks = nn.ModuleList(_Block(width, guide_width) for _ in range(config.blocks))
        self.out = nn.Conv2d(width, config.raw_channels, 3, padding=1)

    def forward(self, latents: Tensor, guide: Tensor) -> Tensor:
        around = self.guide(guide)
        features = self.merge(torch.cat([self.lift(latents), around], 1))
        for block in self.blocks:
            features = block(features, around)
        found: Tensor = self.out(features)
        return found.float()


class PaperNetwork(nn.Module):
    """All of it."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        width, latents = config.width, config.latents
        self.analysis = nn.Sequential(
            nn.Conv2d(config.raw_channels + config.guide_channels, width, 5, stride=2, padding=2),
            _Block(width),
            nn.Conv2d(width, width, 5, stride=2, padding=2),
            _Block(width),
            nn.Conv2d(width, latents, 3, padding=1),
        )
        self.hyper_analysis = nn.Sequential(
            nn.Conv2d(latents, width, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv2d(width, latents, 5, stride=2, padding=2),
        )
        self.main_guide = nn.Sequential(
            nn.Conv2d(config.guide_channels, width, 7, stride=4, padding=3), nn.GELU()
        )
        self.hyper_guide = nn.Sequential(nn.Conv2d(width, width, 5, stride=4, padding=2), nn.GELU())
        self.hyper_synthesis = nn.Sequential(
            nn.Conv2d(latents, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, 8 * width, 1),
            nn.PixelShuffle(4),
        )
        self.main_order = OrderedContext(latents, width + width // 2, width, config.steps)
        self.hyper_order = OrderedContext(latents, width, width, config.steps)
        self.synthesis = _Synthesis(config)

    def analyse(self, raw: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Latents of a raw; the encoder's own part.

        Args:
            raw: ``[B, raw_channels, H, W]`` in [0, 1], sides multiples of 16.
            guide: ``[B, guide_channels, H, W]`` in [0, 1].

        Returns:
            Main latents ``[B, latents, H/4, W/4]`` and auxiliary ones, a quarter of that a side.
        """
        main = self.analysis(torch.cat([raw, guide], 1)).float()
        return main, self.hyper_analysis(main).float()

    def latents(
        self,
        main: Tensor,
        hyper: Tensor,
        guide: Tensor,
        gamma: float = 0.0,
        kept: int | None = None,
        noise: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Code both levels and decode them again.

        Args:
            main: Main latents.
            hyper: Auxiliary latents; all their groups are coded.
            guide: As in `analyse`.
            gamma: Shift of the exponents of all steps.
            kept: Groups of the main latents that are coded; all by default.
            noise: Draws what is random in training.

        Returns:
            Decoded main latents, and the bits of both levels.
        """
        steps = self.config.steps
        near = self.main_guide(guide)
        coded = self.hyper_order(hyper, self.hyper_guide(near), gamma, steps, noise)
        prior = torch.cat([near, self.hyper_synthesis(coded.values)], 1)
        groups = steps if kept is None else kept
        found = self.main_order(main, prior, gamma, groups, noise)
        return found.values, found.bits, coded.bits

    def restore(
        self,
        main: Tensor,
        hyper: Tensor,
        guide: Tensor,
        gamma: float = 0.0,
        kept: int | None = None,
        noise: torch.Generator | None = None,
    ) -> Restored:
        """What the decoder restores; its arithmetic is the decoder's, coding aside."""
        decoded, main_bits, hyper_bits = self.latents(main, hyper, guide, gamma, kept, noise)
        return Restored(self.synthesis(decoded, guide), main_bits, hyper_bits)
