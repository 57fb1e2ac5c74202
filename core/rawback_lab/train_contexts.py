"""Train the residual layer's weights and tables.

::

    python -m rawback_lab.train_contexts --real FOLDER --photos FOLDER --out tables.safetensors

Material: the frames that the folder's manifest marks ``train``, and photographs shot with simulated
cameras, each rendered in a few ways, and quantised as the encoder does at steps drawn at random.
Each such try counts by what it takes to code, so that sparse ones tell as much as dense ones.
Nothing of the material enters the result but some rows of weights and probability tables. The
weights minimise the code length under an exponential distribution of the magnitude, whose mean is
the weighted sum; the tables are then counted.
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
from rawback.codec.coefficients import blank_tile
from rawback.codec.draft import LAYERS
from rawback.codec.samples import Sample, coarsened, indices_at
from rawback.entropy import TableSet, quantise_counts
from rawback.jpegio import decode_jpeg
from rawback.residual import (
    CODES_PER_LAYER,
    ContextWeights,
    LayerModel,
    Quantiser,
    code_layer,
)
from rawback.residual.contexts import (
    CLASSES,
    FEATURES,
    LARGEST_NOISE,
    LARGEST_WEIGHT,
    PLACES,
    REGIMES,
    SPOTS,
    place_of,
)
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

HELD_OUT = slice(4, None, 9)
"""Photographs, in the order of their names, that are kept for measuring."""

_CROP = 2048
_STEPS = (48, 340)
_TRIES, _TILES = 8, 1
"""How often a shot is coded, and the tiles coded each time."""

_ROWS_PER_GROUP = 100
_ROWS_PER_SET = 30_000
_LEAST = 400
"""Indices other than 0 that a try counts for at least: below, it is hardly worth coding well."""

_CERTAIN = 5.0
"""Symbols of a mean try that the tables of all spots together count as in that of each spot."""

_FLOOR = 0.02
"""Half steps that are expected everywhere, so that nothing is impossible."""

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
        around: uint16 ``[n, len(FEATURES)]``.
        spots: Row of the noise weights by place, times SPOTS, plus spot.
        noise: float32 ``[n]``: half steps.
        before: Indices at the layer before.
        index: Magnitudes of the indices coded.
        counts: What each row counts.
    """

    around: list[NDArray[np.uint16]] = field(default_factory=list)
    spots: list[NDArray[np.int64]] = field(default_factory=list)
    noise: list[NDArray[np.float32]] = field(default_factory=list)
    before: list[NDArray[np.int64]] = field(default_factory=list)
    index: list[NDArray[np.int64]] = field(default_factory=list)
    counts: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, seen: Observation, share: float, rng: np.random.Generator) -> None:
        """Keep some rows; all that were seen count `share` each."""
        size = seen.index.size
        rows = rng.permutation(size)[:_ROWS_PER_GROUP]
        shape = seen.index.shape
        place = place_of(seen.band) * SPOTS
        self.around.append(seen.found.reshape(len(FEATURES), -1)[:, rows].T)
        self.spots.append(place + np.broadcast_to(seen.spots, shape).ravel()[rows].astype(np.int64))
        self.noise.append(np.broadcast_to(seen.noise, shape).ravel()[rows])
        self.before.append(seen.before.ravel()[rows].astype(np.int64))
        self.index.append(np.abs(seen.index.ravel()[rows]).astype(np.int64))
        self.counts.append(np.full(len(rows), share * size / max(len(rows), 1), np.float32))


class Counter:
    """A coder that counts symbols by table instead of writing them."""

    decoding = False

    def __init__(self, model: LayerModel) -> None:
        # Sets of tables are told apart by their shapes.
        self._names = {
            getattr(model, name).frequencies.shape: name
            for name in ("first", "grow", "refine", "empty")
        }
        self.counts = {name: np.zeros(shape) for shape, name in self._names.items()}

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Count symbols, which must be given."""
        if symbols is None:
            message = "there is nothing to read from"
            raise ValueError(message)
        name = self._names.get(tables.frequencies.shape)
        if name is not None:
            rows, width = tables.frequencies.shape
            places = indices * np.int64(width) + symbols
            self.counts[name] += np.bincount(places, minlength=rows * width).reshape(rows, width)
        return symbols.astype(np.int32)

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Pass values on, which must be given."""
        if values is None or len(values) != count:
            message = "there is nothing to read from"
            raise ValueError(message)
        return values.astype(np.int32)


