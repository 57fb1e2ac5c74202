"""The learned layer: what lies between the base and the residual.

A network of integers reads what both sides know (the guide, where it is valid, the base) and a few
latents, and tells features of every sample; a small linear readout of them, fitted to each image,
corrects the base. The parts are those of "Beyond Learned Metadata-based Raw Image Reconstruction"
(IJCV 2024, arXiv 2306.12058): learned latents, a synthesis of hybrid resolutions, learned order
masks, adaptive quantisation, and one model for every rate.
"""

from rawback.models.bayer_flip import flipped_pixels, flipped_planes
from rawback.models.config import CELL, LATENT, ModelConfig
from rawback.models.context_model import TABLES
from rawback.models.exact import ExactConv
from rawback.models.input_features import (
    LATENT_VIEW,
    SIDE_CODES,
    SIDE_VALUES,
    cell_view,
    conditioning,
    latent_view,
)
from rawback.models.network import FEATURE_UNIT, GroupCoder, Network, scale_of

__all__ = [
    "CELL",
    "FEATURE_UNIT",
    "LATENT",
    "LATENT_VIEW",
    "SIDE_CODES",
    "SIDE_VALUES",
    "TABLES",
    "ExactConv",
    "GroupCoder",
    "ModelConfig",
    "Network",
    "cell_view",
    "conditioning",
    "flipped_pixels",
    "flipped_planes",
    "latent_view",
    "scale_of",
]
