"""What the measures of `rawback.metrics` say about pairs whose error is known."""

from __future__ import annotations

import dataclasses
import math
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.metrics import bits_per_pixel, error_over_sigma, highlight_psnr, raw_psnr
from rawback.types import Guide, Mosaic, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLACK = (100.0, 110.0, 120.0, 130.0)
WHITE = 4095


def frame(cfa: NDArray[np.uint16], noise: NoiseModel | None = None) -> RawFrame:
    return RawFrame(
        cfa=cfa,
        pattern="RGGB",
        black=BLACK,
        white=WHITE,
        neutral=(0.5, 1.0, 0.6),
        color_matrix=(1, 0, 0, 0, 1, 0, 0, 0, 1),
        noise=noise or NoiseModel(1e-4, 1e-6),
    )


def mosaic(signal: float, height: int = 600, width: int = 10) -> NDArray[np.uint16]:
    """A flat frame of that normalised signal, whatever the black of each position."""
    black = np.tile(np.array(BLACK).reshape(2, 2), (height // 2, width // 2))
    return np.rint(black + signal * (WHITE - black)).astype(np.uint16)


def guide(clipped: NDArray[np.bool_], covered: NDArray[np.bool_]) -> Guide:
    pixels = np.full((*clipped.shape, 3), 100, np.uint8)
    pixels[clipped, 1] = 254
    return Guide(pixels, covered.astype(np.uint8))


def test_identical_frames_are_infinitely_close() -> None:
    one = frame(mosaic(0.3))
    assert raw_psnr(one, one) == math.inf
    assert highlight_psnr(one, one, guide(one.cfa > 0, one.cfa > 0)) == math.inf
    assert error_over_sigma(one, one) == 0


def test_an_error_of_a_hundredth_of_full_scale_is_40_db() -> None:
    assert raw_psnr(frame(mosaic(0.3)), frame(mosaic(0.31))) == pytest.approx(40, abs=0.1)


def test_both_are_read_by_the_levels_of_the_original() -> None:
    original, restored = frame(mosaic(0.3)), frame(mosaic(0.31))
    other = dataclasses.replace(restored, black=(0.0, 0.0, 0.0, 0.0), white=9000)
    assert raw_psnr(original, other) == raw_psnr(original, restored)


def test_samples_beyond_the_levels_count_as_clipped() -> None:
    below, at_black = mosaic(0), mosaic(0)
    below -= 50
    assert raw_psnr(frame(below), frame(at_black)) == math.inf
    over, at_white = mosaic(1), mosaic(1)
    over += 50
    assert raw_psnr(frame(over), frame(at_white)) == math.inf


def test_the_mask_selects_the_samples_that_count() -> None:
    cfa = mosaic(0.3)
    cfa[400:] = mosaic(0.4)[400:]
    mask = np.ones(cfa.shape, np.uint8)
    assert raw_psnr(frame(mosaic(0.3)), frame(cfa), mask) < 30
    mask[400:] = 0
    assert raw_psnr(frame(mosaic(0.3)), frame(cfa), mask) == math.inf
    assert math.isnan(raw_psnr(frame(cfa), frame(cfa), np.zeros(cfa.shape, np.bool_)))


def test_highlights_are_covered_pixels_with_a_clipped_channel() -> None:
    original, restored = frame(mosaic(0.3)), mosaic(0.3)
    top = np.zeros(restored.shape, np.bool_)
    top[:100] = True
    everywhere = np.ones_like(top)
    restored[:50] = mosaic(0.4)[:50]
    assert highlight_psnr(original, frame(restored), guide(top, everywhere)) == pytest.approx(
        20 + 10 * math.log10(2), abs=0.05
    )
    lower = everywhere.copy()
    lower[:50] = False
    assert highlight_psnr(original, frame(restored), guide(top, lower)) == math.inf
    assert math.isnan(highlight_psnr(original, frame(restored), guide(~everywhere, everywhere)))


def test_an_error_as_large_as_the_noise_reads_one() -> None:
    noise = NoiseModel(1e-3, 1e-5)
    rng = np.random.default_rng(1)
    signal = rng.uniform(0.2, 0.7, (400, 400))
    sigma = np.sqrt(noise.scale * signal + noise.offset)
    black = np.tile(np.array(BLACK).reshape(2, 2), (200, 200))
    clean = np.rint(black + signal * (WHITE - black)).astype(np.uint16)
    noisy = signal + sigma * rng.standard_normal(signal.shape)
    noisy_cfa = np.rint(black + noisy * (WHITE - black)).astype(np.uint16)
    assert error_over_sigma(frame(clean, noise), frame(noisy_cfa)) == pytest.approx(1, abs=0.02)


def test_every_byte_counts_at_true_pixels() -> None:
    assert bits_per_pixel(750, frame(mosaic(0.3, 60, 100))) == 1.0


def test_frames_that_do_not_belong_together_are_refused() -> None:
    one = frame(mosaic(0.3))
    with pytest.raises(ValueError, match="cannot compare"):
        raw_psnr(one, frame(mosaic(0.3, 600, 12)))
    with pytest.raises(ValueError, match="cannot compare a BGGR frame with a RGGB one"):
        raw_psnr(one, dataclasses.replace(one, pattern="BGGR"))
    with pytest.raises(ValueError, match="cannot compare"):
        raw_psnr(one, one, np.ones((2, 2), np.uint8))
    with pytest.raises(ValueError, match="cannot compare"):
        highlight_psnr(one, one, guide(np.ones((2, 2), np.bool_), np.ones((2, 2), np.bool_)))


def test_memory_stays_small_on_large_frames() -> None:
    large = frame(mosaic(0.3, 2000, 3000))
    other = frame(mosaic(0.31, 2000, 3000))
    tracemalloc.start()
    raw_psnr(large, other)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"


@pytest.mark.parametrize("pattern", [X_TRANS, "RRGG/RRGG/GGBB/GGBB", "W", "R+G+B", "GMCY"])
def test_frames_of_every_kind_are_measured_by_the_levels_of_their_channels(pattern: str) -> None:
    channels = Mosaic.parse(pattern).colours
    samples = (3,) if pattern == "R+G+B" else ()
    black = tuple(100.0 + 200 * channel for channel in range(len(channels)))
    # Where black is a channel's own, the signal of a flat field is the same in all of them.
    levels = np.array(black)
    own = np.broadcast_to(levels, (600, 36, 3)) if samples else levels[_channel_map(pattern)]
    original, restored = (
        dataclasses.replace(
            frame(np.zeros((2, 2), np.uint16)),
            cfa=np.rint(own + signal * (WHITE - own)).astype(np.uint16),
            pattern=pattern,
            black=black,
            neutral=None,
            color_matrix=None,
        )
        for signal in (0.3, 0.31)
    )
    assert raw_psnr(original, restored) == pytest.approx(40, abs=0.2)
    mask = np.zeros((600, 36), bool)
    mask[300:, 7:] = True
    assert raw_psnr(original, restored, mask) == pytest.approx(40, abs=0.2)
    assert raw_psnr(original, original) == math.inf
    assert error_over_sigma(original, restored) == pytest.approx(
        0.01 / math.sqrt(1e-4 * 0.3 + 1e-6), rel=0.02
    )
    covered = np.ones((600, 36), bool)
    assert highlight_psnr(original, restored, guide(mask, covered)) == pytest.approx(40, abs=0.2)


def _channel_map(pattern: str) -> NDArray[np.intp]:
    """The channels of 600 x 36 samples."""
    mosaic = Mosaic.parse(pattern)
    rows, columns = mosaic.period
    return np.tile(np.array(mosaic.pattern), (600 // rows, 36 // columns))


def test_frames_of_two_kinds_are_not_compared() -> None:
    one = frame(mosaic(0.3))
    with pytest.raises(ValueError, match="cannot compare"):
        raw_psnr(one, dataclasses.replace(one, pattern="GBRG"))
