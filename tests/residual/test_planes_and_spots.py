"""The transform across planes, and the classes of spots."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.residual import (
    KLT,
    RegionClass,
    band_shape,
    bands,
    class_pyramid,
    classify_regions,
    mean_pyramid,
)
from rawback.types import Guide


def test_errors_that_planes_share_gather_in_the_first_component() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 100, (30, 40))
    planes = (shared + rng.normal(0, 5, (4, 30, 40))).astype(np.float32)
    transform = KLT.fit(KLT.covariance(planes, 1000))
    components = planes.copy()
    transform.to_components(components)
    assert components[0].std() > 1.9 * shared.std()
    assert components[1:].std() < 6
    back = np.tensordot(transform.matrix / 64, components, 1)
    assert np.abs(back - planes).max() <= 1e-3


def test_the_signs_of_components_do_not_depend_on_the_solver() -> None:
    planes = np.random.default_rng(1).normal(0, 10, (4, 20, 20)).astype(np.float32)
    assert (KLT.fit(KLT.covariance(planes, 100)).matrix.astype(int).sum(axis=0) >= 0).all()


def test_nothing_left_gives_a_transform_all_the_same() -> None:
    transform = KLT.fit(np.zeros((4, 4)))
    planes = np.zeros((4, 8, 8), np.float32)
    transform.to_components(planes)
    assert not planes.any()


def picture(level: int = 1000) -> tuple[Guide, np.ndarray]:
    guide = Guide(np.full((40, 60, 3), 100, np.uint8), np.ones((40, 60), np.uint8))
    return guide, np.full((40, 60), level, np.int32)


def test_a_flat_guide_is_smooth() -> None:
    assert (classify_regions(*picture()) == RegionClass.SMOOTH).all()


@pytest.mark.parametrize(
    ("step", "spot"), [(31, RegionClass.SMOOTH), (32, RegionClass.TEXTURE), (128, RegionClass.EDGE)]
)
def test_a_step_of_the_base_makes_texture_or_an_edge(step: int, spot: RegionClass) -> None:
    guide, base = picture()
    base[:, 30:] += step
    spots = classify_regions(guide, base)
    assert (spots[:, 14:16] == spot).all()
    assert (spots[:, :14] == RegionClass.SMOOTH).all()
    assert (spots[:, 16:] == RegionClass.SMOOTH).all()


def test_clipped_quads_and_their_neighbours_are_clipped() -> None:
    guide, base = picture()
    guide.pixels[20, 31, 1] = 254
    spots = classify_regions(guide, base)
    assert (spots[9:12, 14:17] == RegionClass.CLIPPED).all()
    assert (spots == RegionClass.CLIPPED).sum() == 9


def test_a_quad_with_an_uncovered_pixel_is_uncovered_whatever_else_it_is() -> None:
    guide, base = picture()
    guide.pixels[:] = 255
    guide.mask[0:11, 0] = 0
    spots = classify_regions(guide, base)
    assert (spots[:6, 0] == RegionClass.UNCOVERED).all()
    assert (spots[6:, 0] == RegionClass.CLIPPED).all()


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (64, 33)])
def test_a_coarse_coefficient_takes_the_highest_class_it_covers(shape: tuple[int, int]) -> None:
    spots = np.zeros(shape, np.uint8)
    spots[shape[0] // 2, shape[1] // 2] = RegionClass.CLIPPED
    pyramid = class_pyramid(spots)
    for band in bands():
        held = pyramid[band]
        assert held.shape == band_shape(band, shape)
        if not band.high_x and not band.high_y:
            place = (shape[0] // 2) >> band.level, (shape[1] // 2) >> band.level
            assert held[place] == RegionClass.CLIPPED
            assert (held > 0).sum() == 1


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (64, 33)])
def test_means_are_those_of_what_a_coefficient_covers(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(2).integers(-500, 500, shape).astype(np.int32)
    pyramid = mean_pyramid(values)
    for band in bands():
        held = pyramid[band]
        assert held.shape == band_shape(band, shape)
        side = 1 << band.level
        for y, x in np.ndindex(shape[0] // side, shape[1] // side):
            part = values[side * y : side * (y + 1), side * x : side * (x + 1)]
            if y < held.shape[0] and x < held.shape[1]:
                # Each level rounds down by less than one.
                assert 0 <= part.mean() - held[y, x] < band.level
    assert (mean_pyramid(np.full(shape, -7, np.int32))[bands()[0]] == -7).all()
