"""Symbols to bytes and back, with probabilities from stored integer tables.

Whoever models the data says, for each symbol, *which table* it is coded with; this room never
sees a float, a weight or an image. Encoder and decoder therefore stay in step exactly when both
sides compute the same table indices, and that is integer work in the rooms above.

One interface serves both directions: :class:`SymbolCoder` has a single method ``code``. The
encoder is given the symbols and hands them back; the decoder is given none and finds them. Code
written against it is its own inverse, so a reader cannot drift from its writer.

Wavelet indices and the samples of the lossless layer are coded in :mod:`rawback.residual` with
adaptive models of binary decisions and the same range coder.
"""

from rawback.entropy.coder import BitCounter, SymbolCoder, SymbolDecoder, SymbolEncoder
from rawback.entropy.curves import Curves
from rawback.entropy.parameter_coding import code_parameters
from rawback.entropy.tables import TABLE_PRECISION, TableSet, quantise_counts

__all__ = [
    "TABLE_PRECISION",
    "BitCounter",
    "Curves",
    "SymbolCoder",
    "SymbolDecoder",
    "SymbolEncoder",
    "TableSet",
    "code_parameters",
    "quantise_counts",
]
