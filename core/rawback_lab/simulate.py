"""From a photograph to the raw that a camera might have made of the same scene.

::

    photograph -> linear light -> highlights regained -> camera RGB -> lens
               -> exposure -> CFA -> shot and read noise -> black level, clipping, rounding
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import special, stats

from rawback.metadata import Directory, Metadata, TiffType
from rawback.rawio import Tag
from rawback.rawio.describe import number_entry
from rawback.rendering import FILTERS, from_srgb, lines_of_channels, srgb_to_camera
from rawback.types import Mosaic, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback_lab.camera import CameraSpec

__all__ = ["exposed", "noise_bits", "scene_light", "simulate"]

_FEW = 64
"""Electrons below which counts are summed one by one; of more, their noise is normal."""

_SHOULDER = 0.7
"""Where highlights begin, in linear light of a photograph whose white is 1."""


def simulate(
    photo: NDArray[np.uint8] | NDArray[np.float32],
    spec: CameraSpec,
    rng: np.random.Generator,
    halve_from: int | None = None,
) -> RawFrame:
    """Shoot `photo` with the camera `spec`.

    Args:
        photo: ``[H, W, 3]``, sRGB codes (uint8) or linear light with the sRGB primaries
            (float32, white at 1, brighter allowed).
        spec: The camera and its setting.
        rng: Where noise and dither come from.
        halve_from: Halve photographs of at least this many pixels on the longer side: their own
            rounding and JPEG blocks would else look like detail of the scene.

    Returns:
        A frame of the photograph's size, or half of it, cut to even sides.
    """
    signal = exposed(photo, spec, rng, halve_from)
    mosaic = Mosaic.parse(spec.pattern)
    is_rgb = mosaic.palette == "RGB"
    return RawFrame(
        cfa=_read_out(signal, spec, rng),
        pattern=spec.pattern,
        black=(float(spec.black),) * len(mosaic.colours),
        white=spec.white,
        neutral=spec.neutral if is_rgb else None,
        color_matrix=spec.color_matrix if is_rgb else None,
        noise=spec.noise,
        make="rawback",
        model="Simulated 1",
        metadata=Metadata(
            (
                number_entry(Tag.ISO, TiffType.SHORT, [spec.iso], "<", Directory.EXIF),
                number_entry(
                    Tag.NOISE_PROFILE, TiffType.DOUBLE, [spec.noise.scale, spec.noise.offset], "<"
                ),
            )
        ),
    )


def exposed(
    photo: NDArray[np.uint8] | NDArray[np.float32],
    spec: CameraSpec,
    rng: np.random.Generator,
    halve_from: int | None = None,
) -> NDArray[np.float32]:
    """The light that each sample of :func:`simulate` counts, before any noise.

    Returns:
        float32 ``[H, W]``, or ``[H, W, samples]``, of the part that saturates.
    """
    light = scene_light(photo, rng)
    if halve_from is not None and max(photo.shape[:2]) >= halve_from:
        light = _resized(light, light.shape[1] // 2, light.shape[0] // 2)
    light = light[: light.shape[0] & ~1, : light.shape[1] & ~1]
    camera = _regain_highlights(light, spec.headroom) @ _light_to_sensor(spec).T
    return _sampled(_through_lens(camera, spec), Mosaic.parse(spec.pattern), spec)


def noise_bits(signal: NDArray[np.float32], spec: CameraSpec, samples: NDArray[np.uint16]) -> float:
    """What samples would take if all but their noise were known.

    That is -log2 of the probability of each sample given the light it counts (Shannon, 1948).
    No lossless code of all possible samples takes less on average, unless it knows of the noise
    itself, as one that is given a rendering of the same samples does to some degree.

    Args:
        signal: What :func:`exposed` gives.
        spec: The camera and its setting.
        samples: uint16, of the same shape: what :func:`simulate` made of it.

    Returns:
        Bits of a sample on average.
    """
    expected = np.clip(signal, 0, None).astype(np.float64).ravel() * spec.electrons
    gain = (spec.white - spec.black) / spec.electrons
    numbers = samples.ravel().astype(np.float64)
    low, high = ((numbers + half - spec.black) / gain for half in (-0.5, 0.5))
    low[numbers <= 0], high[numbers >= spec.white] = -np.inf, np.inf
    probability = np.empty_like(expected)
    few = expected < _FEW
    spread = np.sqrt(expected[~few] + spec.read_noise**2)
    probability[~few] = _between(
        (low[~few] - expected[~few]) / spread, (high[~few] - expected[~few]) / spread
    )
    counts = np.arange(3 * _FEW)
    for part in np.array_split(np.flatnonzero(few), -(-few.sum() // 4096) or 1):
        chances = stats.poisson.pmf(counts, expected[part, None])
        ends = ((end[part, None] - counts) / spec.read_noise for end in (low, high))
        probability[part] = (chances * _between(*ends)).sum(axis=1)
    return float(-np.log2(np.maximum(probability, np.finfo(np.float64).tiny)).mean())


def _between(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability that a standard normal number lies between two."""
    # In the lower tail, where small probabilities are not lost to rounding.
    upper = low > 0
    ends = np.where(upper, -high, low), np.where(upper, -low, high)
    return np.asarray(special.ndtr(ends[1]) - special.ndtr(ends[0]), np.float64)


