"""Fitting the weights of contexts to what was seen.

They minimise the code length under an exponential distribution of the magnitude, whose mean is the
weighted sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback.residual import ContextWeights
from rawback.residual.contexts import (
    FEATURES,
    LARGEST_NOISE,
    LARGEST_WEIGHT,
    PLACES,
    REGIMES,
    SPOTS,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback_lab.contexts.trials import Key, Seen

_ROWS_PER_SET = 80_000
_STEPS, _FINE_FROM = 240, 170
_LARGEST_COUNT = 0.999
"""Quantile that what a row counts is clipped at: a few rows of sparse tries count a thousand times
the others, and would be all that is fitted."""

_FLOOR = 0.02
"""Half steps that are expected everywhere, so that nothing is impossible."""


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
    counts = counts.clamp(max=float(torch.quantile(counts, _LARGEST_COUNT)))
    counts = counts / counts.sum()
    length = torch.zeros(())
    for step in range(_STEPS):
        if step == _FINE_FROM:
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
