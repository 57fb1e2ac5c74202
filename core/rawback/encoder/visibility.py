"""What the eye sees of errors: axes for the planes, and how much finer their steps are to be.

Errors are seen in a picture, and mostly in one that was lifted by some stops. So a sample of the
frame is rendered, lifted, and each plane moved a little: how far colours move (CIEDE2000) makes a
quadratic form over the planes, whose principal axes are the components that are coded. Commonly
they are, from most to least visible, green against magenta, red against blue, light, and the two
greens' difference, far apart: for the same error, in noise, the first is seen ten times as far as
the last.

All axes count alike at the finest level, where the eye resolves no colour; from there on to coarser
levels, steps become finer for all, and more so for those that are seen. Where a plane holds samples
of several colours, or of others than red, green and blue, all axes count alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.metrics import delta_e_2000, lab_from_linear
from rawback.rendering import camera_to_srgb, exposed
from rawback.residual import KLT, MAX_SLOPE, Slopes
from rawback.tone import UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.error_weights import ErrorWeights
    from rawback.encoder.encoder_input import EncoderInput
    from rawback.mosaic import Mosaic

__all__ = ["LEAST_SLOPE", "MEAN_SLOPE", "SLOPE_PER_OCTAVE", "visible_axes"]

MEAN_SLOPE, LEAST_SLOPE = 15.0, 5
"""In step codes per level, over the axes: half an octave."""

SLOPE_PER_OCTAVE = 8.0
"""By how much the slope of an axis is larger for each factor of two by which it is more visible.

Chosen on training frames: larger slopes go on lowering the visible error, by ever less, and cost
more and more PSNR."""

_STOPS = 2.0
_SAMPLES = 4000
_MOVE = float(UNIT)
"""By how much planes are moved: one standard deviation of the noise."""


def visible_axes(
    source: EncoderInput, weights: ErrorWeights, covariance: NDArray[np.float64]
) -> tuple[KLT, Slopes]:
    """Axes by visibility, and their slopes.

    Args:
        source: The shot.
        weights: What errors count.
        covariance: ``[n, n]`` of what the base leaves: axes are ordered by their share of it, as
            components coded first are context for the others.

    Returns:
        The transform, with orthonormal columns, and the slope of each component.
    """
    colours = _plane_colours(source.frame.mosaic)
    if not colours:
        return KLT.fit(covariance), (round(MEAN_SLOPE),) * len(covariance)
    values, axes = np.linalg.eigh(_form(source, weights, colours))
    # Where all is saturated nothing is seen of any error, and all axes count alike.
    least = max(values[-1] * 2.0**-10, np.finfo(np.float64).tiny)
    seen = np.log2(np.maximum(values, least)) / 2
    slopes = MEAN_SLOPE + SLOPE_PER_OCTAVE * (seen - seen.mean())
    shares = np.einsum("ij,ik,kj->j", axes, covariance, axes)
    order = np.argsort(-shares)
    axes = axes[:, order]
    axes = axes * np.where(axes.sum(axis=0) < 0, -1, 1)
    whole = (int(np.clip(round(slope), LEAST_SLOPE, MAX_SLOPE)) for slope in slopes[order])
    return KLT.of_axes(axes), tuple(whole)


def _plane_colours(mosaic: Mosaic) -> str:
    """The colour of each plane's samples; empty where a plane has several."""
    colours = ""
    for channels in mosaic.layout()[..., 1].reshape(-1, mosaic.planes).T:
        own = {mosaic.colours[channel] for channel in channels}
        if len(own) > 1 or not own <= {"R", "G", "B", "W"}:
            return ""
        colours += own.pop()
    return colours


def _form(source: EncoderInput, weights: ErrorWeights, colours: str) -> NDArray[np.float64]:
    """Mean squared colour difference for errors of one unit: a quadratic form over the planes."""
    count, height, width = source.planes.shape
    stride = max(1, int(np.sqrt(height * width / _SAMPLES)))
    values = source.planes[:, stride // 2 :: stride, stride // 2 :: stride].reshape(count, -1)
    move = _MOVE / weights.at(np.maximum(values, 0))
    planes = values.astype(np.float64)
    matrix = camera_to_srgb(source.original)

    def lab(moved: NDArray[np.float64]) -> NDArray[np.float32]:
        return lab_from_linear(exposed(_camera(source, moved, colours), matrix, _STOPS))

    still = lab(planes)

    def seen(direction: NDArray[np.float64]) -> float:
        moved = lab(planes + direction[:, None] * move)
        return float(np.mean(delta_e_2000(still, moved) ** 2))

    units = np.eye(count)
    own = [seen(unit) for unit in units]
    form = np.diag(own)
    for i in range(count):
        for j in range(i):
            both = seen((units[i] + units[j]) / np.sqrt(2))
            form[i, j] = form[j, i] = both - (own[i] + own[j]) / 2
    return form


def _camera(source: EncoderInput, planes: NDArray[np.float64], colours: str) -> NDArray[np.float32]:
    """White-balanced camera RGB of values of the domain ``[planes, n]``; float32 ``[1, n, 3]``."""
    frame = source.frame
    gains = 1 / np.array(source.original.shown_neutral)
    gains /= gains.min()
    camera = np.zeros((1, planes.shape[1], 3), np.float32)
    for plane, colour in enumerate(colours):
        signal = source.domain.signal_at(frame.noise, planes[plane] / UNIT)
        for channel in range(3) if colour == "W" else ["RGB".index(colour)]:
            camera[0, :, channel] += signal * gains[channel] / colours.count(colour)
    return np.minimum(camera, 1)