def scene_light(
    photo: NDArray[np.uint8] | NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Linear light of a photograph, float32 ``[H, W, 3]``; floats are taken as linear already.

    Codes are dithered first, as 256 steps would band in lifted shadows.
    """
    if photo.dtype != np.uint8:
        return np.asarray(photo, np.float32)
    dithered = photo + rng.random(photo.shape, np.float32) - np.float32(0.5)
    return from_srgb(np.clip(dithered / np.float32(255), 0, 1))


def _resized(image: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _regain_highlights(light: NDArray[np.float32], headroom: float) -> NDArray[np.float32]:
    """Let what is near white rise `headroom` stops above it, most in the middle of bright areas."""
    bright = np.clip((light.max(axis=2) - _SHOULDER) / (1 - _SHOULDER), 0, 1) ** 2
    glow = cv2.GaussianBlur(bright, (0, 0), sigmaX=1 + min(light.shape[:2]) / 100)
    gain = 1 + np.float32(2**headroom - 1) * bright * np.asarray(glow, np.float32)
    return np.asarray(light * gain[..., None], np.float32)


def _light_to_sensor(spec: CameraSpec) -> NDArray[np.float32]:
    """Linear sRGB to camera signal, 1 at saturation: colours, scene white and exposure at once."""
    matrix = srgb_to_camera(np.array(spec.color_matrix).reshape(3, 3))
    scaled = np.array(spec.neutral)[:, None] * matrix * 2**spec.exposure
    return scaled.astype(np.float32)


def _through_lens(camera: NDArray[np.float32], spec: CameraSpec) -> NDArray[np.float32]:
    """Shift red and blue outwards and darken the corners, both about the centre."""
    height, width = camera.shape[:2]
    x, y = (width - 1) / 2, (height - 1) / 2
    channels = [np.ascontiguousarray(camera[..., c]) for c in range(3)]
    for channel, change in zip((0, 2), spec.aberration, strict=True):
        zoom = cv2.getRotationMatrix2D((x, y), 0, 1 + change)
        channels[channel] = np.asarray(
            cv2.warpAffine(
                channels[channel],
                zoom,
                (width, height),
                flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REFLECT_101,
            ),
            np.float32,
        )
    rows = ((np.arange(height) - y) ** 2)[:, None]
    columns = ((np.arange(width) - x) ** 2)[None, :]
    falloff = 1 - spec.vignetting * (rows + columns) / (x * x + y * y)
    return np.asarray(np.stack(channels, axis=2) * falloff[..., None].astype(np.float32))


def _sampled(camera: NDArray[np.float32], mosaic: Mosaic, spec: CameraSpec) -> NDArray[np.float32]:
    """Each pixel's own colour, float32 [H, W], or all of them, [H, W, samples]."""
    planes = np.stack([_seen(camera, colour, spec) for colour in mosaic.colours], axis=2)
    if not mosaic.pattern:
        return planes
    signal = np.empty(camera.shape[:2], np.float32)
    for lines, channels in lines_of_channels(mosaic, camera.shape[1]):
        index = channels[None, :, None]
        signal[lines] = np.take_along_axis(planes[lines], index, axis=2)[..., 0]
    return signal


def _seen(camera: NDArray[np.float32], colour: str, spec: CameraSpec) -> NDArray[np.float32]:
    """What a pixel of a colour sees: its own, or a mixture that saturates on white as green."""
    if colour in "RGB":
        return camera[..., "RGB".index(colour)]
    weights = np.array(FILTERS[colour]) / np.array(spec.neutral)
    return np.asarray(camera @ weights.astype(np.float32), np.float32)


def _read_out(
    signal: NDArray[np.float32], spec: CameraSpec, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Count electrons, add the read noise, round to DN, and clip as the converter does."""
    expected = np.clip(signal, 0, None) * spec.electrons
    electrons = rng.poisson(expected) + spec.read_noise * rng.standard_normal(signal.shape)
    numbers = spec.black + electrons * ((spec.white - spec.black) / spec.electrons)
    return np.clip(np.rint(numbers), 0, spec.white).astype(np.uint16)
