"""Synthetic scenes, so that the true map is known to the last digit; and a few real frames."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import rawpy
from PIL import Image

from rawback.errors import ShotMismatch
from rawback.geometry import Aligned, Geometry, Warped
from rawback.geometry.registration import MATCH, register
from rawback.geometry.warp import node_positions
from rawback.orientation import orient_image
from rawback.types import BayerPattern, NoiseModel, RawFrame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH, HEIGHT = 720, 480
CENTRE = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])


def scene(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.float32]:
    """Linear RGB 0 to 1: blobs, edges and grain of all sizes."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), 0.2, np.float32)
    for _ in range(260):
        colour = tuple(random.uniform(0.02, 0.8, 3).tolist())
        x, y = (int(value) for value in random.uniform((0, 0), (width, height)))
        size = int(random.exponential(22)) + 3
        if random.random() < 0.5:
            cv2.circle(image, (x, y), size, colour, -1, cv2.LINE_AA)
        else:
            corner = (x + size, y + int(size * random.uniform(0.3, 2)))
            cv2.rectangle(image, (x, y), corner, colour, -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(random.normal(size=image.shape).astype(np.float32), (0, 0), 1.2)
    return (cv2.GaussianBlur(image, (0, 0), 0.8) * (1 + 0.5 * grain)).clip(0, 1)


def mosaic(
    linear: NDArray[np.float32], pattern: BayerPattern = "RGGB", *, exposure: float = 1.0
) -> RawFrame:
    random = np.random.default_rng(9)
    height, width = linear.shape[:2]
    sensor = linear @ np.array([[0.6, 0.08, 0.03], [0.3, 0.75, 0.2], [0.05, 0.17, 0.7]])
    cfa = np.empty((height, width))
    for at, colour in enumerate(pattern):
        cell = slice(at // 2, None, 2), slice(at % 2, None, 2)
        cfa[cell] = sensor[(*cell, "RGB".index(colour))]
    electrons = random.poisson(cfa * exposure * 8000) + random.normal(0, 4, cfa.shape)
    counts = (electrons / (8000 * exposure) * 3500 + 256).round().clip(0, 4095)
    return RawFrame(
        cfa=counts.astype(np.uint16),
        pattern=pattern,
        black=(256.0, 256.0, 256.0, 256.0),
        white=3756,
        neutral=(0.5, 1.0, 0.6),
        color_matrix=(1, 0, 0, 0, 1, 0, 0, 0, 1),
        noise=NoiseModel(1e-4, 1e-6),
    )


def rendered(linear: NDArray[np.float32], *, quality: int = 92) -> NDArray[np.uint8]:
    """A JPEG with a strong curve, as it decodes."""
    display = linear.clip(0, 1) ** (1 / 2.2)
    curved = display * display * (3 - 2 * display)
    return through_jpeg((curved * 255).round().astype(np.uint8), quality=quality)


def through_jpeg(pixels: NDArray[np.uint8], *, quality: int = 92) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.array(image)


@dataclass(frozen=True)
class View:
    """How a carrier shows the scene: a lens correction, then a homography."""

    size: tuple[int, int]
    matrix: NDArray[np.float64]
    barrel: float = 0.0

    def carrier_of(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carrier positions ``[n, 2]`` of raw positions ``[n, 2]``."""
        away = (raw - CENTRE) / np.hypot(*CENTRE)
        straight = raw + (raw - CENTRE) * self.barrel * (away**2).sum(axis=1, keepdims=True)
        image = np.column_stack([straight, np.ones(len(raw))]) @ self.matrix.T
        return np.asarray(image[:, :2] / image[:, 2:])

    def raw_of(self, carrier: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse, by fixed-point iteration."""
        image = np.column_stack([carrier, np.ones(len(carrier))]) @ np.linalg.inv(self.matrix).T
        straight = image[:, :2] / image[:, 2:]
        raw = straight
        for _ in range(12):
            away = (raw - CENTRE) / np.hypot(*CENTRE)
            raw = CENTRE + (straight - CENTRE) / (
                1 + self.barrel * (away**2).sum(axis=1, keepdims=True)
            )
        return np.asarray(raw)

    def shows(self, linear: NDArray[np.float32]) -> NDArray[np.float32]:
        x, y = np.meshgrid(*(np.arange(side) for side in self.size))
        raw = self.raw_of(np.column_stack([x.ravel(), y.ravel()]).astype(float))
        scale = np.sqrt(abs(np.linalg.det(self.matrix[:2, :2])))
        source = cv2.GaussianBlur(linear, (0, 0), 0.45 / scale) if scale < 0.9 else linear
        map_x, map_y = (
            np.ascontiguousarray(raw[:, k].reshape(y.shape), dtype=np.float32) for k in range(2)
        )
        return cv2.remap(source, map_x, map_y, cv2.INTER_CUBIC).clip(0, 1).astype(np.float32)


def view(
    *,
    degrees: float = 0,
    scale: float = 1,
    kept: float = 1,
    move: tuple[float, float] = (0, 0),
    perspective: tuple[float, float] = (0, 0),
    barrel: float = 0,
) -> View:
    """A carrier that keeps this part of the raw around its centre."""
    size = (round(WIDTH * scale * kept), round(HEIGHT * scale * kept))
    cosine, sine = (f(np.deg2rad(degrees)) * scale for f in (np.cos, np.sin))
    matrix = np.array(
        [
            [cosine, -sine, 0],
            [sine, cosine, 0],
            [perspective[0] / WIDTH, perspective[1] / HEIGHT, 1],
        ]
    )
    middle = matrix @ np.array([*CENTRE, 1])
    shift = np.eye(3)
    shift[:2, 2] = (np.array(size) - 1) / 2 + move - middle[:2] / middle[2]
    return View(size, shift @ matrix, barrel)


def errors(geometry: Geometry, truth: View) -> NDArray[np.float64]:
    """Distances of the estimated from the true carrier positions at the covered nodes."""
    assert isinstance(geometry.transform, Warped)
    nodes = node_positions(geometry.transform, geometry.raw_size) / 1024
    x, y = np.meshgrid(*(np.arange(count) * 16 for count in nodes.shape[1::-1]))
    inside = (x < WIDTH) & (y < HEIGHT)
    expected = truth.carrier_of(np.column_stack([x[inside], y[inside]]).astype(float))
    covered = ((expected >= 0) & (expected <= np.array(truth.size) - 1)).all(axis=1)
    return np.asarray(np.linalg.norm(nodes[inside] - expected, axis=1)[covered])


@pytest.fixture(scope="module")
def linear() -> NDArray[np.float32]:
    return scene()


@pytest.fixture(scope="module")
def frame(linear: NDArray[np.float32]) -> RawFrame:
    return mosaic(linear)


class TestWholePixels:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientations_are_found_exactly(
        self, orientation: int, frame: RawFrame, linear: NDArray[np.float32]
    ) -> None:
        found = register(frame, rendered(orient_image(orientation, linear)))
        assert found.geometry.transform == Aligned(orientation)
        assert found.correlation > 0.8

    @pytest.mark.parametrize("orientation", [1, 3, 5, 8])
    def test_square_frames_too(self, orientation: int) -> None:
        square = scene(3, 320, 320)
        found = register(mosaic(square), rendered(orient_image(orientation, square)))
        assert found.geometry.transform == Aligned(orientation)

    @pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
    def test_colours_do_not_shift_the_result(
        self, pattern: BayerPattern, linear: NDArray[np.float32]
    ) -> None:
        found = register(mosaic(linear, pattern), rendered(linear))
        assert found.geometry.transform == Aligned()

    @pytest.mark.parametrize(
        ("rows", "columns", "expected"),
        [
            (slice(2, -2), slice(4, -4), Aligned(1, -4, -2)),
            (slice(None, -1), slice(None, -3), Aligned()),
            (slice(48, 400), slice(90, 590), Aligned(1, -90, -48)),
        ],
        ids=["trimmed all round", "trimmed below", "cropped"],
    )
    def test_crops_are_found_exactly(
        self,
        rows: slice,
        columns: slice,
        expected: Aligned,
        frame: RawFrame,
        linear: NDArray[np.float32],
    ) -> None:
        assert register(frame, rendered(linear[rows, columns])).geometry.transform == expected

    def test_odd_mosaics(self, linear: NDArray[np.float32]) -> None:
        odd = linear[:-1, :-1]
        assert register(mosaic(odd), rendered(odd)).geometry.transform == Aligned()

    def test_small_frames(self) -> None:
        small = scene(4, 96, 64)
        assert register(mosaic(small), rendered(small)).geometry.transform == Aligned()


class TestTone:
    @pytest.mark.parametrize("exposure", [0.02, 0.002])
    def test_noisy_frames(self, exposure: float, linear: NDArray[np.float32]) -> None:
        frame = mosaic(linear, exposure=exposure)
        denoised = cv2.GaussianBlur(rendered(linear, quality=75), (0, 0), 1.5)
        assert register(frame, denoised.astype(np.uint8)).geometry.transform == Aligned()

    def test_black_and_white_with_a_local_tone_map(
        self, frame: RawFrame, linear: NDArray[np.float32]
    ) -> None:
        grey = linear.mean(axis=2, keepdims=True)
        surround = cv2.GaussianBlur(grey, (0, 0), 25)[..., None]
        mapped = np.repeat((grey * 0.3 / (surround + 0.05)).clip(0, 1), 3, axis=2)
        assert register(frame, rendered(mapped)).geometry.transform == Aligned()

    def test_a_picture_with_something_put_over_it(
        self, frame: RawFrame, linear: NDArray[np.float32]
    ) -> None:
        covered = linear.copy()
        covered[150:330, 200:500] = 0.5
        assert register(frame, rendered(covered)).geometry.transform == Aligned()


class TestWarps:
    @pytest.mark.parametrize(
        ("truth", "size"),
        [
            (view(kept=0.7, move=(0.37, -0.41)), 25),
            (view(scale=0.4), 25),
            (view(degrees=2), 25),
            (view(degrees=45), 25),
            (view(perspective=(0.1, 0.06)), 25),
            (view(degrees=2, scale=0.6, kept=0.7, move=(9, 4)), 25),
            (view(scale=1.6), 25),
            (view(barrel=0.05), 220),
            (view(barrel=-0.05, degrees=-1.5, scale=0.8, kept=0.9), 220),
        ],
        ids=[
            "crop",
            "scale",
            "rotation",
            "large rotation",
            "perspective",
            "crop, scale and rotation",
            "enlargement",
            "barrel",
            "pincushion, crop, scale and rotation",
        ],
    )
    def test_maps_are_found_within_a_tenth_of_a_pixel(
        self, truth: View, size: int, frame: RawFrame, linear: NDArray[np.float32]
    ) -> None:
        found = register(frame, rendered(truth.shows(linear))).geometry
        distances = errors(found, truth)
        assert np.sqrt((distances**2).mean()) < 0.1
        assert np.percentile(distances, 95) < 0.2
        assert len(found.to_bytes()) <= size

    def test_mirrored_ones_too(self, frame: RawFrame, linear: NDArray[np.float32]) -> None:
        truth = view(degrees=3, kept=0.8)
        mirror = np.array([[-1.0, 0, truth.size[0] - 1], [0, 1, 0], [0, 0, 1]])
        carrier = rendered(truth.shows(linear)[:, ::-1])
        distances = errors(
            register(frame, carrier).geometry, replace(truth, matrix=mirror @ truth.matrix)
        )
        assert np.sqrt((distances**2).mean()) < 0.1


class TestMismatches:
    @pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (500, 400)])
    def test_another_scene(self, size: tuple[int, int], frame: RawFrame) -> None:
        with pytest.raises(ShotMismatch, match=r"same shot; give the raw that the JPEG was"):
            register(frame, rendered(scene(1, *size)))

    def test_a_negative_is_no_rendering(self, frame: RawFrame, linear: NDArray[np.float32]) -> None:
        with pytest.raises(ShotMismatch):
            register(frame, rendered(1 - linear))

    @pytest.mark.parametrize("size", [(1, 1), (3, 200), (WIDTH, HEIGHT)])
    def test_nothing_to_see(self, size: tuple[int, int], frame: RawFrame) -> None:
        with pytest.raises(ShotMismatch):
            register(frame, np.zeros((size[1], size[0], 3), np.uint8))

    def test_tiny_raws(self) -> None:
        with pytest.raises(ShotMismatch):
            register(mosaic(scene(5, 2, 2)), np.zeros((2, 2, 3), np.uint8))


class TestRealFrames:
    @staticmethod
    def shot(folder: Path, name: str) -> tuple[RawFrame, NDArray[np.uint8]]:
        with rawpy.imread(str(folder / "real" / f"{name}.dng")) as raw:
            colours = raw.raw_pattern
            assert colours is not None
            black = tuple(float(level) for level in raw.black_level_per_channel)
            frame = RawFrame(
                cfa=raw.raw_image_visible.copy(),
                pattern="RGGB" if colours[0, 0] == 0 else "GRBG",
                black=(black[0], black[1], black[2], black[3]),
                white=int(raw.white_level),
                neutral=(0.5, 1.0, 0.6),
                color_matrix=(1, 0, 0, 0, 1, 0, 0, 0, 1),
                noise=NoiseModel(1e-4, 1e-6),
            )
            pixels = raw.postprocess(use_camera_wb=True)
        return frame, through_jpeg(pixels)

    @pytest.mark.parametrize("name", ["phone_night", "canon_300d_crop", "canon_550d_chart"])
    def test_renderings_of_libraw_lie_on_their_raw(self, name: str, real_data: Path) -> None:
        frame, pixels = self.shot(real_data, name)
        assert register(frame, pixels).geometry.transform == Aligned()
        turned = np.ascontiguousarray(orient_image(8, pixels))
        assert register(frame, turned).geometry.transform == Aligned(8)

    def test_two_shots_of_one_place_are_told_apart(self, real_data: Path) -> None:
        frame, _ = self.shot(real_data, "machinevision_outdoor2")
        _, other = self.shot(real_data, "machinevision_outdoor3")
        part = replace(frame, cfa=frame.cfa[:600, :800].copy())
        with pytest.raises(ShotMismatch):
            register(part, other[:600, :800])


def test_the_threshold_lies_between_matches_and_mismatches() -> None:
    # Measured: renderings of the same shot 0.53 (a nearly black frame, denoised) to 1.0; of
    # other shots, also of the same place, 0.06 at most.
    assert 0.1 < MATCH < 0.5
