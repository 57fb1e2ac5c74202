"""Measure what the quality layers take at given steps, for the same quantised data.

::

    python -m rawback_lab.contexts.sizes --real FOLDER --photos FOLDER [--split test]

Each line is a frame, a step code, and the bytes of its layers, all tiles together. Frames are those
that the folder's manifest marks `split`, cut to a square, and photographs that
:mod:`rawback_lab.contexts.train` never sees, shot with simulated cameras. As the quantised data do
not depend on tables and contexts, lines of two versions can be compared one by one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rawback.encoder.rate_control import layers_size
from rawback.encoder.sampling import Sample
from rawback.rate import LAYERS
from rawback_lab.contexts.material import HELD_OUT, real_frames, rendered, simulated_frames

if TYPE_CHECKING:
    from rawback.encoder.analysis import Analysis

_STEPS = (96, 128, 150, 170, 190, 210, 230, 250, 270, 290, 320)


def size_at(analysis: Analysis, step: int) -> int:
    """Bytes of all layers down to a step, without those of the sections' heads."""
    samples = [Sample.of_tile(analysis, prediction) for prediction in analysis.predicted]
    quantiser = analysis.quantisers.at(step)
    return sum(layers_size(sample, quantiser, LAYERS)[0] for sample in samples)


def main() -> None:
    """Print a line for each frame and step."""
    parser = argparse.ArgumentParser(description="Measure the bytes of quality layers.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--split", default="train", help="frames of the manifest to measure")
    parser.add_argument("--photo-count", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    frames = real_frames(options.real, options.split, rng)
    paths = sorted(options.photos.glob("*.jxl"))[HELD_OUT]
    for source in (frames, simulated_frames(paths, options.photo_count, rng)):
        for index, (name, frame) in enumerate(source):
            analysis = rendered(frame, index, rng)
            for step in _STEPS:
                print(f"{name} {step} {size_at(analysis, step)}", flush=True)


if __name__ == "__main__":
    main()
