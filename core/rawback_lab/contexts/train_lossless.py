"""Train what the lossless layer begins with, behind :mod:`.train`, whose file it completes.

::

    python -m rawback_lab.contexts.train_lossless --real FOLDER --photos FOLDER \\
        --tables core/rawback/common/tables.safetensors

The counters and weights learn on from tile to tile as if all were one stream.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from rawback.common.tiles import completed
from rawback.encoder.payload_builder import PayloadBuilder
from rawback.rate import LOSSLESS_STEP
from rawback.residual import CodeIndexDomain
from rawback.residual.fitting import fit_lossless
from rawback.residual.layers import LayerState
from rawback.residual.lossless import code_samples, lossless_sizes
from rawback_lab.contexts.material import shots
from rawback_lab.contexts.tables import curves
from rawback_lab.sums import write_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis

_INPUTS = 4
_FIRST_WEIGHT = round(0.5 * (1 << 16))
_CERTAINTY = 24


def blank_state() -> LayerState:
    """Even odds."""
    counters, sets = lossless_sizes()
    weights = np.full((sets, _INPUTS), _FIRST_WEIGHT, np.int32)
    return LayerState(np.full(counters, 1 << 31, np.uint32), weights)


def stored(state: LayerState) -> dict[str, NDArray[np.generic]]:
    """As `LosslessStart` has it."""
    return {
        "lossless_probabilities": (state.counters >> 16).astype(np.uint16),
        "lossless_uses": np.minimum(state.counters & 1023, _CERTAINTY).astype(np.uint8),
        "lossless_weights": (state.weights >> 4).astype(np.int16),
    }


def untrained_lossless() -> dict[str, NDArray[np.generic]]:
    """What a file holds before it is trained."""
    return stored(blank_state())


def learn(state: LayerState, analysis: Analysis, tile: int) -> float:
    """Code the samples of a tile; gives the bits of one."""
    source, builder = analysis.source, PayloadBuilder(analysis.source.header, analysis)
    builder.quantise(LOSSLESS_STEP)
    known = analysis.lossless_tile(tile, builder.restored_values())
    window, mosaic = analysis.predicted[tile].window, source.frame.mosaic
    samples = completed(source.frame.cfa, mosaic)
    codes = np.unique(samples)
    own = samples[window.samples_within(source.grid.whole, mosaic)]
    indices = np.searchsorted(codes, own).astype(np.int32)
    domain = CodeIndexDomain.of(source.domain.forward, [codes])
    model = fit_lossless([(known, indices)], domain)
    stream = np.empty(4 * indices.size + 1024, np.uint8)
    written = code_samples(curves(), state, model, domain, known, stream, indices)
    return 8 * written / indices.size


def main() -> None:
    """Put what was trained into the file, and write its sum."""
    parser = argparse.ArgumentParser(description="Train what the lossless layer begins with.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--photo-count", type=int, default=4)
    parser.add_argument("--tables", type=Path, required=True)
    options = parser.parse_args()
    rng, state = np.random.default_rng(2), blank_state()
    for analysis in shots(options.real, options.photos, options.photo_count, rng):
        bits = learn(state, analysis, int(rng.integers(len(analysis.predicted))))
        print(f"{bits:.3f} bits a sample", flush=True)
    save_file({**load_file(options.tables), **stored(state)}, options.tables)
    write_sums(options.tables.parent)
    print(f"wrote {options.tables}", flush=True)


if __name__ == "__main__":
    main()
