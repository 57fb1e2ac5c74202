"""The exact layer: every sample of any mosaic, bit for bit."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.common.coding_tables import coding_tables
from rawback.entropy import SymbolEncoder, code_parameters
from rawback.errors import PayloadDamaged
from rawback.mosaic import Mosaic
from rawback.residual import (
    PHASES,
    CodeIndexDomain,
    LosslessModel,
    LosslessTile,
    Pixels,
    RegionClass,
    decode_lossless,
    encode_lossless,
    list_numbers,
    phases_of,
    read_code_values,
    write_code_values,
)
from rawback.residual.fitting import fit_lossless
from rawback.residual.lossless import INPUTS, LARGEST_WEIGHT
from rawback.tone import NoiseDomain
from rawback.types import NoiseModel

from ..mosaics import BAYER, KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

RGGB = BAYER[0]
NOISE = NoiseModel(2e-4, 1e-6)


@dataclass
class Scene:
    """A tile of whole cells: its lists of codes, ranks, and what restores it but for noise."""

    lists: list[NDArray[np.uint16]]
    domain: CodeIndexDomain
    ranks: NDArray[np.int32]
    tile: LosslessTile

    @classmethod
    def of(
        cls,
        samples: NDArray[np.uint16],
        restored: NDArray[np.uint16],
        white: int,
        mosaic: Mosaic = RGGB,
        place: tuple[int, int] = (0, 0),
        lists: int = 1,
    ) -> Scene:
        """Of the samples of a frame; the tile begins so many cells from its corner."""
        noise = NoiseDomain.of(NOISE, (white / 16,) * len(mosaic.colours), white, mosaic=mosaic)
        down, right = place
        own = np.ascontiguousarray(samples[mosaic.cell * down :, mosaic.across * right :])
        numbers = list_numbers(lists, mosaic, own.shape, place)
        codes = [np.unique(own[numbers == number]) for number in range(lists)]
        domain = CodeIndexDomain.of(noise.forward, codes)
        planes = noise.to_planes(restored)[:, down:, right:].astype(np.int32)
        classes = np.random.default_rng(0).integers(0, len(RegionClass), planes.shape[1:])
        ranks = np.empty(own.shape, np.int32)
        for number, used in enumerate(codes):
            of_list = numbers == number
            ranks[of_list] = np.searchsorted(used, own[of_list])
        tile = LosslessTile.of(planes, classes.astype(np.uint8), mosaic, place)
        return cls(codes, domain, ranks, tile)

    def samples(self, ranks: NDArray[np.int32]) -> NDArray[np.int32]:
        """The codes that ranks stand for."""
        tile = self.tile
        numbers = list_numbers(len(self.lists), tile.mosaic, ranks.shape, tile.place)
        return self.domain.codes[numbers, ranks]


def sensor(
    shape: tuple[int, int],
    white: int,
    step: int = 1,
    seed: int = 0,
    mosaic: Mosaic = RGGB,
    place: tuple[int, int] = (0, 0),
) -> Scene:
    """A gradient with noise, of which every `step`-th code is used."""
    rng = np.random.default_rng(seed)
    black = white / 16
    signal = np.add.outer(np.linspace(0, 0.5, shape[0]), np.linspace(0.02, 0.6, shape[1]))
    noisy = rng.normal(signal, np.sqrt(NOISE.scale * signal + NOISE.offset))
    clean, noisy_codes = (
        np.clip(np.rint((black + (white - black) * s) / step) * step, 0, white).astype(np.uint16)
        for s in (signal, noisy)
    )
    return Scene.of(noisy_codes, clean, white, mosaic, place)


def round_trip(scene: Scene, pixels: Pixels = Pixels.PLAIN) -> int:
    """Code and decode; returns the bytes it took."""
    start = coding_tables().lossless
    pairs = [(scene.tile, scene.ranks)]
    model = fit_lossless(start, pairs, scene.domain, 8000, pixels=pixels)
    data = encode_lossless(start, model, scene.domain, scene.tile, scene.ranks)
    read = LosslessModel.from_bytes(model.to_bytes(), scene.tile.mosaic)
    assert np.array_equal(read.weights, model.weights)
    assert np.array_equal(read.scales, model.scales)
    assert read.pixels == model.pixels
    lists = read_code_values(write_code_values(*scene.lists), len(scene.lists))
    assert all(map(np.array_equal, lists, scene.lists))
    ranks = decode_lossless(start, read, scene.domain, scene.tile, data)
    assert np.array_equal(ranks, scene.ranks)
    return len(data)


def test_a_drawing_of_flat_shapes_takes_little() -> None:
    rng = np.random.default_rng(1)
    mosaic = Mosaic.parse("R+G+B")
    shapes = np.kron(rng.integers(0, 5, (6, 8)), np.ones((16, 16), np.intp))
    colours = rng.integers(300, 4000, (5, 3)).astype(np.uint16)
    samples = colours[shapes].reshape(96, -1)
    blurred = np.clip(samples + rng.normal(0, 60, samples.shape), 0, 4095).astype(np.uint16)
    scene = Scene.of(samples, blurred, 4095, mosaic)
    size = round_trip(scene, Pixels.REPEATING)
    # Each pixel costs far less than a bit, though what is known of it is noise.
    assert 8 * size < 0.25 * shapes.size
    assert round_trip(scene) > 2 * size


def demosaiced(shape: tuple[int, int], step: int = 1, directed: bool = False) -> NDArray[np.uint16]:
    """A linear frame whose red and blue were put between measured ones, as differences to green.

    Args:
        shape: Even rows and columns of pixels.
        step: Of measured samples every so-many-th code is used.
        directed: Whether one of four samples was put elsewhere.
    """
    rng = np.random.default_rng(5)
    rows, columns = shape
    signal = np.add.outer(np.linspace(6000, 20000, rows), np.linspace(0, 30000, columns))
    noisy = np.stack([rng.normal(part * signal, 300) for part in (0.5, 1, 0.7)], axis=2)
    pixels = np.rint(noisy / step).astype(np.int32) * step
    elsewhere = rng.random(shape) < 0.25 * directed
    for channel, corner in ((0, 0), (2, 1)):
        difference = pixels[..., channel] - pixels[..., 1]
        difference = np.pad(difference, 2, mode="reflect")
        known = (np.arange(rows + 4) % 2 == corner)[:, None]
        columns_known = np.arange(columns + 4) % 2 == corner
        across = (np.roll(difference, 1, 1) + np.roll(difference, -1, 1)) >> 1
        difference = np.where(columns_known, difference, across)
        down = (np.roll(difference, 1, 0) + np.roll(difference, -1, 0)) >> 1
        difference = np.where(known, difference, down)[2:-2, 2:-2]
        own = pixels[..., channel]
        pixels[..., channel] = np.where(elsewhere, own, difference + pixels[..., 1])
    return np.clip(pixels, 0, 65535).astype(np.uint16).reshape(rows, -1)


@pytest.mark.parametrize("directed", [False, True])
def test_what_demosaicing_put_between_measured_samples_takes_little(directed: bool) -> None:
    samples = demosaiced((96, 80), directed=directed)
    blurred = np.full_like(samples, 25000)
    scene = Scene.of(samples, blurred, 65535, Mosaic.parse("R+G+B"))
    plain, looked = round_trip(scene), round_trip(scene, Pixels.INTERPOLATED)
    # Six of twelve samples are measured, green of all pixels among them, and two others; the
    # rest is known from them but for the way it was rounded.
    assert looked < (0.8 if directed else 0.68) * plain


@pytest.mark.parametrize("pixels", [Pixels.PLAIN, Pixels.INTERPOLATED])
def test_codes_of_phases_take_less(pixels: Pixels) -> None:
    samples, mosaic = demosaiced((96, 80), step=16), Mosaic.parse("R+G+B")
    blurred = np.full_like(samples, 25000)
    every, own = (
        Scene.of(samples, blurred, 65535, mosaic, lists=lists) for lists in (1, 3 * PHASES)
    )
    assert np.array_equal(own.samples(own.ranks), samples)
    assert round_trip(own, pixels) < 0.9 * round_trip(every, pixels)


@pytest.mark.parametrize(
    ("pixels", "lists"),
    [(Pixels.REPEATING, 3), *product((Pixels.PLAIN, Pixels.INTERPOLATED), (1, 3, 12))],
)
@pytest.mark.parametrize("cells", [(2, 2), (5, 2), (3, 7)])
def test_small_linear_frames_come_back(pixels: Pixels, lists: int, cells: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    samples = rng.integers(0, 65536, (cells[0], 3 * cells[1])).astype(np.uint16)
    samples[:, ::2] = rng.integers(0, 2, samples[:, ::2].shape) * 65535
    round_trip(Scene.of(samples, samples[::-1], 65535, Mosaic.parse("R+G+B"), lists=lists), pixels)


@pytest.mark.parametrize("mosaic", [*BAYER[:3], *KINDS.values()], ids=str)
@pytest.mark.parametrize(
    ("cells", "place"), [((1, 1), (0, 0)), ((3, 5), (3, 1)), ((15, 13), (1, 2))], ids=str
)
def test_every_mosaic_and_size_comes_back(
    mosaic: Mosaic, cells: tuple[int, int], place: tuple[int, int]
) -> None:
    rows, columns = (size + more for size, more in zip(cells, place, strict=True))
    shape = (mosaic.cell * rows, mosaic.across * columns)
    round_trip(sensor(shape, 4095, mosaic=mosaic, place=place))


@pytest.mark.parametrize("mosaic", KINDS.values(), ids=KINDS)
def test_the_restored_samples_of_a_tile_lie_where_the_samples_do(mosaic: Mosaic) -> None:
    # Each sample is known by its value; a tile is the part of the frame that begins at its place.
    shape = (mosaic.cell * 8, mosaic.across * 7)
    samples = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(shape)
    straight = np.broadcast_to(np.arange(65536), (len(mosaic.colours), 65536))
    domain = replace(
        NoiseDomain.of(NOISE, (0.0,) * len(mosaic.colours), 65535, mosaic=mosaic),
        forward=np.ascontiguousarray(straight, np.int32),
    )
    planes = domain.to_planes(samples).astype(np.int32)
    for down, right in ((0, 0), (1, 2), (5, 3)):
        part = planes[:, down:, right:]
        tile = LosslessTile.of(part, np.zeros(part.shape[1:], np.uint8), mosaic, (down, right))
        expected = samples[mosaic.cell * down :, mosaic.across * right :]
        assert np.array_equal(tile.restored, expected)


@pytest.mark.parametrize(
    ("white", "step"), [(255, 1), (1020, 4), (16383, 1), (65535, 1), (65535, 257)]
)
def test_every_depth_comes_back_and_gaps_between_codes_cost_nothing(white: int, step: int) -> None:
    scene = sensor((96, 96), white, step)
    bits = 8 * round_trip(scene) / scene.ranks.size
    # Differential entropy of Gaussian noise, in steps of the codes.
    signal = np.add.outer(np.linspace(0, 0.5, 96), np.linspace(0.02, 0.6, 96))
    spread = np.sqrt(NOISE.scale * signal + NOISE.offset) * white * 15 / 16 / step
    assert bits < np.log2(np.maximum(spread, 0.3) * np.sqrt(2 * math.pi * math.e)).mean() + 0.45


def test_a_constant_mosaic_comes_back_for_next_to_nothing() -> None:
    flat = np.full((64, 64), 777, np.uint16)
    assert round_trip(Scene.of(flat, flat, 1023)) < 64


def test_one_code_that_is_far_from_what_was_restored_comes_back() -> None:
    flat = np.full((32, 32), 65535, np.uint16)
    round_trip(Scene.of(flat, np.zeros_like(flat), 65535))


def test_hot_pixels_beyond_every_table_come_back() -> None:
    scene = sensor((64, 64), 16383)
    mosaic = scene.samples(scene.ranks).astype(np.uint16)
    restored = mosaic.copy()
    mosaic[::7, ::5] = 65535
    mosaic[3::9, 2::6] = 0
    round_trip(Scene.of(mosaic, restored, 16383))


@settings(max_examples=6, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([*KINDS.values()]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([1, 2, 17, 4000, 65536]),
)
def test_mosaics_without_any_sense_come_back(
    seed: int, mosaic: Mosaic, cells: tuple[int, int], codes: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (mosaic.cell * cells[0], mosaic.across * cells[1])
    used = rng.choice(65536, codes, replace=False)
    samples, restored = (rng.choice(used, shape).astype(np.uint16) for _ in range(2))
    round_trip(Scene.of(samples, restored, 65535, mosaic))


@pytest.mark.parametrize("mosaic", KINDS.values(), ids=KINDS)
def test_what_errors_have_in_common_is_predicted(mosaic: Mosaic) -> None:
    shape = (mosaic.cell * (128 // mosaic.cell), mosaic.across * (128 // mosaic.across))
    scene = sensor(shape, 16383, mosaic=mosaic)
    noise = scene.samples(scene.ranks).astype(int)
    sizes = []
    for slope in (0, 12):
        wave = slope * np.add.outer(*(np.arange(side) for side in shape))
        samples = np.clip(noise + wave, 0, 16383).astype(np.uint16)
        restored = np.clip(noise.mean() + 0 * noise, 0, 16383).astype(np.uint16)
        sizes.append(round_trip(Scene.of(samples, restored, 16383, mosaic)))
    assert sizes[1] < 1.1 * sizes[0]


def test_ranks_lie_where_their_values_do() -> None:
    values = np.array([[-5, 0, 4, 20]] * 4, np.int32)
    domain = CodeIndexDomain(values, values + 5, np.array([4, 4, 4, 3], np.int32))
    start, table = domain.table_of(0)
    assert start == -5
    assert [table[v - start] for v in (-5, 0, 2, 4, 12, 20)] == [0, 8, 12, 16, 20, 24]
    assert len(table) == 26
    assert (np.diff(table) >= 0).all()
    assert len(domain.table_of(3)[1]) == 10  # of a list without the last one
    assert domain.below[0, [0, 1, 9, 10, 65535]].tolist() == [0, 1, 2, 3, 4]
    assert domain.below[3, 65535] == 3


class TestStrangers:
    """Bytes from elsewhere are a model, a list of codes, samples; or they are refused."""

    @pytest.mark.parametrize("number", range(8))
    def test_an_impossible_weight_or_scale_is_refused(self, number: int) -> None:
        coder = SymbolEncoder()
        for other in range(8):
            numbers = np.full(INPUTS, LARGEST_WEIGHT + (number == other))
            code_parameters(coder, numbers, INPUTS)
        with pytest.raises(PayloadDamaged, match="without that layer"):
            LosslessModel.from_bytes(b"\0" + coder.finish(), RGGB)

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes_are_a_model_or_refused(self, data: bytes) -> None:
        try:
            model = LosslessModel.from_bytes(data, [*BAYER[:3], *KINDS.values()][len(data) % 6])
        except PayloadDamaged:
            return
        assert np.abs(model.weights).max() <= LARGEST_WEIGHT
        assert np.abs(model.scales).max() <= LARGEST_WEIGHT

    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(0, 2**32),
        st.sampled_from([*KINDS.values()]),
        st.binary(max_size=400),
        st.booleans(),
        st.sampled_from(Pixels),
    )
    def test_any_model_and_any_bytes_are_samples(
        self, seed: int, mosaic: Mosaic, data: bytes, wild: bool, pixels: Pixels
    ) -> None:
        rng = np.random.default_rng(seed)
        scene = sensor((13 * mosaic.cell, 9 * mosaic.across), 4095, seed=seed, mosaic=mosaic)
        tile = scene.tile
        if wild:
            shape = (mosaic.planes, 13, 9)
            planes = rng.integers(-(1 << 31), (1 << 31) - 1, shape, dtype=np.int32)
            tile = LosslessTile.of(planes, rng.integers(0, 256, (13, 9)).astype(np.uint8), mosaic)
        channels = len(mosaic.colours)
        weights, scales = (
            rng.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT + 1, (rows, INPUTS)).astype(np.int32)
            for rows in (channels * phases_of(mosaic), channels)
        )
        start, model = coding_tables().lossless, LosslessModel(weights, scales, pixels)
        ranks = decode_lossless(start, model, scene.domain, tile, data * 4)
        assert 0 <= ranks.min() <= ranks.max() < len(scene.lists[0])

    @given(st.binary(max_size=300))
    def test_any_bytes_are_codes_or_refused(self, data: bytes) -> None:
        with pytest.raises(PayloadDamaged, match="restore without the exact layer"):
            read_code_values(data)

    @settings(max_examples=200)
    @given(st.sets(st.integers(0, 65535), min_size=1, max_size=40), st.data())
    def test_changed_codes_are_codes_or_refused(self, codes: set[int], data: st.DataObject) -> None:
        written = bytearray(write_code_values(np.array(sorted(codes), np.uint16)))
        at = data.draw(st.integers(0, len(written) - 1))
        written[at] ^= data.draw(st.integers(0, 255))
        try:
            (found,) = read_code_values(bytes(written))
        except PayloadDamaged:
            return
        assert (np.diff(found.astype(int)) > 0).all()

    def test_what_inflates_without_end_is_refused(self) -> None:
        with pytest.raises(PayloadDamaged):
            read_code_values(zlib.compress(bytes(100_000_000), 9))


@given(st.sets(st.integers(0, 65535), min_size=1))
def test_codes_round_trip(codes: set[int]) -> None:
    used = np.array(sorted(codes), np.uint16)
    assert np.array_equal(read_code_values(write_code_values(used))[0], used)
    lists = used, used[::2], used[-1:]
    read = read_code_values(write_code_values(*lists), 3)
    assert all(map(np.array_equal, read, lists))
    for wrong in (lists[:2], (*lists, used)):
        with pytest.raises(PayloadDamaged, match="restore without the exact layer"):
            read_code_values(write_code_values(*wrong), 3)


@pytest.mark.parametrize(
    ("codes", "size"), [(range(65536), 500), (range(0, 65536, 257), 40), ([65535], 12), ([0], 12)]
)
def test_regular_codes_take_few_bytes(codes: list[int], size: int) -> None:
    used = np.array(codes, np.uint16)
    data = write_code_values(used)
    assert len(data) <= size
    assert np.array_equal(read_code_values(data)[0], used)
