"""What an observer sees of the difference of two raws."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from scipy.ndimage import convolve1d
from scipy.stats import spearmanr

from rawback.metrics import delta_e_2000, lab_from_linear, visible_differences, visible_errors
from rawback.metrics import visible as visible_module
from rawback.metrics.scielab import GAUSSIANS, OPPONENT, PIXELS_PER_DEGREE, REACH, Observer
from rawback.rendering import D65, SRGB_TO_XYZ, to_srgb
from rawback.types import Mosaic, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray


def frame(cfa: NDArray[np.uint16]) -> RawFrame:
    return RawFrame(
        cfa=cfa,
        pattern="RGGB",
        black=(64.0, 64.0, 64.0, 64.0),
        white=4095,
        neutral=(0.5, 1.0, 0.6),
        color_matrix=(0.69, -0.12, -0.09, -0.44, 1.25, 0.25, -0.04, 0.15, 0.6),
        noise=NoiseModel(1e-4, 1e-6),
    )


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Coarse and fine structure in three colours, linear in [0, 1]."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for side, share in ((2, 0.3), (9, 0.3), (40, 0.4)):
        small = rng.random((height // side + 2, width // side + 2, 3), np.float32)
        total += np.float32(share) * cv2.resize(small, (width, height))
    return total**2


def mosaic(picture: NDArray[np.float32]) -> NDArray[np.uint16]:
    samples = np.empty(picture.shape[:2], np.float32)
    for position, channel in enumerate((0, 1, 1, 2)):
        at = slice(position // 2, None, 2), slice(position % 2, None, 2)
        samples[at] = picture[(*at, channel)] * (0.5, 1.0, 0.6)[channel]
    return np.asarray(np.rint(64 + 0.9 * samples * (4095 - 64)), np.uint16)


def published(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """S-CIELAB by its definition: whole kernels on every pixel."""
    opponent = linear @ (OPPONENT @ SRGB_TO_XYZ).T
    places = np.arange(-int(REACH * PIXELS_PER_DEGREE), int(REACH * PIXELS_PER_DEGREE) + 1)
    for channel, terms in enumerate(GAUSSIANS):
        total, plane = np.zeros(linear.shape[:2]), opponent[..., channel]
        for weight, spread in terms:
            kernel = np.exp(-((places / (spread * PIXELS_PER_DEGREE)) ** 2))
            kernel /= kernel.sum()
            blurred = convolve1d(convolve1d(plane, kernel, axis=0), kernel, axis=1)
            total += weight / sum(weight for weight, _ in terms) * blurred
        opponent[..., channel] = total
    relative = opponent @ (np.linalg.inv(OPPONENT) / D65[:, None]).T
    curve = np.where(
        relative > (6 / 29) ** 3, np.cbrt(relative), relative * (29 / 6) ** 2 / 3 + 4 / 29
    )
    x, y, z = np.moveaxis(curve, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_it_is_s_cielab_as_published() -> None:
    one, other = scene(200, 240), scene(200, 240)
    other += 0.02 * (scene(200, 240, 1) - 0.3)
    other[60:120, 80:160] *= (1.05, 1.0, 0.9)
    observer = Observer()
    seen = observer.differences(observer.resolved(one), observer.resolved(other))
    expected = delta_e_2000(published(one.astype(float)), published(other.astype(float)))
    inner = slice(36, -36), slice(36, -36)
    assert 0.3 < expected[inner].mean() < 5
    assert seen[inner] == pytest.approx(expected[inner], abs=0.05, rel=0.05)
    assert seen[inner].mean() == pytest.approx(expected[inner].mean(), rel=0.01)


def test_even_colours_differ_as_the_cie_says() -> None:
    one = np.full((80, 90, 3), (0.2, 0.3, 0.1), np.float32)
    other = np.full((80, 90, 3), (0.21, 0.29, 0.13), np.float32)
    observer = Observer()
    seen = observer.differences(observer.resolved(one), observer.resolved(other))
    expected = float(delta_e_2000(*lab_from_linear(np.stack([one[0, 0], other[0, 0]]))))
    assert seen == pytest.approx(np.full((80, 90), expected), rel=1e-3)


def test_the_eye_resolves_light_better_than_colour_and_coarse_better_than_fine() -> None:
    y, x = np.mgrid[:240, :240]
    grey = np.full((240, 240, 3), 0.2, np.float32)
    observer = Observer()

    def seen(period: int, weights: tuple[float, float, float]) -> float:
        wave = np.sin(2 * np.pi * (x + y) / period)[..., None] * np.array(weights) * 0.02
        resolved = observer.resolved((grey + wave).astype(np.float32))
        return float(observer.differences(resolved, observer.resolved(grey))[40:-40, 40:-40].mean())

    # Equal steps of light, and of colour without light.
    light, colour = (1.0, 1.0, 1.0), (0.7152, -0.2126, 0.0)
    assert seen(64, light) > 3 * seen(4, light)
    assert seen(64, colour) > 6 * seen(4, colour)
    assert seen(12, colour) / seen(64, colour) < 0.7 * seen(12, light) / seen(64, light)


def test_equal_frames_look_equal_at_every_size_and_exposure() -> None:
    one = frame(mosaic(scene(120, 160)))
    errors = visible_errors(one, one)
    assert [(error.view, error.exposure) for error in errors] == [
        (view, exposure) for view in ("1:1", "fit") for exposure in (0, 2, 4)
    ]
    assert all(error.mean == error.p95 == 0 for error in errors)


def test_both_are_rendered_as_the_original_says() -> None:
    one = frame(mosaic(scene(120, 160)))
    other = dataclasses.replace(
        one, neutral=(1.0, 1.0, 1.0), color_matrix=(1, 0, 0, 0, 1, 0, 0, 0, 1)
    )
    assert all(error.mean == 0 for error in visible_errors(one, other))


def test_errors_in_shadows_show_once_they_are_lifted() -> None:
    dark = frame(mosaic(scene(160, 200) * np.float32(0.02)))
    tinted = dark.cfa.copy()
    tinted[::2, ::2] += 3
    errors = visible_errors(dark, dataclasses.replace(dark, cfa=tinted))
    for view in ("1:1", "fit"):
        means = [error.mean for error in errors if error.view == view]
        assert means[0] < means[1] < means[2]
        assert means[2] > 2


def test_blotches_are_seen_before_noise_of_the_same_psnr() -> None:
    truth = mosaic(scene(400, 400) * np.float32(0.1))
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 6, truth.shape)
    small = rng.normal(0, 1, (12, 12, 4)).astype(np.float32)
    blotches = np.empty(truth.shape)
    for position in range(4):
        plane = cv2.resize(small[..., position], (200, 200), interpolation=cv2.INTER_CUBIC)
        blotches[position // 2 :: 2, position % 2 :: 2] = plane
    blotches *= 6 / blotches.std()
    seen = []
    for error in (noise, blotches):
        other = dataclasses.replace(frame(truth), cfa=np.rint(truth + error).astype(np.uint16))
        seen.append(visible_errors(frame(truth), other, exposures=[2.0]))
    for fine, coarse in zip(*seen, strict=True):
        assert coarse.mean > 1.5 * fine.mean


def test_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    one = frame(mosaic(scene(300, 340)))
    other = frame((one.cfa * 1.03).astype(np.uint16))
    for view in ("1:1", "fit"):
        whole = visible_differences(one, other, view=view)
        with monkeypatch.context() as patched:
            patched.setattr(visible_module, "_TILE", 64)
            assert visible_differences(one, other, view=view) == pytest.approx(whole, abs=1e-3)


def test_a_sample_tells_nearly_what_the_whole_tells() -> None:
    one = frame(mosaic(scene(1500, 1800)))
    rng = np.random.default_rng(1)
    other = frame((one.cfa + rng.normal(0, 20, one.cfa.shape)).clip(0, 4095).astype(np.uint16))
    whole = visible_errors(one, other, exposures=[2.0])
    sample = visible_errors(one, other, exposures=[2.0], sampled=True)
    for exact, estimate in zip(whole, sample, strict=True):
        assert estimate.mean == pytest.approx(exact.mean, rel=0.05)
        assert estimate.p95 == pytest.approx(exact.p95, rel=0.1)


@pytest.mark.parametrize("size", [(2, 2), (2, 900), (5, 7), (901, 3)])
def test_frames_of_any_size_are_compared(size: tuple[int, int]) -> None:
    one = frame(np.full(size, 300, np.uint16))
    other = frame(np.full(size, 330, np.uint16))
    errors = visible_errors(one, other)
    assert all(np.isfinite(error.mean) and error.mean > 0.1 for error in errors)


def test_frames_that_do_not_belong_together_are_refused() -> None:
    one = frame(np.full((8, 8), 300, np.uint16))
    with pytest.raises(ValueError, match="cannot compare"):
        visible_errors(one, frame(np.full((8, 10), 300, np.uint16)))
    with pytest.raises(ValueError, match="cannot compare"):
        visible_differences(one, dataclasses.replace(one, pattern="BGGR"))


def test_it_puts_distortions_in_the_order_that_flip_does() -> None:
    """FLIP (Andersson et al., HPG 2020) at the same viewing distance, by its authors' program."""
    flip = pytest.importorskip("flip_evaluator")
    truth = scene(128, 128)
    rng = np.random.default_rng(4)
    distorted = {
        f"{kind} {strength}": np.clip(picture, 0, 1).astype(np.float32)
        for strength in (0.005, 0.02, 0.06)
        for kind, picture in {
            "noise": truth + strength * rng.normal(size=truth.shape),
            "colour noise": truth + strength * rng.normal(size=truth.shape) * (1, -0.3, 0.0),
            "blotches": truth + strength * (scene(128, 128, 7) - 0.3) * 3,
            "darker": truth * (1 - 3 * strength),
            "cast": truth * (1 + strength, 1, 1 - 2 * strength),
            "soft": truth + 8 * strength * (cv2.GaussianBlur(truth, (0, 0), 2) - truth),
        }.items()
    }
    observer = Observer()
    reference = observer.resolved(truth)
    ours, theirs = [], []
    for picture in distorted.values():
        ours.append(observer.differences(reference, observer.resolved(picture)).mean())
        _, mean, _ = flip.evaluate(
            to_srgb(truth), to_srgb(picture), "LDR", applyMagma=False,
            parameters={"ppd": PIXELS_PER_DEGREE},
        )  # fmt: skip
        theirs.append(mean)
    assert spearmanr(ours, theirs).statistic > 0.9


