"""DNGs whose samples are codes that a table or a polynomial turns into light."""

from __future__ import annotations

import struct
import zlib

import imagecodecs
import numpy as np
import pytest

from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag

from .dng_images import (
    DEFLATE,
    HEIGHT,
    JPEG,
    LOSSY_JPEG,
    SHORT,
    TILE,
    UNDEFINED,
    WIDTH,
    MakeTiff,
    cut,
    image,
    packed,
    tags_of,
)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("compression", [LOSSY_JPEG, JPEG])
def test_lossy_jpeg_with_a_linearisation_table(
    make_tiff: MakeTiff, samples: int, compression: int
) -> None:
    ramp = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH))[..., None]
    whole = np.repeat(ramp, samples, axis=2).astype(np.uint16)
    table = [min(code * code, 65535) for code in range(200)]
    coded = [
        imagecodecs.jpeg8_encode(np.ascontiguousarray(np.squeeze(c)).astype(np.uint8), level=95)
        for c in cut(whole, tiled=True)
    ]
    tags = tags_of(samples, 8, compression, tiled=True, LINEARIZATION_TABLE=(SHORT, *table))
    tags[Tag.WHITE_LEVEL] = (SHORT, *[40000] * samples)
    frame = read_raw(make_tiff(whole, tags, chunks=coded))
    tiles = [imagecodecs.jpeg8_decode(c).reshape(*TILE, samples) for c in coded]
    rows = [np.concatenate(tiles[k : k + 2], axis=1) for k in (0, 2)]
    expected = np.array(table)[np.concatenate(rows)[:HEIGHT, :WIDTH]]
    np.testing.assert_array_equal(frame.cfa, np.squeeze(expected))
    assert frame.white == 40000
    # The table is applied, so nothing says that it should be again.
    assert Tag.LINEARIZATION_TABLE not in read_raw(write_dng(frame)).metadata


def opcode(number: int, body: bytes) -> bytes:
    return struct.pack(">4I", number, 0x01030000, 0, len(body)) + body


def polynomial(plane: int, planes: int, *coefficients: float) -> bytes:
    degree = len(coefficients) - 1
    numbers = (0, 0, HEIGHT, WIDTH, plane, planes, 1, 1, degree)
    return opcode(8, struct.pack(f">9I{degree + 1}d", *numbers, *coefficients))


def test_curves_of_lossy_samples_are_applied(make_tiff: MakeTiff) -> None:
    whole = np.tile(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1) % 256, 3).astype(np.uint16)
    gain = opcode(9, bytes(80))
    opcodes = [polynomial(0, 1, 0, 0, 1), polynomial(1, 2, 0, 0.25, 0, 0.75), gain]
    listed = struct.pack(">I", len(opcodes)) + b"".join(opcodes)
    tags = tags_of(3, 8, DEFLATE, tiled=False, OPCODE_LIST_2=(UNDEFINED, *listed))
    tags[Tag.WHITE_LEVEL] = (SHORT, 255, 255, 255)
    chunks = [zlib.compress(packed(chunk, 8, "<")) for chunk in cut(whole, tiled=False)]
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    x = whole[..., 0] / 255
    np.testing.assert_allclose(frame.cfa[..., 0], 65535 * x**2, atol=1)
    for plane in (1, 2):
        np.testing.assert_allclose(frame.cfa[..., plane], 65535 * (x / 4 + x**3 * 0.75), atol=1)
    assert (frame.white, frame.black) == (65535, (0, 0, 0))
    left = frame.metadata.get(Tag.OPCODE_LIST_2)
    assert left is not None
    assert left.data == struct.pack(">I", 1) + gain


def test_curves_of_single_places_are_left_to_the_editor(make_tiff: MakeTiff) -> None:
    whole = image(3, 8)
    part = bytearray(polynomial(0, 3, 0, 0, 1))
    part[16:20] = struct.pack(">I", 5)  # from the sixth row on
    listed = struct.pack(">I", 1) + bytes(part)
    tags = tags_of(3, 8, DEFLATE, tiled=False, OPCODE_LIST_2=(UNDEFINED, *listed))
    chunks = [zlib.compress(packed(chunk, 8, "<")) for chunk in cut(whole, tiled=False)]
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, whole)
    kept = frame.metadata.get(Tag.OPCODE_LIST_2)
    assert kept is not None
    assert kept.data == listed
