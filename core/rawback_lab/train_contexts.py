"""Train the residual layer's weights and tables.

::

    python -m rawback_lab.train_contexts --real FOLDER --photos FOLDER --out tables.safetensors

Material: the frames that the folder's manifest marks ``train``, and photographs shot with simulated
cameras, each rendered in a few ways. Nothing of it enters the result but some rows of weights and
probability tables. The weights minimise the code length under an exponential distribution of the
magnitude, whose mean is the weighted sum; the tables are then counted.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import torch
from safetensors.numpy import save_file
from scipy import stats

from rawback import codec, rawio
from rawback.codec.coefficients import band_slices, blank_tile
from rawback.entropy import TableSet, quantise_counts
from rawback.jpegio import decode_jpeg
from rawback.residual import (
    CODES_PER_LAYER,
    Band,
    ContextWeights,
    LayerModel,
    Quantiser,
    Spot,
    code_layer,
)
from rawback.residual.contexts import CLASSES, FEATURES, REGIMES, regime_of
from rawback.residual.exact import ESCAPE as RANK_ESCAPE
from rawback.residual.exact import FAMILY
from rawback.residual.layers import ESCAPE, Observation
from rawback.residual.wavelet import LEVELS
from rawback_lab.camera import CameraSpec
from rawback_lab.render import STYLES, Subsampling, encode_jpeg
from rawback_lab.simulate import simulate
from rawback_lab.sums import write_sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.codec.source import Prepared
    from rawback.types import RawFrame

_CROP = 2048
_STEPS = (90, 310)
_ROWS_PER_GROUP = 300
_ROWS_PER_SET = 80_000
_RENDERINGS: tuple[tuple[int, Subsampling], ...] = (
    (92, "4:2:0"),
    (96, "4:4:4"),
    (80, "4:2:0"),
    (88, "4:2:2"),
)

Key = tuple[int, int, int, int]
"""Refining or not, regime, kind of band, group: what each row of weights is for."""


@dataclass(slots=True)
class Seen:
    """What one set of weights is fitted to, gathered piece by piece.

    Attributes:
        inputs: float32 ``[n, features + spots]``.
        before: Indices at the layer before.
        index: Magnitudes of the indices coded.
    """

    inputs: list[NDArray[np.float32]] = field(default_factory=list)
    before: list[NDArray[np.int64]] = field(default_factory=list)
    index: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, seen: Observation, rng: np.random.Generator) -> None:
        count = seen.index.size
        rows = rng.permutation(count)[:_ROWS_PER_GROUP]
        around = seen.found.reshape(len(FEATURES), -1)[:, rows].T
        spots = np.broadcast_to(seen.spots, seen.found.shape[1:]).ravel()[rows]
        noise = np.eye(len(Spot))[spots] * (seen.noise_level / 16)
        self.inputs.append(np.concatenate([around, noise], axis=1).astype(np.float32))
        self.before.append(seen.before.ravel()[rows].astype(np.int64))
        self.index.append(np.abs(seen.index.ravel()[rows]).astype(np.int64))


class Counter:
    """A coder that counts symbols by table instead of writing them."""

    decoding = False

    def __init__(self, model: LayerModel) -> None:
        self.model = model
        self.counts = {
            name: np.zeros(getattr(model, name).frequencies.shape)
            for name in ("first", "grow", "refine", "empty")
        }

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        if symbols is None:
            message = "there is nothing to read from"
            raise ValueError(message)
        for name, counts in self.counts.items():
            if tables is getattr(self.model, name):
                np.add.at(counts, (indices.astype(np.intp), symbols), 1)
        return symbols.astype(np.int32)

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        if values is None or len(values) != count:
            message = "there is nothing to read from"
            raise ValueError(message)
        return values.astype(np.int32)


def shots(
    real: Path, photos: Path, photo_count: int, rng: np.random.Generator
) -> Iterator[Prepared]:
    """Prepared shots, frames of real cameras first."""
    with (real / "manifest.csv").open(encoding="utf-8") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["split"] == "train"]
    frames = (_cropped(rawio.read_raw(real / name), rng) for name in names)
    for index, frame in enumerate(frames):
        yield _prepared(frame, index, rng)
    paths = sorted(photos.glob("*.jxl"))
    for index in range(photo_count):
        picture = imagecodecs.jpegxl_decode(paths[rng.integers(len(paths))].read_bytes())
        if picture.dtype != np.uint8:
            picture = (picture.astype(np.float32) / 65535) ** 2
        yield _prepared(simulate(picture, CameraSpec.random(rng), rng, 1500), index, rng)


def _cropped(frame: RawFrame, rng: np.random.Generator) -> RawFrame:
    top, left = (2 * int(rng.integers(max(side - _CROP, 0) // 2 + 1)) for side in frame.cfa.shape)
    part = frame.cfa[top : top + _CROP, left : left + _CROP]
    return replace(frame, cfa=np.ascontiguousarray(part), orientation=1)


def _prepared(frame: RawFrame, index: int, rng: np.random.Generator) -> Prepared:
    style = list(STYLES.values())[rng.integers(len(STYLES))]
    quality, subsampling = _RENDERINGS[index % len(_RENDERINGS)]
    carrier = decode_jpeg(encode_jpeg(style(frame), quality, subsampling))
    return codec.prepare(frame, carrier).prepared(0)


def code_at_random_steps(
    prepared: Prepared,
    model: LayerModel,
    coder: Counter,
    rng: np.random.Generator,
    keep: dict[Key, Seen] | None,
) -> None:
    """Code a shot's tiles at steps and numbers of layers drawn at random."""
    whole = prepared.shot.grid.whole

    def observe(seen: Observation) -> None:
        if keep is not None:
            keep[seen.refining, regime_of(seen.noise_level), seen.kind, seen.group].add(seen, rng)

    for prediction in prepared.predicted:
        for _ in range(3):
            layers, step = int(rng.integers(1, 5)), int(rng.integers(*_STEPS))
            tile = blank_tile(prediction.spots)
            finest = Quantiser(step)
            indices = {
                band: finest.indices(
                    values[(slice(None), *band_slices(band, prediction.window, whole))], band
                )
                for band, values in prepared.coefficients.items()
            }
            for layer in range(layers):
                octaves = layers - 1 - layer
                quantiser = Quantiser(step + octaves * CODES_PER_LAYER)
                shifted = _shifted(indices, octaves)
                code_layer(coder, model, tile, quantiser.noise_level(), shifted, observe)


