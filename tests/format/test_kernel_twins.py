"""Compiled coding loops and the second decoder's plain Python read any bytes alike."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from rawback.common.coding_tables import coding_tables
from rawback.mosaic import Mosaic
from rawback.residual import (
    KLT,
    Band,
    CodeIndexDomain,
    LosslessModel,
    LosslessTile,
    Pixels,
    Quantiser,
    TileCoefficients,
    TileContext,
    class_pyramid,
    decode_layer,
    decode_lossless,
    encode_layer,
    encode_lossless,
    list_numbers,
    mean_pyramid,
    phases_of,
)
from rawback.residual.lossless import INPUTS

from .second_decoder.exact import ExactTile, Fitted, Layout, Sensor
from .second_decoder.layers import Parameters, TileResidual
from .second_decoder.mosaics import Frame, pattern_of
from .second_decoder.stored import Stored, load_stored

if TYPE_CHECKING:
    from .second_decoder.arrays import Ints
    from .second_decoder.domain import Domain

PACKAGE = Path(__file__).parents[2] / "core" / "rawback"
XTRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
SHAPES = [(1, 1), (3, 2), (19, 26)]


@pytest.fixture(scope="module")
def stored() -> Stored:
    return load_stored(PACKAGE / "common", PACKAGE / "weights")


class EvenNoise:
    """A domain in which the noise is everywhere the same."""

    def residual_scale(self, base: Ints, power: int) -> Ints:
        del power
        return np.full_like(base, 200)


@pytest.mark.parametrize(
    ("count", "shape"),
    [*((4, shape) for shape in SHAPES), (3, (5, 6)), (2, (6, 141)), (9, (11, 8)), (16, (7, 9))],
)
@pytest.mark.parametrize("kind", ["coded", "sparse", "random", "ones", "none"])
def test_layers(stored: Stored, count: int, shape: tuple[int, int], kind: str) -> None:
    rng = np.random.default_rng(shape[0])
    matrix = rng.integers(-128, 128, (count, count)).astype(np.int8)
    planes = rng.integers(-4000, 8000, (count, *shape)).astype(np.int16)
    classes = rng.integers(0, 5, shape).astype(np.uint8)
    light = mean_pyramid(np.full(shape, 65536 // 200, np.int32))
    noise = {band: values.astype(np.uint16) for band, values in light.items()}
    context = TileContext.of(planes, class_pyramid(classes), noise, KLT(matrix))
    slopes = (0, 13, 29, 21, *range(12))[:count]
    given = Parameters([], 0, matrix.astype(np.int64), [*slopes], [])
    domain = cast("Domain", EvenNoise())
    twin = TileResidual(
        stored.tables, domain, given, planes.astype(np.int64), classes.astype(np.int64)
    )
    model, written = coding_tables().layers, TileCoefficients.zeros(shape, count)
    read = TileCoefficients.zeros(shape, count)
    for layer, code in enumerate((210, 178, 146)):
        quantiser = Quantiser(code, slopes=slopes)
        indices = {
            band: np.rint(rng.laplace(0, 2 << layer, values.shape)).astype(np.int32)
            for band, values in written.bands().items()
        }
        if kind == "sparse":
            for index in indices.values():
                index[rng.random(index.shape) < 0.99] = 0
        if layer:
            # Refinements of what was there: one bit more, or +-1 where there was nothing.
            for band, before in written.bands().items():
                more = rng.random(before.shape) < (0.02 if kind == "sparse" else 0.5)
                sign = np.where(before == 0, rng.choice([-1, 1], before.shape), np.sign(before))
                indices[band] = (2 * before + sign * more).astype(np.int32)
        coded = encode_layer(model, context, written, quantiser, indices) or b""
        data = {
            "random": rng.bytes(300),
            "ones": b"\xff" * 300,
            "none": b"",
        }.get(kind, coded)
        decode_layer(model, context, read, quantiser, data)
        twin.decode(data, layer, code)
        views = read.bands()
        for component in range(count):
            for there, known in twin.indices[component].items():
                own = views[Band(there.level, there.down, there.across)][component]
                assert np.array_equal(own, known)


@pytest.mark.parametrize(
    ("pattern", "cells"),
    [
        *(("GRBG", cells) for cells in ((1, 1), (2, 3), (13, 17))),
        *((pattern, (4, 5)) for pattern in (XTRANS, "RRGG/RRGG/GGBB/GGBB", "W", "RGBGG")),
        *(("R+G+B", cells) for cells in ((1, 1), (13, 17))),
    ],
)
@pytest.mark.parametrize("codes", [1, 2, 40, 5000])
@pytest.mark.parametrize("kind", ["coded", "random", "ones"])
@pytest.mark.parametrize(
    ("pixels", "by_phase"),
    [*product(Pixels, [False]), *product((Pixels.PLAIN, Pixels.INTERPOLATED), [True])],
)
def test_lossless(
    stored: Stored,
    pattern: str,
    cells: tuple[int, int],
    codes: int,
    kind: str,
    pixels: Pixels,
    by_phase: bool,
) -> None:
    rng = np.random.default_rng(codes)
    mosaic, place = Mosaic.parse(pattern), (3, 1)
    shape, channels = (mosaic.cell * cells[0], mosaic.across * cells[1]), len(mosaic.colours)
    lists = channels * phases_of(mosaic) if by_phase else channels
    values = np.sort(rng.integers(-900, 12_000, (lists, codes)), axis=1).astype(np.int32)
    lengths = rng.integers(max(codes - 9, 1), codes + 1, lists).astype(np.int32)
    own = [np.sort(rng.choice(min(6 * codes, 65536), length, replace=False)) for length in lengths]
    used = np.stack([np.pad(row, (0, codes - len(row)), mode="edge") for row in own])
    for row, length in zip(values, lengths, strict=True):
        row[length:] = row[length - 1]
    indices = rng.integers(0, lengths.min(), shape).astype(np.int32)
    planes = rng.integers(-2000, 14_000, (mosaic.planes, *cells)).astype(np.int32)
    classes = rng.integers(0, 5, cells).astype(np.uint8)
    if pixels:
        indices[..., 3:] = np.where(rng.random(indices[..., 3:].shape) < 0.9, 0, indices[..., 3:])
    phases = phases_of(mosaic)
    weights = rng.integers(-100, 101, (channels * phases, INPUTS)).astype(np.int32)
    scales = rng.integers(-2, 20, (channels, INPUTS)).astype(np.int32)
    tile, domain = (
        LosslessTile.of(planes, classes, mosaic, place),
        CodeIndexDomain(values, used.astype(np.int32), lengths),
    )
    start, model = coding_tables().lossless, LosslessModel(weights, scales, pixels)
    data = {
        "coded": encode_lossless(start, model, domain, tile, indices),
        "random": rng.bytes(200),
        "ones": b"\xff" * 200,
    }[kind]
    found = decode_lossless(start, model, domain, tile, data)
    fitted = Fitted(
        weights.reshape(channels, phases, INPUTS).astype(np.int64),
        scales.astype(np.int64),
        pixels,
    )
    rows_of = [row[:length].tolist() for row, length in zip(values, lengths, strict=True)]
    sensor = Sensor(own, rows_of, fitted)
    top, left = place
    rows, columns = slice(top, top + cells[0]), slice(left, left + cells[1])
    whole = Frame(pattern_of(pattern), mosaic.cell * rows.stop, mosaic.cell * columns.stop)
    layout = Layout.of(whole, rows, columns)
    known = tile.restored.astype(np.int64), classes.astype(np.int64)
    twin = ExactTile(sensor, stored.tables, data, *known, layout)
    numbers = list_numbers(lists, mosaic, shape, place)
    assert np.array_equal(domain.codes[numbers, found], twin.samples())
    if kind == "coded":
        assert np.array_equal(found, indices)
