"""How strong grain is to be: what flat patches lack, octave by octave, once they are restored.

The base keeps some of the noise and sharpens some of it, and layers code some; so flat patches are
restored as a decoder would, from each layer, and their spectra are compared with the original's.
Grain of a wavelet level reaches into neighbouring octaves, and what a component has too much of
others may have too little of: deviations of all levels and components are found together, none
negative, by least squares over the power of each component and of all planes in each octave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.common.grain import LARGEST, SPECTRUM_LEVELS, GrainSpectrum
from rawback.common.reconstruction import restored_values
from rawback.common.tiles import Grid
from rawback.encoder.flat_patches import PATCH, FlatPatches
from rawback.encoder.quantisation import coarsened
from rawback.residual import (
    MATRIX_BITS,
    RegionClass,
    TileCoefficients,
    band_shape,
    bands,
    class_pyramid,
)
from rawback.tone import UNIT, NoiseDomain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.common.header_fields import ResidualParameters
    from rawback.common.tiles import Window
    from rawback.encoder.analysis import Analysis
    from rawback.encoder.encoder_input import EncoderInput

__all__ = ["OCTAVES", "RESPONSE", "equations", "grain_spectra", "octave_powers", "solved"]

OCTAVES = 4
"""From half to a whole of the Nyquist frequency of a plane, and so on downwards."""

RESPONSE = np.array(
    [
        [0.885, 0.207, 0.004, 0.004],
        [0.074, 0.824, 0.230, 0.016],
        [0.000, 0.122, 0.763, 0.276],
        [0.000, 0.000, 0.188, 0.702],
    ]
)
"""Power in each octave of grain of deviation 1 in each level of a spectrum alone."""

_COMPONENT = 0.5
"""What the power of a component counts, beside that of all planes together."""

_DETAIL = 4.0
"""Where the flattest patches of a frame have more power in an octave, beside the noise that its
model tells of, than this, detail hides the noise, and nothing is known of what is missing."""

_TURNS, _SETTLED = 200, 1e-6
"""How often all unknowns are gone through at most, and what changes too little to go on."""


def octave_powers(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power in each octave, 1 for white noise of variance 1.

    Args:
        patches: ``[patches, n, 32, 32]``; their means and slopes do not count.

    Returns:
        float64 ``[patches, n, OCTAVES]``, from the highest frequencies down.
    """
    ramp = np.arange(PATCH) - (PATCH - 1) / 2
    even = np.ones(PATCH)
    for shape in (np.outer(even, even), np.outer(ramp, even), np.outer(even, ramp)):
        unit = shape / np.sqrt(np.square(shape).sum())
        patches = patches - (patches * unit).sum(axis=(2, 3), keepdims=True) * unit
    window = np.outer(np.hanning(PATCH), np.hanning(PATCH))
    waves = np.fft.rfft2(patches * window)
    power = np.square(waves.real) + np.square(waves.imag)
    radius = np.hypot(np.fft.fftfreq(PATCH)[:, None], np.fft.rfftfreq(PATCH))
    # Each but those of the first and last column stands for the one opposite as well.
    twice = np.full(radius.shape, 2.0)
    twice[:, [0, -1]] = 1
    shares = np.empty((radius.size, OCTAVES))
    for octave in range(OCTAVES):
        within = radius >= 2.0 ** -(octave + 2)
        if octave:
            within &= radius < 2.0 ** -(octave + 1)
        shares[:, octave] = (twice * within / (twice * within).sum()).ravel()
    found = power.reshape(*patches.shape[:2], -1) @ shares
    return np.asarray(found / np.square(window).sum(), np.float64)


def grain_spectra(
    analysis: Analysis,
    tiles: Mapping[Window, TileCoefficients],
    parameters: ResidualParameters,
) -> list[GrainSpectrum]:
    """The grain of each layer, coarse to fine, that gives flat patches the power they had.

    Args:
        analysis: Of the frame.
        tiles: Their indices, down to the last layer.
        parameters: Of the layers.
    """
    source, weights = analysis.source, analysis.weights
    count, layers = len(source.planes), len(parameters.quantisers)
    white = int(source.domain.forward[:, source.domain.white].min())
    patches = FlatPatches.of(source.planes, analysis.predicted, white)
    if not patches.windows:
        return [GrainSpectrum.of_deviations(np.zeros((count, SPECTRUM_LEVELS)))] * layers
    originals = patches.cut(patches.samples(source.planes)).astype(np.float64)
    base = patches.predicted(analysis.predicted)
    finest = patches.coefficients(tiles)
    levels = class_pyramid(base.classes)
    classes = np.concatenate([levels[band].ravel() for band in bands()])
    within = patches.within()
    rounding = _rounding(source, originals)
    most = LARGEST if patches.are_noise else 1.0
    synthesis = parameters.transform.matrix / (1 << MATRIX_BITS)
    spectra = []
    for layer in range(layers):
        indices = coarsened(finest.indices, layers - 1 - layer)
        coded = TileCoefficients(finest.shape, indices, layer + 1)
        values = restored_values(
            *([base], {base.window: coded}, parameters, weights),
            *(Grid(*base.window.shape), base.window),
        )
        restored = patches.cut(values).astype(np.float64)
        uncoded = _uncoded(coded, classes, within)
        system = equations(
            *(originals, restored, rounding, uncoded, synthesis), are_noise=patches.are_noise
        )
        deviations = np.sqrt(solved(*system, most**2)).reshape(count, SPECTRUM_LEVELS)
        spectra.append(GrainSpectrum.of_deviations(deviations))
    return spectra


