"""How strong grain is to be: what flat blocks lack, and they alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.common.grain import deviation_of
from rawback.encoder.grain import _EXCESS, grain_spectra
from rawback.rate import LAYERS
from rawback.residual import LEVELS, analyse, band_gain, band_shape, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREAS = np.array([3 * (64 >> level) ** 2 for level in range(1, LEVELS + 1)], np.float32)


def blocks(count: int, power: float, lacking: float) -> NDArray[np.float32]:
    """Blocks whose coefficients have a mean power, half of them coded; the others lack some."""
    layers = [AREAS * 0.9, AREAS * 0.9 * lacking * 2] * (LAYERS - 1)
    sums = np.stack([AREAS, AREAS * power, *layers, AREAS / 2, AREAS / 2 * lacking], axis=1)
    return np.array(np.broadcast_to(sums, (count, 4, *sums.shape)), np.float32)


def deviations(*powers: NDArray[np.float32], layer: int = -1) -> NDArray[np.float64]:
    return np.array(
        [[deviation_of(int(k)) for k in row] for row in grain_spectra(powers)[layer].codes]
    )


def test_flat_blocks_tell_what_is_missing() -> None:
    found = deviations(blocks(40, 1.0, 0.64))
    assert found == pytest.approx(np.full((4, LEVELS), 0.8), rel=0.13)
    coarser = deviations(blocks(40, 1.0, 0.64), layer=0)
    assert coarser == pytest.approx(np.full((4, LEVELS), 0.8 * np.sqrt(2)), rel=0.13)


def test_blocks_with_detail_do_not_count() -> None:
    flat, detailed = blocks(30, 1.0, 0.25), blocks(25, 9.0, 9.0)
    assert np.array_equal(deviations(flat, detailed), deviations(flat))
    # Detail in one component is enough.
    other = blocks(25, 1.0, 0.25).copy()
    other[:, 2, 2] = detailed[:, 2, 2]
    assert np.array_equal(deviations(flat, other), deviations(flat))


def test_grain_is_never_more_than_the_noise() -> None:
    assert deviations(blocks(40, 9.0, 8.0)) == pytest.approx(np.ones((4, LEVELS)), rel=0.01)


def test_what_the_base_sharpened_gets_no_grain() -> None:
    assert not deviations(blocks(30, 1.0, -0.3)).any()


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_coefficients_give_no_grain(count: int) -> None:
    assert not deviations(blocks(count, 1.0, 1.0))[:, 3:].any()


def test_blocks_outside_the_carrier_are_no_blocks() -> None:
    empty = np.zeros((50, 4, LEVELS, 2 + 2 * LAYERS), np.float32)
    found = deviations(empty, blocks(40, 1.0, 0.64))
    assert np.array_equal(found, deviations(blocks(40, 1.0, 0.64)))


def test_coefficients_overrate_white_noise_by_so_much() -> None:
    plane = np.random.default_rng(0).standard_normal((2048, 2048)).astype(np.float32)
    found = {band: np.empty(band_shape(band, plane.shape), np.float32) for band in bands()}
    analyse(plane, found)
    for level, excess in enumerate(_EXCESS, 1):
        power = np.mean(
            [
                np.square(values * band_gain(band)).mean()
                for band, values in found.items()
                if band.level == level and (band.high_x or band.high_y)
            ]
        )
        assert np.sqrt(power) == pytest.approx(excess, rel=0.02)
