"""Linear DNGs of 8 bits written with their samples in 16."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rawpy
import tifffile

from rawback import rawio
from rawback_lab.wide_samples import widened

CODES = np.random.default_rng(5).integers(0, 256, (70, 90, 3), np.uint8)
TABLE = (np.arange(256) ** 2).astype(np.uint16)
WHITE_LEVEL, LINEARIZATION, OPCODES = 50717, 50712, 51009


def dng_of(*tags: tuple[int, int, int, Any]) -> bytes:
    """The codes as a linear DNG of tiles, with more tags."""
    file = io.BytesIO()
    matrix = tuple(n for value in (1, 0, 0, 0, 1, 0, 0, 0, 1) for n in (value, 1))
    described: list[Any] = [
        (50706, 1, 4, b"\x01\x04\x00\x00"),
        (50708, 2, 0, "Made up"),
        (50721, 10, 9, matrix),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1)),
        (WHITE_LEVEL, 4, 3, (255 if not tags else 65535,) * 3),
    ]
    described += tags
    tifffile.imwrite(
        file, CODES, photometric=34892, tile=(64, 64), extratags=described, metadata=None
    )
    return file.getvalue()


def samples_of(dng: bytes) -> np.ndarray:
    with rawpy.imread(io.BytesIO(dng)) as raw:
        return np.array(raw.raw_image)[..., :3]


def polynomial(*factors: float, kind: int = 8) -> bytes:
    body = struct.pack(">9I", 0, 0, *CODES.shape[:2], 0, 3, 1, 1, len(factors) - 1)
    body += struct.pack(f">{len(factors)}d", *factors)
    return struct.pack(">5I", 1, kind, 0x01030000, 0, len(body)) + body


def test_samples_go_through_the_linearization_table() -> None:
    dng = dng_of((LINEARIZATION, 3, 256, tuple(TABLE.tolist())))
    wide = widened(dng)
    assert wide is not None
    assert np.array_equal(samples_of(wide), TABLE[CODES])
    assert np.array_equal(samples_of(wide), samples_of(dng)), "LibRaw reads the original so too"


def test_samples_go_through_polynomials() -> None:
    wide = widened(dng_of((OPCODES, 7, 0, polynomial(0.0, 0.25, 0.75))))
    assert wide is not None
    light = CODES / 255
    expected = np.rint(65535 * (0.25 * light + 0.75 * light**2))
    assert np.array_equal(samples_of(wide), expected)
    assert rawio.read_raw(wide).white == 65535


def test_samples_without_either_fill_16_bits() -> None:
    wide = widened(dng_of())
    assert wide is not None
    assert np.array_equal(samples_of(wide), CODES * np.uint16(257))


def test_another_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="operation 7"):
        widened(dng_of((OPCODES, 7, 0, polynomial(1.0, kind=7))))


def test_other_raws_are_left_alone() -> None:
    assert widened((Path(__file__).parents[2] / "assets/sample.dng").read_bytes()) is None
