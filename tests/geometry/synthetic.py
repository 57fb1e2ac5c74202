"""Synthetic scenes, their raws and renderings, so that the true map is known to the last digit."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from rawback.geometry import Geometry, Warped
from rawback.geometry.warp import node_positions
from rawback.types import BayerPattern, NoiseModel, RawFrame

if TYPE_CHECKING:
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
