"""DNGs of floating point numbers: embedded, restored, made smaller, checked."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rawpy
import tifffile

import rawback
from rawback import rawio
from rawback.floats import linear_scale
from rawback.metadata import TiffType
from rawback.rawio import Tag
from rawback.rawio.describe import number_entry
from rawback.types import Border, Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

Shot = tuple[bytes, bytes]
AREA = 4, 6, 124, 166


def bits(raw: bytes) -> NDArray[np.uint32]:
    """The bits of all samples of a DNG, as an independent reader sees them."""
    return np.asarray(tifffile.imread(io.BytesIO(raw)), np.float32).view(np.uint32)


@pytest.fixture(scope="module")
def float_shot(shot: Shot) -> Shot:
    """The small shot, its samples as numbers of single precision with something around them."""
    frame = rawio.read_raw(shot[0])
    black = np.mean(frame.black)
    random = np.random.default_rng(4)
    whole = random.normal(0, 1e-3, (126, 170)).astype(np.float32)
    signal = (frame.cfa - black) / (frame.white - black)
    whole[4:124, 6:166] = signal * random.normal(1, 1e-4, signal.shape)
    whole[10, 20:26] = [-0.0, np.nan, np.inf, -2.5, 3.0, 1e-42]
    scale = linear_scale(1.0)
    codes, remainders = scale.codes.split(whole)
    inside = np.s_[4:124, 6:166]
    area = number_entry(Tag.ACTIVE_AREA, TiffType.SHORT, AREA, frame.metadata.order)
    white = number_entry(Tag.WHITE_LEVEL, TiffType.SHORT, [1], frame.metadata.order)
    kept = frame.metadata.without(Tag.BLACK_LEVEL, Tag.BLACK_LEVEL_REPEAT_DIM, Tag.NOISE_PROFILE)
    made = replace(
        frame,
        cfa=np.ascontiguousarray(codes[inside]),
        black=(8192.0,) * 4,
        white=40960,
        metadata=kept.updated([area, white]),
        border=Border.around(codes, AREA),
        floats=Floats(
            scale, np.ascontiguousarray(remainders[inside]), Border.around(remainders, AREA)
        ),
        black_offsets=None,
    )
    raw = rawio.write_dng(made)
    assert np.array_equal(bits(raw), whole.view(np.uint32))
    return raw, shot[1]


@pytest.fixture(scope="module")
def carrier(float_shot: Shot) -> bytes:
    data, result = rawback.embed_bytes(*float_shot, rate=rawback.Rate.lossless())
    assert result.exact
    assert result.verified
    return data


def test_every_bit_of_every_sample_comes_back(float_shot: Shot, carrier: bytes) -> None:
    for compress in (False, True):
        dng, result = rawback.restore_bytes(carrier, compress=compress)
        assert result.exact
        assert np.array_equal(bits(dng), bits(float_shot[0]))
    info = rawback.inspect(carrier)
    assert info.exact
    assert {"remainder", "border"} <= {section.kind for section in info.sections}
    found = rawback.verify(carrier, raw=float_shot[0])
    assert (found.status, found.exact) == ("intact", True)


def test_another_raw_is_told_from_it_by_a_single_bit(float_shot: Shot, carrier: bytes) -> None:
    raw = bytearray(float_shot[0])
    sample = struct.pack("<f", bits(float_shot[0])[60, 80].view(np.float32))
    at = raw.rindex(sample)
    raw[at] ^= 1
    assert not rawback.verify(carrier, raw=bytes(raw)).exact
    at = len(raw) - 4  # around the visible area
    other = bytearray(float_shot[0])
    other[at] ^= 1
    assert not rawback.verify(carrier, raw=bytes(other)).exact


def test_parts(float_shot: Shot, carrier: bytes) -> None:
    part, _ = rawback.restore_bytes(carrier, region=(31, 17, 45, 22))
    expected = bits(float_shot[0])[4:124, 6:166][17:39, 31:76]
    assert np.array_equal(bits(part), expected)


def test_smaller_carriers_are_no_longer_exact(float_shot: Shot, carrier: bytes) -> None:
    info = rawback.inspect(carrier)
    last = [section.bytes for section in info.sections if section.kind == "remainder"][-1]
    size = info.payload_bytes - last
    smaller, result = rawback.shrink_bytes(carrier, size)
    assert result.payload_bytes <= size
    dng, restored = rawback.restore_bytes(smaller)
    assert not restored.exact
    assert not rawback.inspect(smaller).exact
    inside = np.s_[4:124, 6:166]
    whole = bits(float_shot[0])[inside].view(np.float32)
    found = rawio.read_raw(dng).whole_numbers[inside]
    usual = np.isfinite(whole) & (np.abs(whole) < 1)
    assert np.abs(found[usual] - whole[usual]).max() < 2.0**-15


def test_lossy_carriers_render_alike(float_shot: Shot) -> None:
    carrier, result = rawback.embed_bytes(*float_shot, rate=rawback.Rate.quality(70))
    assert not result.exact
    assert result.psnr_db > 38
    dng, restored = rawback.restore_bytes(carrier)
    assert not restored.exact
    frame, again = rawio.read_raw(float_shot[0]), rawio.read_raw(dng)
    assert again.floats is not None
    assert (again.white, again.black) == (frame.white, frame.black)
    with rawpy.imread(io.BytesIO(dng)) as raw:
        assert raw.raw_image_visible.shape == frame.cfa.shape


def test_samples_are_what_they_are_without_metadata(float_shot: Shot) -> None:
    carrier, _ = rawback.embed_bytes(
        *float_shot, rate=rawback.Rate.lossless(), metadata="rendering"
    )
    dng, result = rawback.restore_bytes(carrier)
    assert result.exact
    assert np.array_equal(bits(dng), bits(float_shot[0]))


def test_the_file_itself_is_stored_whole(float_shot: Shot) -> None:
    with pytest.raises(rawback.OriginalUnavailable, match="floating point"):
        rawback.embed_bytes(*float_shot, original=True)
    carrier, _ = rawback.embed_bytes(*float_shot, original="store")
    assert rawback.restore_bytes(carrier, original=True)[0] == float_shot[0]


def test_the_worst_error_is_one_of_numbers(float_shot: Shot) -> None:
    data, result = rawback.embed_bytes(*float_shot, rate=rawback.Rate.quality(30))
    dng, _ = rawback.restore_bytes(data)
    first, second = (bits(raw).view(np.float32)[4:124, 6:166] for raw in (float_shot[0], dng))
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second)
    worst = apart[np.isfinite(apart)].max()
    assert 0 < worst < 3
    assert result.worst_error == worst
    assert rawback.verify(data, raw=float_shot[0]).worst_error == worst
