"""How far steps follow the eye: as far as it pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.encoder.rd_quantisation import FittedQuantisers
from rawback.encoder.weight_strength import STRENGTHS, CodingModel
from rawback.residual import Band, band_gain, band_shape, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Coefficients = dict[Band, NDArray[np.float32]]

SLOPES = (29, 22, 6, 5)
NOISE = 32


def coefficients(*powers: float, scale: float = NOISE) -> Coefficients:
    """Of components of random coefficients whose deviation is `scale` times that of the level.

    Args:
        powers: Deviations of levels 1 to 5.
        scale: In coefficient units.
    """
    rng = np.random.default_rng(0)
    return {
        band: np.float32(scale / band_gain(band) * powers[band.level - 1])
        * rng.normal(size=(4, *band_shape(band, (256, 256)))).astype(np.float32)
        for band in bands()
    }


def test_where_only_noise_is_left_the_eye_is_followed_all_the_way() -> None:
    assert CodingModel([coefficients(1, 1, 1, 1, 1)], SLOPES).strength_at(200) == 1


def test_where_large_errors_are_fine_weights_are_weak() -> None:
    """Errors of edges that a tiny payload hardly mends: levels that the eye sees are noise."""
    strength = CodingModel([coefficients(30, 20, 1, 1, 1)], SLOPES).strength_at(320)
    assert strength < 1


@pytest.mark.parametrize("strength", STRENGTHS)
def test_slopes_become_a_part_of_themselves(strength: float) -> None:
    fitted = FittedQuantisers(lambda: [coefficients(1, 1, 1, 1, 1)], SLOPES)
    followed = fitted.following(strength)
    assert followed.slopes == tuple(round(strength * slope) for slope in SLOPES)
    assert followed.samples is fitted.samples


def test_finer_steps_take_more_bits_and_leave_less() -> None:
    sizes = coefficients(1, 1, 1, 1, 1)
    model = CodingModel([sizes], SLOPES)
    found = np.array([model.estimate(step, 0.5) for step in (120, 160, 200, 240)])
    assert (np.diff(found, axis=0)[:, 0] < 0).all()
    assert (np.diff(found, axis=0)[:, 1:] > 0).all()
    # At the coarsest nothing is coded, and all error is left.
    bits, error, _ = model.estimate(500, 0.0)
    whole = sum(
        (np.square(values[:, ::2].astype(float)).sum() * band_gain(band) ** 2)
        for band, values in sizes.items()
    )
    assert bits == pytest.approx(0)
    assert error == pytest.approx(whole, rel=1e-4)
