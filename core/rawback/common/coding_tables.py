"""The stored weights and tables that every payload is coded with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from safetensors.numpy import load as load_numbers

from rawback.entropy import Curves
from rawback.files import read_packaged
from rawback.residual import LayerModel, LosslessStart

__all__ = ["CodingTables", "coding_tables", "read_tables"]


@dataclass(frozen=True, slots=True)
class CodingTables:
    """Weights and tables of the residual layer.

    Attributes:
        digest: First 8 bytes of the SHA-256 of the file they are in; a payload names it.
        layers: For the quality layers.
        lossless: For the lossless layer.
    """

    digest: bytes
    layers: LayerModel
    lossless: LosslessStart


@cache
def coding_tables() -> CodingTables:
    """Load ``tables.safetensors``, made by ``python -m rawback_lab.contexts.train``."""
    return read_tables(read_packaged("rawback.common", "tables.safetensors"))


def read_tables(data: bytes) -> CodingTables:
    """The tables that a file of this kind holds."""
    arrays = load_numbers(data)
    curves = Curves(arrays["stretch"], arrays["squash"])
    layers = LayerModel(
        curves, arrays["layer_probabilities"], arrays["layer_uses"], arrays["layer_weights"]
    )
    lossless = LosslessStart(
        curves,
        arrays["lossless_distributions"],
        arrays["lossless_seen"],
        arrays["lossless_probabilities"],
        arrays["lossless_uses"],
    )
    return CodingTables(hashlib.sha256(data).digest()[:8], layers, lossless)
