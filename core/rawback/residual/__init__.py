"""The residual layer: what the base does not explain, from coarse to exact.

Two mechanisms on one scale, the noise-normalised domain:

- *quality layers* (:mod:`.wavelet`, :mod:`.contexts`, :mod:`.layers`): wavelet coefficients of the
  four CFA planes, quantised in an embedded way, so that each layer halves the step;
- the *exact layer* (:mod:`.exact`) on top of them: every sample, bit for bit.

Context models see the guide, the base, the noise level and what is already decoded. Whatever a
symbol's table depends on is integer arithmetic; weights and tables are stored or sent, and the
tables of the quality layers learn from what has been coded.
"""

from rawback.residual.codes import read_codes, write_codes
from rawback.residual.contexts import ContextWeights
from rawback.residual.exact import ExactModel, ExactTile, code_exact
from rawback.residual.exact_fit import fit_exact
from rawback.residual.layers import LayerModel, TileCoefficients, code_layer
from rawback.residual.planes import PlaneTransform
from rawback.residual.quantiser import (
    CODES_PER_LAYER,
    COEFFICIENT_UNIT,
    MAX_STEP_CODE,
    Quantiser,
)
from rawback.residual.ranks import RankDomain
from rawback.residual.spots import Spot, mean_pyramid, spot_pyramid, spots_of
from rawback.residual.wavelet import LEVELS, Band, analyse, band_shape, bands, synthesise

__all__ = [
    "CODES_PER_LAYER",
    "COEFFICIENT_UNIT",
    "LEVELS",
    "MAX_STEP_CODE",
    "Band",
    "ContextWeights",
    "ExactModel",
    "ExactTile",
    "LayerModel",
    "PlaneTransform",
    "Quantiser",
    "RankDomain",
    "Spot",
    "TileCoefficients",
    "analyse",
    "band_shape",
    "bands",
    "code_exact",
    "code_layer",
    "fit_exact",
    "mean_pyramid",
    "read_codes",
    "spot_pyramid",
    "spots_of",
    "synthesise",
    "write_codes",
]