def _rounding(source: EncoderInput, patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """What rounding to digital numbers adds to the variance of patches ``[patches, n]``."""
    frame = source.frame
    light = np.maximum(patches.mean(axis=(2, 3)), 0) / UNIT
    deviation = NoiseDomain.deviation_at(frame.noise, light)
    number = UNIT / (deviation * (frame.white - np.mean(frame.black)))
    return np.asarray(np.square(number) / 12, np.float64)


def _uncoded(
    tile: TileCoefficients, classes: NDArray[np.uint8], within: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Part of the coefficients within patches that get grain, ``[n, SPECTRUM_LEVELS]``."""
    counts = np.zeros((tile.planes, SPECTRUM_LEVELS, 2))
    start = 0
    for band, indices in tile.bands().items():
        rows, columns = band_shape(band, tile.shape)
        here = slice(start, start + rows * columns)
        start = here.stop
        if not (band.high_x or band.high_y):
            continue
        step = 1 << band.level
        inside = within[::step, ::step][:rows, :columns]
        grained = (indices == 0) & (classes[here].reshape(rows, columns) <= RegionClass.EDGE)
        level = min(band.level, SPECTRUM_LEVELS) - 1
        counts[:, level, 0] += grained[:, inside].sum(axis=1)
        counts[:, level, 1] += inside.sum()
    return np.asarray(counts[..., 0] / np.maximum(counts[..., 1], 1))


def equations(
    originals: NDArray[np.float64],
    restored: NDArray[np.float64],
    rounding: NDArray[np.float64],
    uncoded: NDArray[np.float64],
    synthesis: NDArray[np.float64],
    *,
    are_noise: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Linear equations for the variances of grain ``[n * SPECTRUM_LEVELS]``.

    Args:
        originals: ``[patches, n, 32, 32]`` in domain units.
        restored: The same.
        rounding: ``[patches, n]``: variance of what rounding to digital numbers adds.
        uncoded: ``[n, SPECTRUM_LEVELS]``: part of the coefficients that get grain.
        synthesis: ``[n, n]``: planes from components.
        are_noise: Whether patches are known to hold nothing else.
    """
    count = len(synthesis)
    analysis = np.linalg.inv(synthesis)
    powers, lacking = [], []
    for matrix in (np.eye(count), analysis):
        wanted, found = (
            octave_powers(np.einsum("kp,mpyx->mkyx", matrix, patches))
            for patches in (originals, restored)
        )
        found = found + (rounding @ np.square(matrix).T)[..., None]
        powers.append(wanted)
        lacking.append(wanted - found)
    # Each patch and plane counts alike, however strong its noise is.
    of_planes = powers[0].mean(axis=2, keepdims=True)
    of_patches = of_planes.mean(axis=1, keepdims=True)
    unit = UNIT**2
    grain = uncoded[..., None] * RESPONSE
    rows, values = [], []
    share = (powers[0] / of_planes).mean(axis=(0, 1))
    detailed = np.median(powers[0], axis=(0, 1)) > _DETAIL * unit
    octaves = np.flatnonzero(are_noise | ~detailed)
    mixed = (np.square(synthesis) * (unit / of_planes[..., 0]).mean(axis=0)[:, None]).mean(axis=0)
    for octave in octaves:
        rows.append((mixed[:, None] * grain[..., octave]).ravel() / share[octave])
        values.append((lacking[0] / of_planes).mean(axis=(0, 1))[octave] / share[octave])
    share = (powers[1] / of_patches).mean(axis=(0, 1))
    own = (unit / of_patches).mean() / count
    for component in range(count):
        for octave in octaves:
            row = np.zeros((count, SPECTRUM_LEVELS))
            row[component] = own * grain[component, :, octave]
            rows.append(_COMPONENT * row.ravel() / share[octave])
            missing = (lacking[1] / of_patches).mean(axis=0)[component, octave] / count
            values.append(_COMPONENT * missing / share[octave])
    return np.array(rows).reshape(-1, count * SPECTRUM_LEVELS), np.array(values)


def solved(
    rows: NDArray[np.float64], values: NDArray[np.float64], most: float
) -> NDArray[np.float64]:
    """Least squares by coordinate descent, all unknowns from 0 to `most`."""
    # A trace of a cost keeps what no equation asks for at 0.
    normal = rows.T @ rows + 1e-6 * np.eye(rows.shape[1])
    target = rows.T @ values
    found = np.zeros(len(target))
    for _ in range(_TURNS):
        before = found.copy()
        for at in range(len(found)):
            step = (target[at] - normal[at] @ found) / normal[at, at]
            found[at] = min(max(found[at] + step, 0.0), most)
        if np.abs(found - before).max(initial=0.0) < _SETTLED:
            break
    return found