def shots(
    real: Path, photos: Path, photo_count: int, rng: np.random.Generator
) -> Iterator[Prepared]:
    """Prepared shots, frames of real cameras first."""
    for index, (_, frame) in enumerate(real_frames(real, "train", rng)):
        yield rendered(frame, index, rng)
    every = sorted(photos.glob("*.jxl"))
    paths = [path for path in every if path not in every[HELD_OUT]]
    for index, (_, frame) in enumerate(simulated_frames(paths, photo_count, rng)):
        yield rendered(frame, index, rng)


def real_frames(
    folder: Path, split: str, rng: np.random.Generator
) -> Iterator[tuple[str, RawFrame]]:
    """Names and square parts of the frames that the folder's manifest marks `split`."""
    with (folder / "manifest.csv").open(encoding="utf-8") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["split"] == split]
    for name in names:
        yield name, _cropped(rawio.read_raw(folder / name), rng)


def simulated_frames(
    paths: list[Path], count: int, rng: np.random.Generator
) -> Iterator[tuple[str, RawFrame]]:
    """Names of photographs drawn at random, and frames of simulated cameras that shot them."""
    for _ in range(count):
        path = paths[rng.integers(len(paths))]
        picture = imagecodecs.jpegxl_decode(path.read_bytes())
        if picture.dtype != np.uint8:
            picture = (picture.astype(np.float32) / 65535) ** 2
        yield path.name, simulate(picture, CameraSpec.random(rng), rng, 1500)