X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"


@pytest.mark.parametrize("pattern", [X_TRANS, "RRGG/RRGG/GGBB/GGBB", "W", "R+G+B", "GMCY"])
def test_raws_of_every_kind_are_seen(pattern: str) -> None:
    """An offset is seen the more the larger it is, in parts as in the whole."""
    kind = Mosaic.parse(pattern)
    picture = scene(700, 540)
    samples = picture if kind.samples == 3 else picture.mean(axis=2)
    original = dataclasses.replace(
        frame(np.zeros((2, 2), np.uint16)),
        cfa=np.asarray(np.rint(64 + 0.9 * samples * (4095 - 64)), np.uint16),
        pattern=pattern,
        black=(64.0,) * len(kind.colours),
        neutral=None,
        color_matrix=None,
    )
    seen = []
    for offset in (0, 8, 80):
        restored = dataclasses.replace(original, cfa=original.cfa + np.uint16(offset))
        seen.append([error.mean for error in visible_errors(original, restored)])
    assert np.all(np.diff(seen, axis=0) > 0)
    assert max(seen[0]) == 0
    restored = dataclasses.replace(original, cfa=original.cfa + np.uint16(80))
    shown = visible_differences(original, restored)
    assert shown.shape == (700, 540)
    # Tiles meet without a seam.
    seam = np.abs(np.diff(shown, axis=0))[511]
    beside = np.abs(np.diff(shown, axis=0))[495:527]
    assert seam.mean() < 3 * beside.mean() + 1e-3
