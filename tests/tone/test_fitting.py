"""Fitting the base: what a rendering did is found again from the rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.tone import UNIT, Base, colour_histogram
from rawback.tone.fitting import (
    FilterFits,
    Patch,
    PointwiseFit,
    Sample,
    choose_pointwise,
    fit_pointwise,
)
from rawback.tone.gain import GAIN_ONE
from rawback.types import Guide

from ..mosaics import BAYER

if TYPE_CHECKING:
    from numpy.typing import NDArray

RGGB = BAYER[0]
SHAPE = (240, 320)


def colourful(rng: np.random.Generator, shape: tuple[int, int] = SHAPE) -> NDArray[np.uint8]:
    """A smooth picture of many colours."""
    y, x = np.mgrid[: shape[0], : shape[1]] / 60
    waves = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.5, 3, (3, 3))]
    found: NDArray[np.uint8] = np.rint(128 + 110 * np.stack(waves, axis=2)).astype(np.uint8)
    return found


def mosaicked(colours: NDArray[np.float64]) -> NDArray[np.int16]:
    """The planes of an RGGB mosaic of ``[3, h, w]``."""
    samples = [colours[(0, 1, 1, 2)[p], p // 2 :: 2, p % 2 :: 2] for p in range(4)]
    return np.rint(np.stack(samples)).astype(np.int16)


def fitted(
    guide: Guide, planes: NDArray[np.int16], base_lambda: float
) -> tuple[Base, list[PointwiseFit], NDArray[np.int64]]:
    cells = colour_histogram(guide.pixels)
    samples = Sample.draw(guide, planes, RGGB, 20_000)
    shape = guide.mask.shape
    fits = fit_pointwise(samples, RGGB, (shape[0], shape[1]))
    empty = Base.empty(RGGB, (0, 0, 0))
    chosen = choose_pointwise(fits, samples, empty, cells, (shape[0], shape[1]), base_lambda)
    return chosen, fits, cells


def linear(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    red, green, blue = pixels.astype(np.float64).transpose(2, 0, 1)
    return np.stack(
        [
            20 * red + 5 * green + 300,
            2 * red + 24 * green + 3 * blue + 200,
            6 * green + 18 * blue + 100,
        ]
    )


def test_a_linear_rendering_is_inverted_to_within_its_quantisation() -> None:
    guide = Guide(colourful(np.random.default_rng(0)), np.ones(SHAPE, np.uint8))
    truth = linear(guide.pixels)
    base, _, _ = fitted(guide, mosaicked(truth), 1e-3)
    error = base.colours(guide, (0, 0)) - truth
    assert base.step <= 4
    assert np.abs(error).max() <= 2 * base.step + 1
    assert error.std() <= base.step


def test_a_dearer_bit_buys_a_coarser_and_shorter_base() -> None:
    rng = np.random.default_rng(1)
    guide = Guide(colourful(rng), np.ones(SHAPE, np.uint8))
    truth = linear(guide.pixels) ** 1.1 + rng.normal(0, UNIT, (3, *SHAPE))
    sizes, errors = [], []
    for base_lambda in (1.85, 200.0, 20_000.0):
        base, _, cells = fitted(guide, mosaicked(truth), base_lambda)
        sizes.append(len(base.pointwise_bytes(cells)))
        errors.append((base.colours(guide, (0, 0)) - truth).std())
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.7 * sizes[0]
    assert errors == sorted(errors)


def test_vignetting_is_found_by_a_grid_of_gains() -> None:
    shape = (512, 600)
    # Colours without regard to place, or the table would take on a part of the falloff.
    pixels = np.random.default_rng(2).integers(20, 236, (*shape, 3)).astype(np.uint8)
    guide = Guide(pixels, np.ones(shape, np.uint8))
    y, x = np.mgrid[: shape[0], : shape[1]]
    # A guide that was corrected says nothing of the falling light.
    falloff = 1 - 0.08 * ((y / shape[0] - 0.5) ** 2 + (x / shape[1] - 0.5) ** 2)
    planes = mosaicked(linear(guide.pixels) * falloff)
    base, fits, _ = fitted(guide, planes, 1.85)
    assert [fit.spacing for fit in fits] == [0, 256]
    assert base.spacing == 256
    assert base.gains[1, 1] > base.gains[0, 0] + 0.02 * GAIN_ONE
    error = mosaicked(base.colours(guide, (0, 0)).astype(float)) - planes.astype(float)
    assert error.std() < UNIT


def test_a_small_frame_has_no_room_for_gains() -> None:
    guide = Guide(colourful(np.random.default_rng(3), (64, 48)), np.ones((64, 48), np.uint8))
    _, fits, _ = fitted(guide, mosaicked(linear(guide.pixels)), 1.85)
    assert [fit.spacing for fit in fits] == [0]


def test_samples_come_from_covered_pixels_only() -> None:
    rng = np.random.default_rng(4)
    mask = (rng.random(SHAPE) < 0.3).astype(np.uint8)
    guide = Guide(colourful(rng), mask)
    planes = mosaicked(linear(guide.pixels))
    for colour, sample in enumerate(Sample.draw(guide, planes, RGGB, 5000)):
        assert len(sample.truth) == 5000
        assert mask[sample.rows, sample.columns].all()
        assert np.array_equal(sample.pixels, guide.pixels[sample.rows, sample.columns])
        expected = np.rint(linear(guide.pixels))[colour, sample.rows, sample.columns]
        assert np.array_equal(sample.truth, expected)


@pytest.fixture(scope="module")
def blurred() -> tuple[Base, Patch]:
    """A raw of sharp detail, and colours that are the same with the detail blurred."""
    rng = np.random.default_rng(5)
    sharp = 4000 + np.cumsum(rng.normal(0, 60, (3, 204, 304)), axis=2)
    sharp = np.clip(sharp, 1000, 9000)
    soft = sum(np.roll(sharp, s, axis=2) for s in (-1, 0, 0, 1)) / 4
    colours = np.rint(soft).astype(np.int32)
    planes = mosaicked(sharp[:, 2:-2, 2:-2])
    classes = rng.integers(0, 4, planes.shape[1:]).astype(np.uint8)
    patch = Patch(colours, planes, classes, np.ones(classes.shape, np.bool_))
    return Base.empty(RGGB, (0, 0, 0)), patch


def test_filters_sharpen_what_was_blurred(blurred: tuple[Base, Patch]) -> None:
    base, patch = blurred
    better = FilterFits.of([patch], base.mosaic, patch.classes.size, 3).choose(base, 1.85)
    assert better.filters
    plain, sharp = (
        (b.planes(patch.colours, patch.classes) - patch.planes).std() for b in (base, better)
    )
    assert sharp < 0.8 * plain


def test_filters_that_do_not_pay_are_left_out(blurred: tuple[Base, Patch]) -> None:
    base, patch = blurred
    assert (
        FilterFits.of([patch], base.mosaic, patch.classes.size, 3).choose(base, 1e9).filters == ()
    )
    few = Patch(
        patch.colours[:, :14, :14],
        patch.planes[:, :5, :5],
        patch.classes[:5, :5],
        patch.usable[:5, :5],
    )
    assert FilterFits.of([few], base.mosaic, 25, 3).choose(base, 1e-6).filters == ()


def test_classes_have_filters_of_their_own_where_they_differ(blurred: tuple[Base, Patch]) -> None:
    base, patch = blurred
    planes = patch.planes.copy()
    own = base.planes(patch.colours, patch.classes)
    planes[:, patch.classes > 0] = own[:, patch.classes > 0]
    mixed = Patch(patch.colours, planes, patch.classes, patch.usable)
    better = FilterFits.of([mixed], base.mosaic, 100 * patch.classes.size, 3).choose(base, 0.01)
    assert len(better.filters) == 4
    assert np.abs(better.filters[0].taps).sum() > 10 * np.abs(better.filters[2].taps).sum()