def _cropped(frame: RawFrame, rng: np.random.Generator) -> RawFrame:
    top, left = (2 * int(rng.integers(max(side - _CROP, 0) // 2 + 1)) for side in frame.cfa.shape)
    part = frame.cfa[top : top + _CROP, left : left + _CROP]
    return replace(frame, cfa=np.ascontiguousarray(part), orientation=1)


def rendered(frame: RawFrame, index: int, rng: np.random.Generator) -> Prepared:
    """A frame and a carrier made of it in a style drawn at random, ready for coding."""
    style = list(STYLES.values())[rng.integers(len(STYLES))]
    quality, subsampling = _RENDERINGS[index % len(_RENDERINGS)]
    carrier = decode_jpeg(encode_jpeg(style(frame), quality, subsampling))
    return codec.prepare(frame, carrier).prepared(0)


def code_at_random_steps(
    prepared: Prepared,
    model: LayerModel,
    rng: np.random.Generator,
    keep: dict[Key, Seen] | None,
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Code a shot's tiles at steps drawn at random.

    Returns:
        How often each symbol of each table came, by the share of its try; and the sum of shares.
    """
    total: dict[str, NDArray[np.float64]] = {}
    shares = 0.0
    for _ in range(_TRIES):
        step = int(rng.integers(*_STEPS))
        chosen = rng.permutation(len(prepared.predicted))[:_TILES]
        samples = [Sample.of_tile(prepared, prepared.predicted[index]) for index in chosen]
        finest = [indices_at(sample.coefficients, step) for sample in samples]
        filled = sum(np.count_nonzero(index) for tile in finest for index in tile.values())
        share = 1 / max(filled, _LEAST)

        def observe(seen: Observation, share: float = share) -> None:
            if keep is not None:
                kind = int(seen.band.high_x) + int(seen.band.high_y)
                keep[seen.refining, seen.regime, kind, seen.group].add(seen, share, rng)

        counter = Counter(model)
        for sample, indices in zip(samples, finest, strict=True):
            tile = blank_tile(sample.prediction, prepared.worth)
            for octaves in reversed(range(LAYERS)):
                quantiser = Quantiser(step + octaves * CODES_PER_LAYER)
                code_layer(counter, model, tile, quantiser, coarsened(indices, octaves), observe)
        for name, counts in counter.counts.items():
            total[name] = total.get(name, 0) + share * counts
        shares += share
    return total, shares


def fit_weights(seen: dict[Key, Seen]) -> ContextWeights:
    """Weights that minimise the code length, one set at a time."""
    magnitude = np.zeros((2, REGIMES, 3, 4, len(FEATURES)), np.uint16)
    noise = np.zeros((2, REGIMES, PLACES, 4, SPOTS), np.uint16)
    for key, sets in sorted(seen.items()):
        refining, regime, kind, group = key
        rows = np.random.default_rng(0).permutation(sum(map(len, sets.index)))[:_ROWS_PER_SET]
        around, spots, expected, before, index, counts = (
            torch.from_numpy(np.concatenate(parts)[rows])
            for parts in (
                [part.astype(np.float32) for part in sets.around],
                *(sets.spots, sets.noise, sets.before, sets.index, sets.counts),
            )
        )
        sums = Sums(around, spots, expected)
        of_around, of_spots, bits = _fit(sums, before, index, counts, refining=bool(refining))
        units = np.clip(np.rint(of_around * 256), 0, LARGEST_WEIGHT)
        magnitude[key] = units.astype(np.uint16)
        there = slice(0, 1) if kind == 0 else slice(kind, PLACES, 2)
        noise[refining, regime, there, group] = np.clip(
            np.rint(of_spots[there] * 256), 0, LARGEST_NOISE
        ).astype(np.uint16)
        told = magnitude[key].tolist()
        print(f"{key}: {len(rows)} rows, {bits:.4f} bits, weights {told}", flush=True)
    _fill_regimes(magnitude, noise, seen)
    return ContextWeights(magnitude, noise)


def _fill_regimes(
    magnitude: NDArray[np.uint16], noise: NDArray[np.uint16], seen: dict[Key, Seen]
) -> None:
    """Regimes that no layer has at any step take the weights of the nearest one."""
    for refining in range(2):
        there = sorted({key[1] for key in seen if key[0] == refining})
        for regime in set(range(REGIMES)) - set(there):
            nearest = min(there, key=lambda other: abs(other - regime))
            magnitude[refining, regime] = magnitude[refining, nearest]
            noise[refining, regime] = noise[refining, nearest]


@dataclass(frozen=True, slots=True)
class Sums:
    """What the sums are made of.

    Attributes:
        around: float32 ``[n, len(FEATURES)]``.
        spots: int64 ``[n]``: place x SPOTS + spot.
        noise: float32 ``[n]``.
    """

    around: torch.Tensor
    spots: torch.Tensor
    noise: torch.Tensor


def _fit(
    sums: Sums, before: torch.Tensor, index: torch.Tensor, counts: torch.Tensor, *, refining: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Weights of the magnitudes around, of the noise at each place and spot, and bits a symbol."""
    logs = torch.full((len(FEATURES),), -2.5, requires_grad=True)
    # Spots and places have factors of their own, and what they hold in common comes first.
    of_spot = torch.full((SPOTS,), -1.0, requires_grad=True)
    of_place = torch.zeros((PLACES, 1), requires_grad=True)
    of_both = torch.zeros((PLACES, SPOTS), requires_grad=True)
    parameters = [logs, of_spot, of_place, of_both]
    optimiser = torch.optim.Adam(parameters, lr=0.1)
    counts = counts / counts.sum()
    length = torch.zeros(())
    for step in range(160):
        if step == 110:
            optimiser.param_groups[0]["lr"] = 0.03
        table = torch.exp(of_spot + of_place + of_both)
        noise = table.reshape(-1)[sums.spots] * sums.noise
        mean = sums.around @ torch.exp(logs) + noise + _FLOOR
        if refining:
            # Of an interval of two steps the half nearer to 0 takes the share 1 / (1 + e^(-2/m)).
            near = torch.sigmoid(2 / mean)
            far = torch.where(before == 0, index, index % 2) > 0
            cost = -torch.log(torch.where(far, 1 - near, near) + 1e-9)
        else:
            cost = 2 * index / mean - torch.log(-torch.expm1(-2 / mean) + 1e-12)
        length = (cost * counts).sum()
        held = 1e-4 * ((of_both**2).sum() + (of_place**2).sum())
        optimiser.zero_grad()
        torch.autograd.backward(length + held)
        optimiser.step()
    with torch.no_grad():
        weights: NDArray[np.float32] = torch.exp(logs).numpy()
        found: NDArray[np.float32] = torch.exp(of_spot + of_place + of_both).numpy()
    return weights, found, float(length.detach()) / float(np.log(2))


def counted_tables(counts: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.uint16]]:
    """Tables from counts, symmetric in sign.

    Where a spot's class was seen little it is as that class at all spots, and where that was seen
    little, as an exponential distribution of the class's mean.
    """
    first = counts["first"].reshape(SPOTS, CLASSES, -1)
    grow = counts["grow"].reshape(SPOTS, CLASSES, -1)
    refine = counts["refine"].reshape(SPOTS, 3 * CLASSES, -1)
    first = (first + first[..., ::-1]) / 2
    grow = np.concatenate([grow[..., :1], np.repeat(grow[..., 1:].mean(2)[..., None], 2, 2)], 2)
    means = 5 / 256 * 2.0 ** ((np.arange(CLASSES) - 1) / 3)
    size = np.abs(np.arange(-ESCAPE, ESCAPE + 1))
    falling = np.exp(-2 * size / np.maximum(means, 0.05)[:, None])
    grown = 1 / (1 + np.exp(2 / np.maximum(means, 0.15)))
    priors = {
        "first": falling / falling.sum(axis=1, keepdims=True),
        "grow": np.stack([1 - grown, grown / 2, grown / 2], axis=1),
        "refine": np.full((3 * CLASSES, 2), 0.5),
    }
    smoothed = {
        name: _smoothed(part, priors[name])
        for name, part in (("first", first), ("grow", grow), ("refine", refine))
    }
    return {
        name: quantise_counts(table)
        for name, table in (smoothed | {"empty": counts["empty"] + 0.5}).items()
    }


def _smoothed(counts: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities ``[SPOTS * rows, symbols]`` from counts ``[SPOTS, rows, symbols]``."""
    total = counts.sum(axis=0)
    shared = (total + _CERTAIN * prior) / (total.sum(axis=1, keepdims=True) + _CERTAIN)
    found: NDArray[np.float64] = (counts + _CERTAIN * shared) / (
        counts.sum(axis=2, keepdims=True) + _CERTAIN
    )
    return np.reshape(found, (-1, counts.shape[2]))


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
        np.full((2, REGIMES, 3, 4, len(FEATURES)), 64, np.uint16),
        np.full((2, REGIMES, PLACES, 4, SPOTS), 64, np.uint16),
    )
    return LayerModel(
        weights,
        flat(SPOTS * CLASSES, 2 * ESCAPE + 1),
        flat(SPOTS * CLASSES, 3),
        flat(3 * SPOTS * CLASSES, 2),
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
        code_at_random_steps(prepared, model, rng, seen)
        print(f"{len(material)} shots", flush=True)
    weights = fit_weights(seen)
    model = replace(model, weights=weights)
    total: dict[str, NDArray[np.float64]] = {}
    shares = 0.0
    for prepared in material:
        counts, share = code_at_random_steps(prepared, model, rng, None)
        total = {name: total.get(name, 0) + part for name, part in counts.items()}
        shares += share
    tables = counted_tables({name: part / shares for name, part in total.items()})
    tables |= {"exact": rank_tables()}
    save_file({"magnitude": weights.magnitude, "noise": weights.noise, **tables}, options.out)
    write_sums(options.out.parent)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    main()
