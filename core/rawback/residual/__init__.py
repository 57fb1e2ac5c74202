"""The residual layer: what the base does not explain, from coarse to exact.

Two mechanisms on one scale, the noise-normalised domain:

- *quality layers* (:mod:`.wavelet`, :mod:`.layers`): wavelet coefficients of the
  four CFA planes, quantised in an embedded way, so that each layer halves the step;
- the *exact layer* (:mod:`.exact`) on top of them: every sample, bit for bit.

Context models see the guide, the base, the noise level and what is already decoded. Whatever a
symbol's table depends on is integer arithmetic; weights and tables are stored or sent, and the
tables of the quality layers learn from what has been coded.
"""

from rawback.residual.code_indices import (
    PHASES,
    CodeIndexDomain,
    list_numbers,
)
from rawback.residual.code_values import read_code_values, write_code_values
from rawback.residual.klt import KLT, MATRIX_BITS
from rawback.residual.layers import (
    LayerModel,
    TileCoefficients,
    TileContext,
    band_arrays,
    decode_layer,
    encode_layer,
)
from rawback.residual.lossless import (
    LosslessModel,
    LosslessStart,
    LosslessTile,
    Pixels,
    decode_lossless,
    encode_lossless,
    phases_of,
)
from rawback.residual.quantiser import (
    CODES_PER_LAYER,
    COEFFICIENT_UNIT,
    EVEN,
    MAX_SLOPE,
    MAX_STEP_CODE,
    Quantiser,
    Slopes,
)
from rawback.residual.region_classes import (
    RegionClass,
    class_pyramid,
    classify_regions,
    mean_pyramid,
)
from rawback.residual.remainders import (
    MOST_LISTED,
    MOST_OF_CODE,
    RemainderModel,
    decode_remainders,
    encode_remainders,
)
from rawback.residual.wavelet import (
    LEVELS,
    Band,
    analyse,
    band_gain,
    band_shape,
    bands,
    synthesise,
)

__all__ = [
    "CODES_PER_LAYER",
    "COEFFICIENT_UNIT",
    "EVEN",
    "KLT",
    "LEVELS",
    "MATRIX_BITS",
    "MAX_SLOPE",
    "MAX_STEP_CODE",
    "MOST_LISTED",
    "MOST_OF_CODE",
    "PHASES",
    "Band",
    "CodeIndexDomain",
    "LayerModel",
    "LosslessModel",
    "LosslessStart",
    "LosslessTile",
    "Pixels",
    "Quantiser",
    "RegionClass",
    "RemainderModel",
    "Slopes",
    "TileCoefficients",
    "TileContext",
    "analyse",
    "band_arrays",
    "band_gain",
    "band_shape",
    "bands",
    "class_pyramid",
    "classify_regions",
    "decode_layer",
    "decode_lossless",
    "decode_remainders",
    "encode_layer",
    "encode_lossless",
    "encode_remainders",
    "list_numbers",
    "mean_pyramid",
    "phases_of",
    "read_code_values",
    "synthesise",
    "write_code_values",
]
