from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.geometry import Aligned, Geometry, Mesh, Transform, Warped, build_guide
from rawback.geometry.transform import mesh_shape, reference_side
from rawback.geometry.warp import node_positions
from rawback.orientation import orient_image

from ..kernels.twin_of_guide import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def texture(width: int, height: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(width * height)
    noise = random.normal(size=(height, width, 3)).astype(np.float32)
    return (cv2.GaussianBlur(noise, (0, 0), 2) * 200 + 128).clip(0, 255).astype(np.uint8)


def warp(
    raw_size: tuple[int, int],
    *,
    degrees: float = 0,
    scale: float = 1,
    at: tuple[float, float] = (0, 0),
    perspective: tuple[int, int] = (0, 0),
    mesh: Mesh | None = None,
) -> Warped:
    side = reference_side(raw_size) * scale
    cosine, sine = np.cos(np.deg2rad(degrees)) * side, np.sin(np.deg2rad(degrees)) * side
    origin, right, below = (
        (round(float(x + at[0]) * 64), round(float(y + at[1]) * 64))
        for x, y in ((0, 0), (cosine, sine), (-sine, cosine))
    )
    return Warped(origin, right, below, perspective, mesh)


def bent(raw_size: tuple[int, int], spacing: int) -> Mesh:
    rows, columns = mesh_shape(raw_size, spacing)
    shifts = np.random.default_rng(1).integers(-200, 200, size=2 * rows * columns)
    return Mesh(spacing, tuple(shifts.tolist()))


RAW = (150, 101)
WARPS = {
    "shifted by fractions": ((150, 101), warp(RAW, at=(0.3, -0.7))),
    "turned": ((150, 101), warp(RAW, degrees=7, at=(9, -6))),
    "mirrored": ((150, 101), Warped((149 * 64, 0), (149 * 64 - 256 * 64, 0), (0, 256 * 64))),
    "shrunk": ((75, 50), warp(RAW, scale=0.5, at=(-0.25, -0.25))),
    "cropped": ((60, 40), warp(RAW, at=(-40.5, -30.5))),
    "tilted": ((150, 101), warp(RAW, perspective=(150_000, -90_000))),
    "bent": ((150, 101), warp(RAW, mesh=bent(RAW, 6))),
    "enlarged": ((300, 202), warp(RAW, scale=2.03, at=(0.5, 0.5))),
    "enlarged much": ((400, 280), warp(RAW, scale=2.9, degrees=3)),
    "outside": ((50, 50), warp(RAW, at=(900, 900))),
}


@pytest.mark.parametrize("orientation", range(1, 9))
class TestOrientations:
    def test_guide_of_a_turned_carrier_is_the_carrier_turned_back(self, orientation: int) -> None:
        scene = texture(*RAW)
        carrier = np.ascontiguousarray(orient_image(orientation, scene))
        size = (carrier.shape[1], carrier.shape[0])
        guide = build_guide(Geometry(RAW, size, Aligned(orientation)), carrier)
        np.testing.assert_array_equal(guide.pixels, scene)
        assert guide.pixels.flags.c_contiguous
        assert guide.mask.all()

    def test_guide_of_a_cropped_carrier_is_zero_outside(self, orientation: int) -> None:
        scene = texture(*RAW)
        carrier = np.ascontiguousarray(orient_image(orientation, scene)[7:60, 11:90])
        guide = build_guide(Geometry(RAW, (79, 53), Aligned(orientation, -11, -7)), carrier)
        assert guide.mask.sum() == 79 * 53
        np.testing.assert_array_equal(guide.pixels, scene * guide.mask[..., None])


boxes = st.tuples(
    st.integers(0, 149), st.integers(0, 100), st.integers(1, 150), st.integers(1, 101)
).map(lambda b: (b[0], b[1], min(b[2], 150 - b[0]), min(b[3], 101 - b[1])))


@settings(max_examples=120, deadline=None)
@given(
    box=boxes,
    case=st.sampled_from(
        [
            *WARPS.values(),
            ((150, 101), Aligned(3)),
            ((150, 101), Aligned(2, 20, -30)),
            ((40, 90), Aligned(6, -30, -12)),
            ((40, 90), Aligned(1, 400, 0)),
        ]
    ),
)
def test_part_of_the_guide_is_that_part_of_the_whole(
    box: tuple[int, int, int, int], case: tuple[tuple[int, int], Transform]
) -> None:
    geometry = Geometry(RAW, case[0], case[1])
    carrier = texture(*case[0])
    whole, part = build_guide(geometry, carrier), build_guide(geometry, carrier, region=box)
    left, top, width, height = box
    cut = slice(top, top + height), slice(left, left + width)
    np.testing.assert_array_equal(part.pixels, whole.pixels[cut])
    np.testing.assert_array_equal(part.mask, whole.mask[cut])


@pytest.mark.parametrize("name", [name for name in WARPS if not name.startswith("enlarged")])
def test_warped_guide_is_bilinear_sampling_at_the_positions(name: str) -> None:
    size, transform = WARPS[name]
    carrier = texture(*size)
    guide = build_guide(Geometry(RAW, size, transform), carrier)
    x, y = (at / 1024 for at in positions(node_positions(transform, RAW), (0, 0, *RAW)))
    covered = (x > -0.48) & (x < size[0] - 0.52) & (y > -0.48) & (y < size[1] - 0.52)
    outside = (x < -0.52) | (x > size[0] - 0.48) | (y < -0.52) | (y > size[1] - 0.48)
    assert guide.mask[covered].all()
    assert not guide.mask[outside].any()
    assert not guide.pixels[guide.mask == 0].any()
    expected = cv2.remap(
        carrier.astype(np.float32),
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if covered.any():
        # Positions are rounded to 1/32 pixel, where this texture climbs by about 20 a pixel.
        assert np.abs(guide.pixels[covered] - expected[covered]).max() <= 2.5
        assert np.abs(guide.pixels[covered] - expected[covered]).mean() <= 0.5


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarged_carrier_is_averaged(factor: int) -> None:
    small = texture(60, 40)
    carrier = np.repeat(np.repeat(small, factor, axis=0), factor, axis=1)
    noise = np.random.default_rng(0).integers(-20, 21, carrier.shape)
    carrier = (carrier.astype(int) + noise).clip(0, 255).astype(np.uint8)
    raw_size, size = (60, 40), (60 * factor, 40 * factor)
    middle = (factor - 1) / 2
    geometry = Geometry(raw_size, size, warp(raw_size, scale=factor, at=(middle, middle)))
    guide = build_guide(geometry, carrier)
    means = carrier.reshape(40, factor, 60, factor, 3).mean(axis=(1, 3))
    assert guide.mask.all()
    assert np.abs(guide.pixels[1:-1, 1:-1] - means[1:-1, 1:-1]).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("name", WARPS)
def test_threads_do_not_change_the_guide(name: str) -> None:
    size, transform = WARPS[name]
    geometry, carrier = Geometry(RAW, size, transform), texture(*size)
    one, four = (build_guide(geometry, carrier, threads=threads) for threads in (1, 4))
    np.testing.assert_array_equal(one.pixels, four.pixels)
    np.testing.assert_array_equal(one.mask, four.mask)


@pytest.mark.golden
@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("turned", "837e7cbb1d869116"),
        ("tilted", "36fa6b94a7f88303"),
        ("bent", "43be48da2449035b"),
        ("enlarged much", "8b37619594ec3093"),
    ],
)
def test_guides_never_change(name: str, digest: str) -> None:
    size, transform = WARPS[name]
    ramp = np.arange(size[0] * size[1] * 3, dtype=np.uint32)
    carrier = (ramp * 2654435761 >> 24).astype(np.uint8).reshape(size[1], size[0], 3)
    guide = build_guide(Geometry(RAW, size, transform), carrier)
    seen = hashlib.sha256(guide.pixels.tobytes() + guide.mask.tobytes()).hexdigest()
    assert seen[:16] == digest


