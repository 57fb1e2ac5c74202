"""What the base's own texture is worth: ``python -m rawback_lab.bench texture FOLDER...``.

A base sharpens what the JPEG shows of fine texture. Were that too much, or of the wrong sign, a
gain on its wavelet coefficients would bring it nearer to the raw where no residual is coded. So the
best gain is fitted for each band, component, class of region and magnitude on one half of a sample
of blocks, and tried on the other half. Per raw: by how much the squared error of what is not coded
falls, how many residuals of large coefficients have the sign against the base's, and the power that
the base has there of the original's, without gains and with them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rawback import encoder, jpegio, rawio
from rawback.encoder.sampling import samples_of
from rawback.rate import step_of_quality
from rawback.residual import COEFFICIENT_UNIT, RegionClass, band_arrays, band_gain, bands
from rawback_lab.bench.visible import pairs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis

__all__ = ["measured", "tried_gains"]

_QUALITY = 60
_EDGES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Between magnitudes of the base, in standard deviations of the noise; from the third on large."""

_LARGE = 3
_FEWEST = 100
_CLASSES = int(RegionClass.EDGE) + 1


def _coefficients(details: NDArray[np.uint8], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """The base's coefficients from their size beside the noise, to an eighth of an octave."""
    quarters = (details & 127).astype(np.float64)
    size = np.where(quarters > 0, 2 ** ((quarters - 0.5) / 4), 0) / (16 * noise)
    return np.where(details & 128, -size, size)


def _uncoded(analysis: Analysis, step: int) -> NDArray[np.float64]:
    """Coefficients of a sample that are not coded at a step, in standard deviations of the noise.

    Returns:
        float64 ``[n, 4]``: the base, what it leaves, the kind (of band, component, class and
        magnitude), and 0 or 1 for the halves of the sample.
    """
    quantiser = analysis.quantisers.at(step)
    rows = []
    for sample in samples_of(analysis):
        indices = quantiser.indices(sample.coefficients)
        bases = band_arrays(sample.context.details, sample.context.shape)
        start = 0
        for number, band in enumerate(bands()):
            shape = bases[band].shape[1:]
            here = slice(start, start + shape[0] * shape[1])
            start = here.stop
            if not (band.high_x or band.high_y):
                continue
            classes = sample.context.classes[here].reshape(shape)
            noise = np.maximum(sample.context.noise[here].reshape(shape), 1) / 256
            half = np.broadcast_to(np.arange(shape[1]) * 2 >= shape[1], shape)
            unit = band_gain(band) / COEFFICIENT_UNIT
            for component in range(4):
                base = _coefficients(bases[band][component], noise) * unit
                left = sample.coefficients[band][component] / noise * unit
                kind = np.digitize(np.abs(base), _EDGES) + (len(_EDGES) + 1) * (
                    classes + _CLASSES * (component + 4 * number)
                )
                chosen = (indices[band][component] == 0) & (classes < _CLASSES)
                rows.append(np.stack([values[chosen] for values in (base, left, kind, half)], 1))
    return np.concatenate(rows).astype(np.float64)


def tried_gains(
    base: NDArray[np.float64],
    left: NDArray[np.float64],
    kind: NDArray[np.intp],
    half: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Gains of each kind that fit one half best, 0 for kinds of few coefficients there.

    Args:
        base: The base's coefficients, ``[n]``.
        left: What it leaves of the original's.
        kind: Of each.
        half: True for those that are not fitted to.

    Returns:
        float64, by kind: what the base is to be multiplied by, less 1.
    """
    fitted = ~half
    size = int(kind.max()) + 1
    sums = [
        np.bincount(kind[fitted], values[fitted], size) for values in (base * left, base * base)
    ]
    enough = np.bincount(kind[fitted], minlength=size) >= _FEWEST
    gains = np.where(enough, sums[0] / np.maximum(sums[1], 1e-12), 0.0)
    return np.asarray(gains, np.float64)


def measured(raw: Path, jpeg: Path) -> tuple[float, float, float, float]:
    """Decibels of squared error by gains, share of signs against, and both shares of power."""
    frame, carrier = rawio.read_raw(raw), jpegio.decode_jpeg(jpeg.read_bytes())
    analysis = encoder.prepare(frame, carrier, use="never").analysis(0)
    step = step_of_quality(_QUALITY)
    if step is None:
        message = f"quality {_QUALITY} has no residual"
        raise ValueError(message)
    base, left, kinds, halves = _uncoded(analysis, step).T
    kind, half = kinds.astype(np.intp), halves > 0
    gains = tried_gains(base, left, kind, half)
    base, left, kind = base[half], left[half], kind[half]
    moved = gains[kind] * base
    large = kind % (len(_EDGES) + 1) >= _LARGE
    power = np.square(base + left).sum()
    return (
        float(10 * np.log10(np.square(left - moved).sum() / np.square(left).sum())),
        float((base[large] * left[large] < 0).mean()),
        float(np.square(base).sum() / power),
        float(np.square(base + moved).sum() / power),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the raws of folders."""
    parser = argparse.ArgumentParser(description="Try gains on the base's texture.")
    parser.add_argument("folders", type=Path, nargs="+", help="of raws, with a manifest.csv")
    parser.add_argument("--split", default="train")
    parser.add_argument("--scratch", type=Path, required=True)
    options = parser.parse_args(arguments)
    print("| raw | error by gains, dB | signs against | power | with gains |")
    print("|---|---|---|---|---|")
    for folder in options.folders:
        for raw, jpeg in pairs_of(folder, options.split, options.scratch):
            decibels, against, before, after = measured(raw, jpeg)
            figures = f"{decibels:+.3f} | {against:.2f} | {before:.2f} | {after:.2f}"
            print(f"| {raw.stem} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