def _shifted(indices: dict[Band, NDArray[np.int32]], octaves: int) -> dict[Band, NDArray[np.int32]]:
    return {band: np.sign(index) * (np.abs(index) >> octaves) for band, index in indices.items()}


def fit_weights(seen: dict[Key, Seen]) -> ContextWeights:
    """Weights that minimise the code length, one set at a time."""
    magnitude = np.zeros((2, REGIMES, 3, 4, len(FEATURES)), np.uint8)
    noise = np.zeros((2, REGIMES, 3, 4, len(Spot)), np.uint8)
    for key, sets in sorted(seen.items()):
        inputs, before, index = (
            torch.from_numpy(np.concatenate(parts))
            for parts in (sets.inputs, sets.before, sets.index)
        )
        rows = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
        rows = rows[:_ROWS_PER_SET]
        weights, bits = _fit(inputs[rows], before[rows], index[rows].float(), refining=bool(key[0]))
        units = np.clip(np.rint(weights * 64), 0, 255).astype(np.uint8)
        magnitude[key], noise[key] = units[: len(FEATURES)], units[len(FEATURES) :]
        print(f"{key}: {len(rows)} rows, {bits:.4f} bits, weights {units.tolist()}", flush=True)
    return ContextWeights(magnitude, noise)


def _fit(
    inputs: torch.Tensor, before: torch.Tensor, index: torch.Tensor, *, refining: bool
) -> tuple[NDArray[np.float32], float]:
    logs = torch.full((inputs.shape[1],), -2.5, requires_grad=True)
    optimiser = torch.optim.Adam([logs], lr=0.1)
    loss = torch.zeros(())
    for step in range(240):
        if step == 160:
            optimiser.param_groups[0]["lr"] = 0.03
        mean = inputs @ torch.exp(logs) + 0.06
        if refining:
            # Of an interval of two steps the half nearer to 0 takes the share 1 / (1 + e^(-2/m)).
            near = torch.sigmoid(2 / mean)
            far = torch.where(before == 0, index, index % 2) > 0
            cost = -torch.log(torch.where(far, 1 - near, near) + 1e-9)
        else:
            cost = 2 * index / mean - torch.log(-torch.expm1(-2 / mean) + 1e-12)
        loss = cost.mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    found: NDArray[np.float32] = torch.exp(logs).detach().numpy()
    return found, float(loss.detach()) / float(np.log(2))


