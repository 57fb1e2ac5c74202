"""How large the network is, and what it codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

__all__ = ["PaperConfig", "Protocol"]

Protocol = Literal["p1", "p2"]


@dataclass(frozen=True, slots=True)
class PaperConfig:
    """Sizes of the network.

    Attributes:
        raw_channels: 3 for linear RGB; 4 for the quads of a mosaic.
        guide_channels: 3 for a pixel of the guide; 12 for the four pixels of a quad.
        width: Channels of the features.
        guide_width: Channels of the guide's features at full resolution.
        latents: Channels of the main and of the auxiliary latents.
        steps: Groups that each level's positions are coded in.
        blocks: Residual blocks of the synthesis.
    """

    raw_channels: int = 3
    guide_channels: int = 3
    width: int = 64
    guide_width: int = 32
    latents: int = 8
    steps: int = 4
    blocks: int = 8

    def __post_init__(self) -> None:
        if min(self.width, self.guide_width, self.latents, self.steps, self.blocks) < 1:
            message = f"{self} has parts of no size"
            raise ValueError(message)

    @classmethod
    def of(cls, protocol: Protocol) -> Self:
        """As published, for a protocol's material."""
        return cls() if protocol == "p1" else cls(raw_channels=4, guide_channels=12)

    def smaller(self) -> Self:
        """A network of the same parts that tests can run in no time."""
        return replace(self, width=12, guide_width=8, latents=3, blocks=2)
