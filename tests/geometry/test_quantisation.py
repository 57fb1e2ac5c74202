"""Maps as estimated become maps in integers, however strongly a lens was corrected."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.geometry.registration.quantisation import quantise
from rawback.geometry.registration.surface import Spline, Surface, spline_basis
from rawback.geometry.transform import POSITION_ONE, mesh_shape

SIZE = (1734, 1156)


@pytest.mark.parametrize("spacing", [216, 289])
@pytest.mark.parametrize("strength", [0.01, 0.04])
def test_a_strong_lens_correction_is_followed(spacing: int, strength: float) -> None:
    rows, columns = SIZE[1] // spacing + 4, SIZE[0] // spacing + 4
    y, x = np.meshgrid(
        (np.arange(rows) - 1.0) * spacing - SIZE[1] / 2,
        (np.arange(columns) - 1.0) * spacing - SIZE[0] / 2,
        indexing="ij",
    )
    away = (x**2 + y**2) / (SIZE[1] / 2) ** 2
    bent = strength * (away - 0.5 * away**2)
    spline = Spline(spacing, np.stack([x * bent, y * bent], axis=-1))
    mesh = quantise(Surface(np.eye(3), spline=spline), SIZE).mesh
    assert mesh is not None
    nodes = np.reshape(mesh.shifts, (*mesh_shape(SIZE, mesh.spacing), 2)) / POSITION_ONE
    at = [np.linspace(0, side - 1, 97) for side in (SIZE[1], SIZE[0])]
    one, other = (
        np.einsum(
            "ir,jc,rcd->ijd",
            spline_basis(at[0], step, values.shape[0]),
            spline_basis(at[1], step, values.shape[1]),
            values,
        )
        for step, values in ((spacing, spline.shifts), (1 << mesh.spacing, nodes))
    )
    assert np.abs(one).max() > 100 * strength
    assert np.abs(one - other).max() < 0.06