class TestPositions:
    def test_reference_points_lie_where_they_are_said_to(self) -> None:
        raw_size = (1000, 1000)
        assert reference_side(raw_size) == 1024
        transform = Warped((640, -64), (64 * 900, 64 * 10), (-64 * 5, 64 * 800), (40_000, -30_000))
        nodes = node_positions(transform, raw_size)
        assert (nodes[0, 0] / 1024).tolist() == [10, -1]
        g, h = 40_000 / 2**20, -30_000 / 2**20
        s, t = 480 / 1024, 320 / 1024
        expected = (
            np.array([10, -1]) * (1 - s - t)
            + np.array([900, 10]) * (1 + g) * s
            + np.array([-5, 800]) * (1 + h) * t
        ) / (1 + g * s + h * t)
        np.testing.assert_allclose(nodes[20, 30] / 1024, expected, atol=1.5 / 1024)

    def test_a_coarse_mesh_holds_a_cubic_lens_correction(self) -> None:
        raw_size = (6000, 4000)
        rows, columns = mesh_shape(raw_size, 12)
        # The nodes of x ** 3 are (x - h) x (x + h), those of x y**2 are x (y**2 - h**2 / 3).
        h = 4096
        x, y = (
            (np.arange(count) - 1) * h - side / 2
            for count, side in ((columns, raw_size[0]), (rows, raw_size[1]))
        )
        k = 0.05 / (3600**2)
        cubic = k * ((x - h) * x * (x + h) + np.multiply.outer(y**2 - h**2 / 3, x))
        other = k * (((y - h) * y * (y + h))[:, None] + np.multiply.outer(y, x**2 - h**2 / 3))
        shifts = np.round(np.stack([cubic, other], axis=-1) * 64).astype(int)
        mesh = Mesh(12, tuple(shifts.ravel().tolist()))
        plain = node_positions(warp(raw_size), raw_size)
        seen = (node_positions(warp(raw_size, mesh=mesh), raw_size) - plain) / 1024
        at_y, at_x = np.meshgrid(
            np.arange(seen.shape[0]) * 16 - 2000,
            np.arange(seen.shape[1]) * 16 - 3000,
            indexing="ij",
        )
        radial = k * (at_x**2 + at_y**2)
        np.testing.assert_allclose(seen[..., 0], radial * at_x, atol=0.02)
        np.testing.assert_allclose(seen[..., 1], radial * at_y, atol=0.02)


def test_callers_mistakes_are_told() -> None:
    geometry = Geometry((10, 8), (10, 8), Aligned())
    with pytest.raises(ValueError, match="not those of"):
        build_guide(geometry, texture(8, 10))
    for region in [(-1, 0, 2, 2), (0, 0, 11, 8), (4, 4, 0, 1), (9, 7, 1, 2)]:
        with pytest.raises(ValueError, match="not inside"):
            build_guide(geometry, texture(10, 8), region=region)
