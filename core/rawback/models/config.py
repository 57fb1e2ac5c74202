"""What a network is made of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CELL", "LATENT", "ModelConfig"]

CELL = 4
"""Pixels along each side of a cell, the unit of the grid on which the synthesis works."""

LATENT = 4
"""Cells along each side of what one position of the main latents covers; of those, as many again
along each side of what a position of the auxiliary latents covers."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A member of the family, and which of its five parts are there.

    The parts are those of "Beyond Learned Metadata-based Raw Image Reconstruction" (IJCV 2024,
    arXiv 2306.12058); each can be left out to see what it is worth.

    Attributes:
        planes: Planes that are restored: 4 of a Bayer mosaic, 3 of linear RGB.
        samples_per_cell_side: Of a plane: 2 of Bayer planes, 4 of RGB.
        main: Channels of the main latents.
        auxiliary: Channels of the auxiliary latents.
        groups: Groups of each level, coded one after the other.
        width: Channels of the synthesis.
        features: Features for each site, on which the readout acts; at least `planes`.
        latents: Learned latents. Without them the synthesis sees the guide and the base alone.
        hybrid: Synthesis at the resolution of cells with the guide at every block. Without it the
            synthesis mirrors the analysis, and the guide enters where latents are.
        order_masks: Learned order of coding. Without it a fixed one: interleaved grids.
        adaptive: A step for every position and channel. Without it one step for all.
        variable: Trained for any rate. Without it for one.
    """

    planes: int = 4
    samples_per_cell_side: int = 2
    main: int = 12
    auxiliary: int = 8
    groups: int = 4
    width: int = 64
    features: int = 12
    latents: bool = True
    hybrid: bool = True
    order_masks: bool = True
    adaptive: bool = True
    variable: bool = True

    def __post_init__(self) -> None:
        if not self.planes <= self.features or self.groups < 1:
            message = f"{self.features} features do not serve {self.planes} planes"
            raise ValueError(message)

    @property
    def inputs(self) -> int:
        """Channels of what is known of a cell before anything is decoded."""
        return 24 + 8 + self.planes * (self.samples_per_cell_side**2 + 1)
