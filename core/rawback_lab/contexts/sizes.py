"""Measure what the quality layers take at given steps, for the same quantised data.

::

    python -m rawback_lab.contexts.sizes --real FOLDER --photos FOLDER [--split test]

    python -m rawback_lab.contexts.sizes ... --layers 1 --tables FILE

Each line is a frame, a step code, the bytes of its layers, all tiles together, and the seconds that
quantising and coding them took. What layers begin with may be of another file, such as
:mod:`rawback_lab.contexts.train` makes for another number of layers. Frames are those that the
folder's manifest marks `split`, cut to a square, and photographs that
:mod:`rawback_lab.contexts.train` never sees, shot with simulated cameras. As the quantised data do
not depend on tables and contexts, lines of two versions can be compared one by one.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.coding_tables import coding_tables, read_tables
from rawback.encoder.rate_control import layers_size
from rawback.encoder.sampling import Sample
from rawback.rate import LAYERS
from rawback_lab.contexts.material import HELD_OUT, real_frames, rendered, simulated_frames

if TYPE_CHECKING:
    from rawback.encoder.analysis import Analysis
    from rawback.residual import LayerModel

_STEPS = (96, 128, 150, 170, 190, 210, 230, 250, 270, 290, 320)


def size_at(analysis: Analysis, step: int, layers: int, model: LayerModel) -> int:
    """Bytes of layers down to a step, without those of the sections' heads."""
    samples = [Sample.of_tile(analysis, prediction) for prediction in analysis.predicted]
    quantiser = analysis.quantisers.at(step)
    return sum(layers_size(sample, quantiser, layers, model)[0] for sample in samples)


def main() -> None:
    """Print a line for each frame and step."""
    parser = argparse.ArgumentParser(description="Measure the bytes of quality layers.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--split", default="train", help="frames of the manifest to measure")
    parser.add_argument("--photo-count", type=int, default=5)
    parser.add_argument("--layers", type=int, default=LAYERS, help="down to each step")
    parser.add_argument("--tables", type=Path, help="what layers begin with, if not as stored")
    options = parser.parse_args()
    tables = read_tables(options.tables.read_bytes()) if options.tables else coding_tables()
    rng = np.random.default_rng(1)
    frames = real_frames(options.real, options.split, rng)
    paths = sorted(options.photos.glob("*.jxl"))[HELD_OUT]
    for source in (frames, simulated_frames(paths, options.photo_count, rng)):
        for index, (name, frame) in enumerate(source):
            analysis = rendered(frame, index, rng)
            for step in _STEPS:
                start = time.process_time()
                size = size_at(analysis, step, options.layers, tables.layers)
                print(f"{name} {step} {size} {time.process_time() - start:.3f}", flush=True)


if __name__ == "__main__":
    main()
