"""The noise that is put into a frame is the noise that is found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np
import pytest
from scipy import stats

from rawback.rawio import estimate_noise, read_raw
from rawback.rawio.noise import _mean_below, _quantile
from rawback.rendering import lines_of_channels
from rawback.types import BayerPattern, Mosaic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BLACK, WHITE = 256, 4095
X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
KINDS = (
    *(X_TRANS, "RRGG/RRGG/GGBB/GGBB", "WRWG/RWGW/WGWB/GWBW", "GMCY", "CYYM", "W", "R+G+B"),
    # A colour so rare that it takes several periods to fit a plane to.
    "WWWW/WRWG/WWWW/WGWB",
)
FULL = WHITE - BLACK


def noisy(
    scale: float,
    offset: float,
    *,
    texture: float = 0.0,
    step: int = 1,
    top: float = 0.9,
    shape: tuple[int, int] = (800, 1200),
) -> NDArray[np.uint16]:
    """A ramp with patches of texture, with noise, in sample codes of this step."""
    random = np.random.default_rng(7)
    grain = cv2.GaussianBlur(random.normal(size=shape), (0, 0), 2.0)
    patches = cv2.GaussianBlur(random.normal(size=shape), (0, 0), 40.0) > 0
    signal = np.linspace(0, top, shape[1])[None, :] * (1 + texture / grain.std() * grain * patches)
    signal = np.clip(signal, 0, 1)
    signal += random.normal(size=shape) * np.sqrt(scale * signal + offset)
    codes = np.round((signal * FULL + BLACK) / step) * step
    return np.asarray(np.clip(codes, 0, WHITE), dtype=np.uint16)


def estimate(cfa: NDArray[np.uint16]) -> tuple[float, float]:
    model = estimate_noise(cfa, "RGGB", (BLACK,) * 4, WHITE)
    return model.scale, model.offset


@pytest.mark.parametrize("texture", [0.0, 0.1, 0.3])
@pytest.mark.parametrize(
    ("scale", "offset"), [(3e-5, 1e-7), (1e-4, 1e-6), (1e-3, 1e-5), (5e-3, 1e-4)]
)
def test_known_noise_is_found(scale: float, offset: float, texture: float) -> None:
    found_scale, found_offset = estimate(noisy(scale, offset, texture=texture))
    assert found_scale == pytest.approx(scale, rel=0.2)
    for signal in (0.02, 0.18, 0.7):
        found = found_scale * signal + found_offset
        assert found == pytest.approx(scale * signal + offset, rel=0.25)


@pytest.mark.parametrize("texture", [0.0, 0.1])
def test_coarse_codes_count_as_noise(texture: float) -> None:
    step = 16
    scale, offset = estimate(noisy(1e-4, 1e-6, texture=texture, step=step))
    quantisation = (step / FULL) ** 2 / 12
    assert scale == pytest.approx(1e-4, rel=0.25)
    assert offset == pytest.approx(1e-6 + quantisation, rel=0.5)


def test_codes_coarser_than_the_noise_set_a_floor() -> None:
    step = 64
    _, offset = estimate(noisy(1e-6, 1e-8, step=step))
    assert offset >= (step / FULL) ** 2 / 12 * 0.999


def test_clipped_samples_do_not_count() -> None:
    scale, _ = estimate(noisy(1e-3, 1e-5, top=1.6))
    assert scale == pytest.approx(1e-3, rel=0.2)


@pytest.mark.parametrize("pattern", get_args(BayerPattern))
def test_any_pattern(pattern: BayerPattern) -> None:
    model = estimate_noise(noisy(1e-3, 1e-5), pattern, (BLACK,) * 4, WHITE)
    assert model.scale == pytest.approx(1e-3, rel=0.2)


@pytest.mark.parametrize("texture", [0.0, 0.1])
@pytest.mark.parametrize(("scale", "offset"), [(1e-4, 1e-6), (1e-3, 1e-5)])
@pytest.mark.parametrize("pattern", KINDS)
def test_frames_of_every_kind(pattern: str, scale: float, offset: float, texture: float) -> None:
    mosaic = Mosaic.parse(pattern)
    black = tuple(float(BLACK + 10 * channel) for channel in range(len(mosaic.colours)))
    cfa = noisy(scale, offset, texture=texture, shape=(480, 600))
    if mosaic.pattern:
        for lines, channels in lines_of_channels(mosaic, cfa.shape[1]):
            cfa[lines] += (10 * channels).astype(np.uint16)
    else:
        # Each plane has noise of its own: neighbours of the first.
        planes = [np.roll(cfa, shift, axis=0) for shift in (0, 1, 2)]
        cfa = np.stack([plane + 10 * k for k, plane in enumerate(planes)], axis=2).astype(np.uint16)
    model = estimate_noise(cfa, pattern, black, WHITE)
    for signal in (0.02, 0.18, 0.7):
        found = model.scale * signal + model.offset
        assert found == pytest.approx(scale * signal + offset, rel=0.3)


@pytest.mark.parametrize("pattern", KINDS)
@pytest.mark.parametrize("shape", [(2, 2), (5, 300), (40, 40)])
def test_small_frames_of_every_kind_give_a_sane_model(pattern: str, shape: tuple[int, int]) -> None:
    mosaic = Mosaic.parse(pattern)
    sizes = (*shape, 3) if mosaic.samples > 1 else shape
    cfa = np.random.default_rng(2).integers(0, 4096, sizes).astype(np.uint16)
    model = estimate_noise(cfa, pattern, (0.0,) * len(mosaic.colours), WHITE)
    assert 0 < model.scale <= 0.5
    assert 0 < model.offset <= 0.5


def test_one_signal_level_gives_its_variance() -> None:
    random = np.random.default_rng(1)
    sigma = 0.01
    cfa = np.clip((0.3 + sigma * random.normal(size=(400, 400))) * FULL + BLACK, 0, WHITE)
    scale, offset = estimate(cfa.astype(np.uint16))
    assert scale * 0.3 + offset == pytest.approx(sigma**2, rel=0.1)


@pytest.mark.parametrize(
    "cfa",
    [
        np.full((200, 200), 1000),
        np.full((200, 200), WHITE),
        np.full((200, 200), BLACK),
        np.zeros((200, 200)),
        np.full((2, 2), 1000),
        np.full((3, 500), 1000),
        np.arange(81).reshape(9, 9) * 40,
        np.random.default_rng(0).integers(0, 65536, (64, 65)),
        np.indices((100, 100)).sum(axis=0) % 2 * 3000,
    ],
    ids=["flat", "white", "black", "zero", "tiny", "thin", "small", "random", "chequered"],
)
def test_weird_frames_give_a_sane_model(cfa: NDArray[np.int64]) -> None:
    scale, offset = estimate(cfa.astype(np.uint16))
    assert 0 < scale <= 0.5
    assert 1 / FULL**2 / 12 * 0.999 <= offset <= 0.5


@pytest.mark.parametrize(
    ("file", "least", "most"),
    [("canon_550d_chart", 55, 85), ("phone_night", 25, 40), ("machinevision_outdoor1", 4, 8)],
)
def test_mid_grey_of_real_frames(real_data: Path, file: str, least: float, most: float) -> None:
    frame = read_raw(real_data / "real" / f"{file}.dng")
    variance = frame.noise.scale * 0.18 + frame.noise.offset
    assert least < np.sqrt(variance) * (frame.white - frame.black[0]) < most


@pytest.mark.parametrize("freedom", [1.06, 9.5, 51.8, 200.0, 5000.0])
@pytest.mark.parametrize("probability", [0.1, 0.2, 0.7])
def test_chi_square_is_that_of_scipy(freedom: float, probability: float) -> None:
    limit = _quantile(probability, freedom)
    assert limit == pytest.approx(stats.chi2.ppf(probability, freedom) / freedom, rel=1e-9)
    below = stats.chi2.cdf(limit * freedom, freedom + 2) / probability
    assert _mean_below(limit, freedom) == pytest.approx(below, rel=1e-9)
