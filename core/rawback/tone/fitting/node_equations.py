"""Least squares for the nodes of a grid between which samples are interpolated.

The kernels are in ``kernels/nodes.c``. A node shares samples with its neighbours alone, so that few
diagonals of the equations' matrix hold anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Interpolated", "NodeEquations", "offsets_between"]

_add_squares = Kernel(
    "add_squares",
    *(Read(np.int32, 1), Read(np.int32, 1), Read(np.float64, 2), Read(np.int32, 2)),
    Write(np.float64, 2),
)
_add_moments = Kernel(
    "add_moments",
    *(Read(np.int32, 1), Read(np.int32, 1), Read(np.float64, 2), Read(np.float64, 1)),
    Write(np.float64, 1),
)
_solve_nodes = Kernel(
    "solve_nodes",
    *(Read(np.float64, 2), Read(np.int32, 1), Read(np.float64, 1), Integer, Integer),
    *(Write(np.float64, 1), Write(np.float64, 2)),
)

_ROUNDS = 400


@dataclass(frozen=True, slots=True)
class Interpolated:
    """Samples between the nodes of a grid.

    Attributes:
        nodes: How many the grid has.
        first: int32 ``[n]``: the first node around each sample, counted along the grid's rows.
        steps: int32 ``[k]``, ascending from 0: from it to the nodes around.
        weights: float64 ``[n, k]``: what the sample takes of each.
    """

    nodes: int
    first: NDArray[np.int32]
    steps: NDArray[np.int32]
    weights: NDArray[np.float64]

    def moments(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Right side of the equations of nodes that give the samples these values."""
        found = np.zeros(self.nodes)
        _add_moments(self.first, self.steps, self.weights, values, found)
        return found


def offsets_between(steps: NDArray[np.int32]) -> set[int]:
    """From which nodes to which later ones nodes around one sample lie."""
    return set((steps - steps[:, None])[np.triu_indices(len(steps))].tolist())


class NodeEquations:
    """A symmetric, positive definite system of equations for the nodes of a grid.

    Attributes:
        offsets: int32 ``[m]``, ascending from 0: of the diagonals that are kept.
        diagonals: float64 ``[m, nodes]``: entry ``i`` of a diagonal couples node ``i`` with node
            ``i`` plus its offset.
    """

    def __init__(self, nodes: int, offsets: Iterable[int]) -> None:
        self.offsets = np.array(sorted({0, *offsets}), np.int32)
        self.diagonals = np.zeros((len(self.offsets), nodes))

    def add(self, samples: Interpolated) -> None:
        """Add the squares of samples, whose nodes' offsets must be kept."""
        steps = samples.steps
        which = np.searchsorted(self.offsets, np.maximum(steps - steps[:, None], 0))
        places = which.astype(np.int32)
        _add_squares(samples.first, steps, samples.weights, places, self.diagonals)

    def solved(
        self, target: NDArray[np.float64], start: float = 0.0, digits: int = 5
    ) -> NDArray[np.float64]:
        """The nodes.

        Args:
            target: The right side, ``[nodes]``.
            start: What all nodes are at first; where no equation asks for anything, they stay near.
            digits: How exact: what is left of the right side is ``10 ** -digits`` of it.
        """
        nodes = np.full(len(target), start)
        room = np.empty((4, len(target)))
        _solve_nodes(self.diagonals, self.offsets, target, digits, _ROUNDS, nodes, room)
        return nodes