def counted_tables(counts: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.uint16]]:
    """Tables from counts, symmetric in sign and smoothed by what the class would predict."""
    first, grow = counts["first"], counts["grow"]
    first = (first + first[:, ::-1]) / 2
    size = np.abs(np.arange(-ESCAPE, ESCAPE + 1))
    means = 2.0 ** ((np.arange(len(first)) % CLASSES - 9) / 3)
    prior = np.exp(-2 * size / np.maximum(means, 0.05)[:, None])
    first = first + 20 * prior / prior.sum(axis=1, keepdims=True)
    grow[:, 1:] = grow[:, 1:].mean(axis=1, keepdims=True)
    smoothed = {
        "first": first,
        "grow": grow + np.array([2, 0.2, 0.2]),
        "refine": counts["refine"] + 1,
        "empty": counts["empty"] + 1,
    }
    return {name: quantise_counts(table) for name, table in smoothed.items()}


def rank_tables() -> NDArray[np.uint16]:
    """The exact layer's family: Gaussian, logistic, Laplacian and Student's t with 3 degrees."""
    shapes, scales, fractions = FAMILY
    spread = 2.0 ** (np.arange(scales) / 4 - 3)[:, None, None]
    middle = (np.arange(fractions) / fractions + 1 / (2 * fractions))[None, :, None]
    edges = np.arange(-RANK_ESCAPE, RANK_ESCAPE) + 0.5 - middle
    families = (stats.norm, stats.logistic, stats.laplace, stats.t(3))
    # Factors that give the families a like spread.
    factors = (1.0, 0.5513, 0.7071, 0.6)
    tables = []
    for family, factor in zip(families[:shapes], factors, strict=True):
        below = family.cdf(edges / (spread * factor))
        below = np.pad(below, ((0, 0), (0, 0), (1, 1)), constant_values=((0, 0), (0, 0), (0, 1)))
        tables.append(np.diff(below, axis=2).reshape(scales * fractions, -1))
    return quantise_counts(np.maximum(np.concatenate(tables), 0) + 1e-6)


def blank_model() -> LayerModel:
    """Equal weights and flat tables, to begin with."""

    def flat(tables: int, symbols: int) -> TableSet:
        return TableSet(quantise_counts(np.zeros((tables, symbols))))

    weights = ContextWeights(
        np.full((2, REGIMES, 3, 4, len(FEATURES)), 16, np.uint8),
        np.full((2, REGIMES, 3, 4, len(Spot)), 16, np.uint8),
    )
    return LayerModel(
        weights,
        flat(REGIMES * CLASSES, 2 * ESCAPE + 1),
        flat(REGIMES * CLASSES, 3),
        flat(3 * REGIMES * CLASSES, 2),
        flat(2 * LEVELS, 2),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the residual layer's weights and tables.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--photo-count", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    material = []
    seen: dict[Key, Seen] = defaultdict(Seen)
    model = blank_model()
    for prepared in shots(options.real, options.photos, options.photo_count, rng):
        material.append(prepared)
        code_at_random_steps(prepared, model, Counter(model), rng, seen)
        print(f"{len(material)} shots", flush=True)
    weights = fit_weights(seen)
    model = replace(model, weights=weights)
    counter = Counter(model)
    for prepared in material:
        code_at_random_steps(prepared, model, counter, rng, None)
    tables = counted_tables(counter.counts) | {"exact": rank_tables()}
    save_file({"magnitude": weights.magnitude, "noise": weights.noise, **tables}, options.out)
    write_sums(options.out.parent)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    main()
