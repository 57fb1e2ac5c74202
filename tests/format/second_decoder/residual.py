"""The residual that is added to the base (3.9, "Restoring" and "Weights", of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .frame import tiles_of
from .layers import Parameters, TileResidual, parameters
from .wavelet import Band, band_shape, bands, plane_of

if TYPE_CHECKING:
    from .arrays import Ints
    from .domain import Domain
    from .payload import Sections
    from .stored import Tables

RESIDUAL = 3


def _tile_coefficients(
    tile: TileResidual, given: Parameters, sections: Sections, number: int
) -> list[dict[Band, Ints]]:
    """The coefficients of one tile's components, none where it has no layer (3.9, Indices)."""
    last = None
    for layer, code in enumerate(given.codes):
        data = sections.get((RESIDUAL, layer, number))
        if data is not None:
            tile.decode(data, layer, code)
        elif any(index.any() for component in tile.indices for index in component.values()):
            break
        last = layer
    if last is None:
        return []
    return tile.coefficients(given.codes[last], given.points[last])


def with_residual(
    base: Ints, spots: Ints, sections: Sections, field: bytes, domain: Domain, tables: Tables
) -> Ints:
    """Base and residual, where `field` is the header's `residual` (3.9, Restoring, Weights)."""
    if not any(kind == RESIDUAL for kind, _, _ in sections):
        return base
    given, shape = parameters(field, len(base)), (base.shape[1], base.shape[2])
    whole = [
        {band: np.zeros(band_shape(shape, band), np.int64) for band in bands()}
        for _ in range(len(base))
    ]
    for number, (rows, columns) in enumerate(tiles_of(*shape)):
        tile = TileResidual(tables, domain, given, base[:, rows, columns], spots[rows, columns])
        found = _tile_coefficients(tile, given, sections, number)
        for component, part in zip(whole, found, strict=False):
            for band, values in part.items():
                top, left = rows.start >> band.level, columns.start >> band.level
                height, width = values.shape
                component[band][top : top + height, left : left + width] = values
    components = np.stack([plane_of(component) for component in whole])
    residual = np.tensordot(given.matrix, components, 1) + 64 >> 7
    total: Ints = base + (residual * domain.residual_scale(base, given.power) + 128 >> 8)
    return total
