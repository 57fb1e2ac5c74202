"""Compiled coding loops and the second decoder's plain Python read any bytes alike."""

from __future__ import annotations

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
    Quantiser,
    TileCoefficients,
    TileContext,
    class_pyramid,
    decode_layer,
    decode_lossless,
    encode_layer,
    encode_lossless,
    mean_pyramid,
)
from rawback.residual.lossless import ACTIVITIES, FEATURES

from .second_decoder.exact import ExactTile, Sensor
from .second_decoder.layers import Parameters, TileResidual
from .second_decoder.stored import Stored, load_stored

if TYPE_CHECKING:
    from .second_decoder.arrays import Ints
    from .second_decoder.domain import Domain

PACKAGE = Path(__file__).parents[2] / "core" / "rawback"
SHAPES = [(1, 1), (3, 2), (19, 26)]


@pytest.fixture(scope="module")
def stored() -> Stored:
    return load_stored(PACKAGE / "common", PACKAGE / "weights")


class EvenNoise:
    """A domain in which the noise is everywhere the same."""

    def residual_scale(self, base: Ints, power: int) -> Ints:
        del power
        return np.full_like(base, 200)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["coded", "random", "ones", "none"])
def test_layers(stored: Stored, shape: tuple[int, int], kind: str) -> None:
    rng = np.random.default_rng(shape[0])
    matrix = rng.integers(-128, 128, (4, 4)).astype(np.int8)
    planes = rng.integers(-4000, 8000, (4, *shape)).astype(np.int16)
    classes = rng.integers(0, 5, shape).astype(np.uint8)
    light = mean_pyramid(np.full(shape, 65536 // 200, np.int32))
    noise = {band: values.astype(np.uint16) for band, values in light.items()}
    context = TileContext.of(planes, class_pyramid(classes), noise, KLT(matrix))
    slopes = (0, 13, 29, 21)
    given = Parameters([], 0, matrix.astype(np.int64), [*slopes], [])
    domain = cast("Domain", EvenNoise())
    twin = TileResidual(
        stored.tables, domain, given, planes.astype(np.int64), classes.astype(np.int64)
    )
    model, written = coding_tables().layers, TileCoefficients.zeros(shape)
    read = TileCoefficients.zeros(shape)
    for layer, code in enumerate((210, 178, 146)):
        quantiser = Quantiser(code, slopes=slopes)
        indices = {
            band: np.rint(rng.laplace(0, 2 << layer, values.shape)).astype(np.int32)
            for band, values in written.bands().items()
        }
        if layer:
            # Refinements of what was there: one bit more, or +-1 where there was nothing.
            for band, before in written.bands().items():
                more = rng.integers(0, 2, before.shape)
                sign = np.where(before == 0, rng.choice([-1, 1], before.shape), np.sign(before))
                indices[band] = (2 * before + sign * more).astype(np.int32)
        data = {
            "coded": encode_layer(model, context, written, quantiser, indices) or b"",
            "random": rng.bytes(300),
            "ones": b"\xff" * 300,
            "none": b"",
        }[kind]
        decode_layer(model, context, read, quantiser, data)
        twin.decode(data, layer, code)
        views = read.bands()
        for component in range(4):
            for there, index in twin.indices[component].items():
                own = views[Band(there.level, there.down, there.across)][component]
                assert np.array_equal(own, index)


@pytest.mark.parametrize("quads", [(1, 1), (2, 3), (13, 17)])
@pytest.mark.parametrize("codes", [1, 2, 40, 5000])
@pytest.mark.parametrize("kind", ["coded", "random", "ones"])
def test_lossless(stored: Stored, quads: tuple[int, int], codes: int, kind: str) -> None:
    rng = np.random.default_rng(codes)
    shape = (2 * quads[0], 2 * quads[1])
    values = np.sort(rng.integers(-900, 12_000, (4, codes)), axis=1).astype(np.int32)
    indices = rng.integers(0, codes, shape).astype(np.int32)
    planes = rng.integers(-2000, 14_000, (4, *quads)).astype(np.int32)
    classes = rng.integers(0, 5, quads).astype(np.uint8)
    weights = rng.integers(-200, 201, (ACTIVITIES, 4, FEATURES)).astype(np.int32)
    mosaic = Mosaic.parse("GRBG")
    tile, domain = LosslessTile.of(planes, classes, mosaic), CodeIndexDomain(values)
    start, model = coding_tables().lossless, LosslessModel(weights)
    data = {
        "coded": encode_lossless(start, model, domain, tile, indices),
        "random": rng.bytes(200),
        "ones": b"\xff" * 200,
    }[kind]
    found = decode_lossless(start, model, domain, tile, data)
    sensor = Sensor(np.arange(codes), values.tolist(), weights.tolist(), [1, 0, 0, 1])
    twin = ExactTile(
        sensor, stored.tables, data, tile.restored.astype(np.int64), classes.astype(np.int64)
    )
    assert np.array_equal(found, twin.samples())
    if kind == "coded":
        assert np.array_equal(found, indices)
