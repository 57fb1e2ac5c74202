"""Raws that cannot be found on their JPEG, and payloads that need nothing of it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import rawback
from rawback import container, rawio

Shot = tuple[bytes, bytes]


def jpeg_of(pixels: np.ndarray, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.fixture(params=["bias", "flat field", "white"])
def even_shot(request: pytest.FixtureRequest, shot: Shot) -> Shot:
    """A calibration frame of the sample's camera, and a JPEG of its size."""
    frame = rawio.read_raw(shot[0])
    rng = np.random.default_rng(3)
    black, white = frame.black[0], frame.white
    level = {"bias": black, "flat field": (black + white) / 3, "white": 2 * white}[request.param]
    counts = (level + rng.normal(0, 6, frame.cfa.shape)).round().clip(0, white)
    grey = round(255 * min(max(level - black, 0) / (white - black), 1))
    pixels = np.full((*frame.cfa.shape, 3), grey, np.uint8)
    raw = rawio.write_dng(replace(frame, cfa=counts.astype(np.uint16)))
    return raw, jpeg_of(pixels)


class TestEvenFrames:
    def test_lossless_simply_works(self, even_shot: Shot) -> None:
        carrier, result = rawback.embed_bytes(*even_shot, rate=rawback.Rate.lossless())
        assert result.exact
        restored = rawio.read_raw(rawback.restore_bytes(carrier)[0]).cfa
        np.testing.assert_array_equal(restored, rawio.read_raw(even_shot[0]).cfa)
        alone, _ = rawback.embed_bytes(*even_shot, rate=rawback.Rate.lossless(), unguided=True)
        assert len(carrier) <= len(alone)

    def test_lossy_says_what_to_do(self, even_shot: Shot) -> None:
        with pytest.raises(rawback.NothingToRegister, match=r"too little .* lossless, or unguided"):
            rawback.embed_bytes(*even_shot)
        _, result = rawback.embed_bytes(*even_shot, unguided=True)
        assert not result.guided


@pytest.fixture(scope="module")
def unguided(shot: Shot) -> bytes:
    """A carrier that does not show its raw."""
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 256, (10, 13, 3)).astype(np.uint8))
    other = np.asarray(coarse.resize((160, 120), Image.Resampling.BICUBIC))
    carrier, _ = rawback.embed_bytes(
        shot[0], jpeg_of(other), rate=rawback.Rate.quality(60), unguided=True
    )
    return carrier


class TestUnguidedCarriers:
    def test_nothing_hangs_on_the_pixels(self, unguided: bytes) -> None:
        expected, _ = rawback.restore_bytes(unguided)
        payload = container.extract_payload(unguided)
        cfa = rawio.read_raw(expected).cfa
        with Image.open(io.BytesIO(unguided)) as picture:
            pixels = np.asarray(picture)
        for changed in (np.rot90(pixels), pixels[40:], 255 - pixels, pixels[:1, :1]):
            carrier = container.embed_payload(jpeg_of(np.ascontiguousarray(changed)), payload)
            for salvage in (False, True):
                dng, _ = rawback.restore_bytes(carrier, salvage=salvage)
                np.testing.assert_array_equal(rawio.read_raw(dng).cfa, cfa)
            assert rawback.verify(carrier).status == "intact"

    def test_a_guided_one_is_refused_then(self, shot: Shot) -> None:
        carrier, _ = rawback.embed_bytes(*shot)
        payload = container.extract_payload(carrier)
        with Image.open(io.BytesIO(carrier)) as picture:
            changed = np.ascontiguousarray(np.rot90(np.asarray(picture), 2))
        turned = container.embed_payload(jpeg_of(changed), payload)
        with pytest.raises(rawback.PixelsChanged, match="was not edited"):
            rawback.restore_bytes(turned)
        assert rawback.verify(turned).status == "pixels changed"
