"""The quick comparison of a raw with a JPEG, and the features below it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rawback.geometry.registration import Summary, Verdict, shows_same_shot, summarise
from rawback.geometry.registration.features import agreement, detect
from rawback.orientation import orient_image

from .synthetic import View, mosaic, rendered, scene, view

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def linear() -> NDArray[np.float32]:
    return scene()


@pytest.fixture(scope="module")
def raw(linear: NDArray[np.float32]) -> Summary:
    return summarise(mosaic(linear))


class TestSame:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_whole_frames(
        self, orientation: int, raw: Summary, linear: NDArray[np.float32]
    ) -> None:
        pixels = np.ascontiguousarray(orient_image(orientation, rendered(linear)))
        comparison = shows_same_shot(raw, summarise(pixels))
        assert comparison.verdict is Verdict.SAME
        assert comparison.correlation > 0.6

    @pytest.mark.parametrize(
        "truth",
        [
            view(kept=0.5, move=(40, -20)),
            view(kept=0.6, degrees=20),
            view(scale=0.3, degrees=2),
            view(kept=0.9, perspective=(0.1, 0.05)),
            view(barrel=-0.05, kept=0.9),
        ],
        ids=["crop", "turn", "small", "keystone", "lens"],
    )
    @pytest.mark.parametrize("negative", [False, True], ids=["positive", "negative"])
    def test_parts_and_views_of_it(
        self, truth: View, negative: bool, raw: Summary, linear: NDArray[np.float32]
    ) -> None:
        pixels = rendered(truth.shows(linear))
        pixels = 255 - pixels if negative else pixels
        for turned in (pixels, np.ascontiguousarray(pixels[:, ::-1])):
            assert shows_same_shot(raw, summarise(turned)).verdict is Verdict.SAME

    def test_a_preview_stands_for_its_raw(self, linear: NDArray[np.float32]) -> None:
        preview = cv2.resize(rendered(linear, quality=70), (320, 213))
        pixels = rendered(view(kept=0.6).shows(linear))
        summary = summarise(np.asarray(preview, np.uint8))
        assert shows_same_shot(summary, summarise(pixels)).verdict is Verdict.SAME


class TestOther:
    @pytest.mark.parametrize("seed", range(1, 9))
    @pytest.mark.parametrize("size", [(720, 480), (500, 400)])
    def test_other_scenes(self, seed: int, size: tuple[int, int], raw: Summary) -> None:
        jpeg = summarise(rendered(scene(seed, *size)))
        assert shows_same_shot(raw, jpeg).verdict is Verdict.OTHER

    def test_a_neighbour_of_the_shot_shows_what_the_raw_does_not(self) -> None:
        wide = scene(2, 900, 480)
        raw = summarise(mosaic(np.ascontiguousarray(wide[:, :720])))
        comparison = shows_same_shot(raw, summarise(rendered(wide[:, 60:780])))
        assert comparison.verdict is Verdict.OTHER
        assert comparison.correlation > 0.5

    def test_borders_are_nothing_of_a_scene(
        self, raw: Summary, linear: NDArray[np.float32]
    ) -> None:
        framed = np.zeros((600, 840, 3), np.uint8)
        framed[60:540, 60:780] = rendered(linear)
        assert shows_same_shot(raw, summarise(framed)).verdict is Verdict.SAME


class TestUnclear:
    @pytest.mark.parametrize("level", [0.0, 0.3, 1.0], ids=["bias", "flat field", "white"])
    def test_frames_without_structure(self, level: float, linear: NDArray[np.float32]) -> None:
        even = mosaic(np.full_like(linear, level))
        comparison = shows_same_shot(summarise(even), summarise(rendered(linear)))
        assert comparison.verdict is Verdict.UNCLEAR

    @pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 200)])
    def test_black_jpegs(self, size: tuple[int, int], raw: Summary) -> None:
        jpeg = summarise(np.zeros((size[1], size[0], 3), np.uint8))
        assert shows_same_shot(raw, jpeg).verdict is Verdict.UNCLEAR


class TestFeatures:
    @pytest.mark.parametrize("mirrored", [False, True])
    @pytest.mark.parametrize("negative", [False, True])
    def test_one_detection_serves_mirrors_and_negatives(
        self, mirrored: bool, negative: bool, linear: NDArray[np.float32]
    ) -> None:
        grey = np.ascontiguousarray(np.sqrt(linear.mean(axis=2)))
        other = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
        consensus = agreement(
            detect(grey, 500), detect(1 - other if negative else other, 500), enough=10
        )
        assert consensus is not None
        assert consensus.negative == negative
        assert consensus.inliers > 300
        expected = np.diag([-1.0 if mirrored else 1.0, 1, 1])
        expected[0, 2] = grey.shape[1] - 1 if mirrored else 0
        np.testing.assert_allclose(consensus.matrix[:2, :2], expected[:2, :2], atol=2e-3)
        np.testing.assert_allclose(consensus.matrix[:2, 2], expected[:2, 2], atol=1)

    def test_an_even_picture_has_none(self) -> None:
        nothing = detect(np.full((100, 150), 0.5, np.float32), 500)
        assert len(nothing) == 0
        assert agreement(nothing, nothing, enough=10) is None


@pytest.mark.slow
def test_pairs_take_milliseconds(raw: Summary) -> None:
    jpegs = [summarise(rendered(scene(seed))) for seed in range(10, 16)]
    start = time.thread_time()
    for jpeg in jpegs:
        shows_same_shot(raw, jpeg)
    assert (time.thread_time() - start) / len(jpegs) < 0.1
