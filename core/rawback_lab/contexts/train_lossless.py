"""Train what the lossless layer begins with, behind :mod:`.train`, whose file it completes.

::

    python -m rawback_lab.contexts.train_lossless --real FOLDER --photos FOLDER \\
        --tables core/rawback/common/tables.safetensors

Distributions and counters learn on from tile to tile as if all were one stream.
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
from rawback.residual.lossless import (
    SYMBOLS,
    LosslessStart,
    LosslessState,
    code_samples,
    lossless_sizes,
)
from rawback_lab.contexts.material import shots
from rawback_lab.contexts.tables import curves
from rawback_lab.sums import write_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis

_CERTAINTY, _SEEN = 24, 1000
"""Counters are stored as used so often at most, and distributions."""


def blank_state() -> LosslessState:
    """Even odds."""
    distributions, counters = lossless_sizes()
    total = (1 << 16) - 4 * SYMBOLS  # each symbol has four units of its own
    begins = np.arange(SYMBOLS, dtype=np.int32) * (total << 6) // SYMBOLS
    return LosslessState(
        np.tile(begins.astype(np.int32), (distributions, 1)),
        np.zeros(distributions, np.int32),
        np.full(counters, 1 << 31, np.uint32),
    )


def start_of(state: LosslessState) -> LosslessStart:
    """What the layer begins with where it is stored as the state stands."""
    return LosslessStart(
        curves(),
        (state.distributions >> 6).astype(np.uint16),
        np.minimum(state.seen, _SEEN).astype(np.uint16),
        (state.counters >> 16).astype(np.uint16),
        np.minimum(state.counters & 1023, _CERTAINTY).astype(np.uint8),
    )


def stored(state: LosslessState) -> dict[str, NDArray[np.generic]]:
    """That start by the names of its arrays in the file."""
    start = start_of(state)
    return {
        "lossless_distributions": start.distributions,
        "lossless_seen": start.seen,
        "lossless_probabilities": start.probabilities,
        "lossless_uses": start.uses,
    }


def untrained_lossless() -> dict[str, NDArray[np.generic]]:
    """What a file holds before it is trained."""
    return stored(blank_state())


def learn(state: LosslessState, analysis: Analysis, tile: int) -> float:
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
    start = start_of(state)
    model = fit_lossless(start, [(known, indices)], domain)
    stream = np.empty(4 * indices.size + 1024, np.uint8)
    written = code_samples(start, state, model, domain, known, stream, indices)
    return 8 * written / indices.size


def main() -> None:
    """Put what was trained into the file, and write its sum."""
    parser = argparse.ArgumentParser(description="Train what the lossless layer begins with.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--photo-count", type=int, default=16)
    parser.add_argument("--tables", type=Path, required=True)
    options = parser.parse_args()
    rng, state = np.random.default_rng(2), blank_state()
    for analysis in shots(options.real, options.photos, options.photo_count, rng):
        bits = learn(state, analysis, int(rng.integers(len(analysis.predicted))))
        print(f"{bits:.3f} bits a sample", flush=True)
    others = {
        name: array
        for name, array in load_file(options.tables).items()
        if not name.startswith("lossless_")
    }
    save_file({**others, **stored(state)}, options.tables)
    write_sums(options.tables.parent)
    print(f"wrote {options.tables}", flush=True)


if __name__ == "__main__":
    main()
