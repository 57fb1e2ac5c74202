"""The kernel of grain against NumPy, and its random numbers against what they are to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.common.grain import CODES, SPECTRUM_LEVELS, Grain, GrainSpectrum, deviation_of
from rawback.common.tiles import Window
from rawback.errors import PayloadDamaged
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual import (
    RegionClass,
    TileContext,
    band_shape,
    bands,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL = 1 << 64

flatness = Kernel("flatness", Read(np.int16, 3), Integer, Integer, Write(np.float64, 3))


def mixed(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % ALL
    value = (value ^ value >> 27) * 0x94D049BB133111EB % ALL
    return value ^ value >> 31


def twin(
    grain: Grain, tile: Window, indices: NDArray[np.int32], context: TileContext
) -> NDArray[np.int32]:
    """`Grain.of_tile`, coefficient by coefficient."""
    found = np.zeros_like(indices)
    count, start = len(grain.spectra[-1].codes), 0
    for number, band in enumerate(bands()):
        rows, columns = band_shape(band, tile.shape)
        for component in range(count):
            amplitude = int(grain.spectra[-1].amplitudes[number, component])
            key = mixed((grain.seed + 16 * number + component) % ALL)
            for y in range(rows):
                row = key + (((tile.top >> band.level) + y) << 32)
                for x in range(columns):
                    at = count * start + (component * rows + y) * columns + x
                    shared = start + y * columns + x
                    if indices[at] or context.classes[shared] > RegionClass.EDGE:
                        continue
                    bits = mixed((row + (tile.left >> band.level) + x) % ALL)
                    normal = sum(bits.to_bytes(8, "little")) - 1020
                    scaled = normal * amplitude * int(context.noise[shared])
                    found[at] = (scaled + (1 << 19)) >> 20
        start += rows * columns
    return found


def any_context(
    rng: np.random.Generator, shape: tuple[int, int], components: int = 4
) -> TileContext:
    area = shape[0] * shape[1]
    classes = rng.integers(0, 5, area).astype(np.uint8)
    noise = rng.integers(64, 1025, area).astype(np.uint16)
    return TileContext(shape, classes, noise, np.zeros(components * area, np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (5, 2), (37, 64), (32, 33)])
@pytest.mark.parametrize("components", [1, 3, 4, 9, 16])
def test_the_kernel_does_as_its_twin(shape: tuple[int, int], components: int) -> None:
    if components > 4:
        shape = (shape[0], shape[1] // 4 + 1)
    rng = np.random.default_rng(shape[0])
    spectrum = GrainSpectrum(rng.integers(0, CODES, (components, SPECTRUM_LEVELS)).astype(np.uint8))
    grain = Grain((spectrum,), int(rng.integers(-(1 << 63), 1 << 63)))
    tile = Window(512, 1024, 512 + shape[0], 1024 + shape[1])
    indices = rng.integers(-1, 2, components * shape[0] * shape[1]).astype(np.int32)
    context = any_context(rng, shape, components)
    found = grain.of_tile(tile, indices, 1, context)
    assert np.array_equal(found, twin(grain, tile, indices, context))
    assert not found[indices != 0].any()


def test_it_is_normal_white_and_as_strong_as_it_says() -> None:
    shape, code = (512, 512), 19
    spectrum = GrainSpectrum(np.full((4, SPECTRUM_LEVELS), code, np.uint8))
    area = shape[0] * shape[1]
    context = TileContext(
        shape,
        np.zeros(area, np.uint8),
        np.full(area, 256, np.uint16),
        np.zeros(4 * area, np.uint8),
    )
    found = Grain((spectrum,), 77).of_tile(
        Window(0, 0, *shape), np.zeros(4 * area, np.int32), 1, context
    )
    finest = found[-4 * 256 * 256 :].reshape(4, 256, 256).astype(np.float64)
    # Coefficients of white noise of one standard deviation, in the finest diagonal band.
    assert finest.std() == pytest.approx(32 * deviation_of(code) / 0.8865**2, rel=0.02)
    assert abs(finest.mean()) < 0.02 * finest.std()
    for shifted in (np.roll(finest, 1, 2), np.roll(finest, 1, 1), np.roll(finest, 1, 0)):
        assert abs((finest * shifted).mean()) < 0.01 * finest.var()
    share = (np.abs(finest) < finest.std()).mean()
    assert share == pytest.approx(0.68, abs=0.02)


@pytest.mark.parametrize(("components", "size"), [(1, 3), (3, 8), (4, 10), (9, 23), (16, 40)])
def test_a_spectrum_is_five_bits_for_each_code_there_and_back(components: int, size: int) -> None:
    codes = (
        np.random.default_rng(0).integers(0, CODES, (components, SPECTRUM_LEVELS)).astype(np.uint8)
    )
    data = GrainSpectrum(codes).to_bytes()
    assert len(data) == size
    assert np.array_equal(GrainSpectrum.from_bytes(data, components).codes, codes)
    for wrong in (data[:-1], data + b"\0", b""):
        with pytest.raises(PayloadDamaged, match="spectrum"):
            GrainSpectrum.from_bytes(wrong, components)


def test_deviations_become_the_nearest_code() -> None:
    wanted = np.array([[deviation_of(code) for code in (0, 1, 9, 31)]] * 4)
    assert GrainSpectrum.of_deviations(wanted).codes.tolist() == [[0, 1, 9, 31]] * 4
    assert GrainSpectrum.of_deviations(wanted * 1.04).codes.tolist() == [[0, 1, 9, 31]] * 4
    assert GrainSpectrum.of_deviations(np.full((4, SPECTRUM_LEVELS), 99.0)).codes.max() == 31


def test_arrays_of_another_tile_are_refused() -> None:
    context = any_context(np.random.default_rng(0), (8, 8))
    grain = Grain((GrainSpectrum(np.ones((4, SPECTRUM_LEVELS), np.uint8)),), 0)
    with pytest.raises(ValueError, match="do not fit"):
        grain.of_tile(Window(0, 0, 8, 9), np.zeros(4 * 72, np.int32), 1, context)
    with pytest.raises(ValueError, match="do not fit"):
        grain.of_tile(Window(1 << 15, 0, (1 << 15) + 8, 8), np.zeros(256, np.int32), 1, context)


@pytest.mark.parametrize("shape", [(8, 8), (7, 40), (50, 33)])
def test_flatness_is_summed_block_by_block(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[1])
    planes = rng.integers(-3, 40, (3, *shape)).astype(np.int16)
    down, across = (side // 8 for side in shape)
    found = np.full((3, down * across, 3), -1.0)
    flatness(planes, 8, 37, found)
    for plane, y, x in np.ndindex(3, down, across):
        block = planes[plane, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8].astype(float)
        fine = block[::2, ::2] - block[1::2, ::2] - block[::2, 1::2] + block[1::2, 1::2]
        clipped = ((block <= 0) | (block >= 37)).sum()
        wanted = block.sum(), np.square(fine).sum(), clipped
        assert found[plane, y * across + x] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("side", "shape"), [(16, (2, 3, 3)), (16, (1, 4, 3)), (16, (2, 4, 4)), (7, (2, 16, 3))]
)
def test_planes_and_sums_that_do_not_fit_are_refused(
    side: int, shape: tuple[int, int, int]
) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        flatness(np.zeros((2, 32, 32), np.int16), side, 1, np.zeros(shape))
