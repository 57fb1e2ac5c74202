"""The learned layer: what lies between the base and the residual.

A network of integers reads what both sides know (the guide, where it is valid, the base) and a few
latents, and tells features of every sample; a small linear readout of them, fitted to each image,
corrects the base. The parts are those of "Beyond Learned Metadata-based Raw Image Reconstruction"
(IJCV 2024, arXiv 2306.12058): learned latents, a synthesis of hybrid resolutions, learned order
masks, adaptive quantisation, and one model for every rate.
"""

from rawback.models.config import CELL, LATENT, ModelConfig
from rawback.models.exact import ExactConv
from rawback.models.level import TABLES
from rawback.models.mirror import mirrored_pixels, mirrored_planes
from rawback.models.network import FEATURE_UNIT, GroupCoder, Network, scale_of
from rawback.models.views import HINT_CODES, HINTS, LATENT_VIEW, cell_view, facts_of, latent_view

__all__ = [
    "CELL",
    "FEATURE_UNIT",
    "HINTS",
    "HINT_CODES",
    "LATENT",
    "LATENT_VIEW",
    "TABLES",
    "ExactConv",
    "GroupCoder",
    "ModelConfig",
    "Network",
    "cell_view",
    "facts_of",
    "latent_view",
    "mirrored_pixels",
    "mirrored_planes",
    "scale_of",
]
