"""Train what quality layers begin with; :mod:`.train_lossless` trains the lossless layer's part.

::

    python -m rawback_lab.contexts.train --real FOLDER --photos FOLDER --out tables.safetensors

All shots are coded at steps drawn at random, which follow the eye as far as chance wants, one after
the other in random order, and the counters and weights of each step class learn on from layer to
layer as if all were one stream. How they
stand at the end is what is stored, less most of their certainty, so that they soon follow a new
frame. Nothing of the shots enters the result but these probabilities and weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from rawback.encoder.quantisation import coarsened
from rawback.encoder.rd_quantisation import RdQuantiser
from rawback.encoder.sampling import Sample
from rawback.encoder.weight_strength import STRENGTHS
from rawback.rate import LAYERS
from rawback.residual import TileCoefficients
from rawback.residual.layers import STEP_CLASSES, LayerState, code_layer, layer_sizes, step_class_of
from rawback_lab.contexts.material import shots
from rawback_lab.contexts.tables import curves
from rawback_lab.contexts.train_lossless import untrained_lossless
from rawback_lab.sums import write_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.entropy import Curves
    from rawback.residual import Slopes

_STEPS = (80, 340)
_ROUNDS, _TILES = 8, 2
"""How often all shots are coded, and how many tiles of each."""

_FIRST_WEIGHT = round(0.3 * (1 << 16))
_CERTAINTY = 14
"""Counters are stored as used so often at most. Between 12 and 30 sizes differ by 0.3 %."""


class States:
    """A state for each step class, of first and of refining layers, that learns on."""

    def __init__(self) -> None:
        counters, sets = layer_sizes()
        self.counters = np.full((2, STEP_CLASSES, counters), 1 << 31, np.uint32)
        self.weights = np.full((2, STEP_CLASSES, sets, 8), _FIRST_WEIGHT, np.int32)

    def of(self, step_code: int, *, refining: bool) -> LayerState:
        """Views of the state that a layer of this step learns in."""
        at = int(refining), step_class_of(step_code)
        return LayerState(self.counters[at], self.weights[at])

    def stored(self) -> dict[str, NDArray[np.generic]]:
        """As `LayerModel` has them. Step classes never coded take what the nearest has learned."""
        counters, weights = self.counters.copy(), self.weights.copy()
        for kind in range(2):
            seen = [c for c in range(STEP_CLASSES) if (counters[kind, c] & 1023).any()]
            for missing in set(range(STEP_CLASSES)) - set(seen) if seen else ():
                nearest = min(seen, key=lambda c: abs(c - missing))
                counters[kind, missing] = counters[kind, nearest]
                weights[kind, missing] = weights[kind, nearest]
        return {
            "layer_probabilities": (counters >> 16).astype(np.uint16),
            "layer_uses": np.minimum(counters & 1023, _CERTAINTY).astype(np.uint8),
            "layer_weights": (weights >> 4).astype(np.int16),
        }


def learn(
    states: States, mixing: Curves, sample: Sample, slopes: Slopes, step: int, layers: int = LAYERS
) -> int:
    """Code layers of a sample down to a step; gives their bytes."""
    fitted = RdQuantiser.fit([sample.coefficients], step, slopes)
    finest = fitted.indices(sample.coefficients)
    tile, size = TileCoefficients.zeros(sample.context.shape), 0
    for layer, octaves in enumerate(reversed(range(layers))):
        quantiser = fitted.quantiser.coarser(octaves)
        tile.set({band: coarsened(index, octaves) for band, index in finest.items()})
        refining = layer > 0
        state = states.of(quantiser.step_code, refining=refining)
        if tile.indices.any():
            size += len(
                code_layer(mixing, state, sample.context, tile, quantiser, None, refining=refining)
            )
    return size


def main() -> None:
    """Write the file and its sum."""
    parser = argparse.ArgumentParser(description="Train what quality layers begin with.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--photo-count", type=int, default=90)
    parser.add_argument("--layers", type=int, default=LAYERS, help="of each payload")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--untrained",
        action="store_true",
        help="write a file of even odds: the library must load one before it can prepare shots",
    )
    options = parser.parse_args()
    if options.untrained:
        _write(States(), curves(), options.out, untrained_lossless())
        return
    rng = np.random.default_rng(0)
    samples: list[tuple[Sample, Slopes]] = []
    for analysis in shots(options.real, options.photos, options.photo_count, rng):
        chosen = rng.permutation(len(analysis.predicted))[:_TILES]
        for index in chosen:
            sample = Sample.of_tile(analysis, analysis.predicted[index]).copy()
            samples.append((sample, analysis.quantisers.slopes))
        print(f"{len(samples)} tiles", flush=True)
    states, mixing = States(), curves()
    for _ in range(_ROUNDS):
        size = 0
        for sample, slopes in map(samples.__getitem__, rng.permutation(len(samples))):
            strength, step = rng.choice((*STRENGTHS, 0.0)), int(rng.integers(*_STEPS))
            followed = tuple(round(strength * slope) for slope in slopes)
            size += learn(states, mixing, sample, followed, step, options.layers)
        print(f"{size} bytes", flush=True)
    known = load_file(options.out) if options.out.exists() else untrained_lossless()
    _write(states, mixing, options.out, known)


def _write(
    states: States, mixing: Curves, path: Path, others: Mapping[str, NDArray[np.generic]]
) -> None:
    tables = {"stretch": mixing.stretch, "squash": mixing.squash}
    save_file({**others, **tables, **states.stored()}, path)
    write_sums(path.parent)
    print(f"wrote {path}", flush=True)


if __name__ == "__main__":
    main()
