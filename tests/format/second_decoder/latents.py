"""The latents and the state they are decoded with (3.11, "State" and "A level", of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .networks import LIMIT, Network, joined, shuffled, signed, unsigned
from .symbols import Symbols, Table

if TYPE_CHECKING:
    from .arrays import Bools, Floats, Ints

STEPS = 4
WINDOW = 5
EDGE = 16


class Level:
    """The latents of one level, decoded in four groups (3.11, A level)."""

    def __init__(self, network: Network, name: str, state: Floats) -> None:
        self.network, self.name, self.state = network, name, state
        self.table = Table(network.tables)
        shape = state.shape[1:]
        self.known: Bools = np.zeros(shape, np.bool_)
        self.decoded: Floats = np.zeros((network.channels(f"{name}.told") // 3, *shape))

    def decode(self, streams: list[Symbols]) -> Floats:
        """The latents, of a stream for each group that is there (3.11, A level)."""
        for step, symbols in enumerate(streams):
            self._decode_group(symbols, step)
        if not self.known.all():
            mean, _, _ = self._told()
            self.decoded = np.where(self.known, self.decoded, mean)
        return self.decoded

    def _run(self, layer: str, x: Floats) -> Floats:
        """A convolution of this level (3.11, A level)."""
        return self.network.convolve(f"{self.name}.{layer}", x)

    def _mark(self) -> Floats:
        """K as a channel (3.11, A level)."""
        return 64.0 * self.known[None].astype(np.float64)

    def _next_group(self, step: int) -> Bools:
        """The positions that are decoded next (point 1)."""
        rows, columns = np.indices(self.known.shape) % 2
        parity = 64.0 * np.stack([rows, columns]).astype(np.float64)
        inner = unsigned(self._run("order.0", joined(self.state, self._mark(), parity)))
        odds = signed(self._run("order.1", inner))[0]
        unknown = np.flatnonzero(~self.known)
        size = -(-len(unknown) // (STEPS - step))
        order = np.argsort(-odds.ravel()[unknown], kind="stable")
        chosen = np.zeros_like(self.known)
        chosen.ravel()[unknown[order[:size]]] = True
        return chosen

    def _coverage(self) -> Floats:
        """q: how much more of the window lies inside than is known, in 1/64 (3.11, A level)."""
        inside, known = (_window_sums(x) for x in (np.ones_like(self.known), self.known))
        return np.where(known > 0, np.rint(64.0 * inside / np.maximum(known, 1)), 0.0)

    def _told(self) -> tuple[Floats, Ints, Floats]:
        """Mean, row of the tables, and exponent of each latent (point 2)."""
        around = self._run("around", self.decoded * self.known) * self._coverage() / 64.0
        inner = unsigned(self._run("joined", joined(self.state, signed(around), self._mark())))
        mean, table, exponent = np.split(self._run("told", inner), 3)
        rows = (unsigned(table) // 4.0).astype(np.int64)
        return signed(mean), rows, np.clip(np.rint(exponent), -256.0, 256.0)

    def _decode_group(self, symbols: Symbols, step: int) -> None:
        """The latents of one group, channel by channel (point 3)."""
        chosen = self._next_group(step)
        mean, rows, exponent = self._told()
        found = symbols.array(self.table, rows[:, chosen].ravel()) - EDGE
        k = symbols.with_escapes(found, EDGE).reshape(len(rows), -1)
        steps = np.rint(256.0 * 2.0 ** (np.rint(exponent[:, chosen] / 8.0) / 8.0 - 3.0))
        values = np.rint((4.0 * mean[:, chosen] + k * steps) / 4.0)
        self.decoded[:, chosen] = np.clip(values, -LIMIT, LIMIT)
        self.known = self.known | chosen


def _window_sums(x: Bools) -> Floats:
    """How many of the 5 x 5 window around each place hold (3.11, A level)."""
    rows, columns = x.shape
    padded = np.pad(x.astype(np.float64), WINDOW // 2)
    total = np.zeros(x.shape)
    for dy in range(WINDOW):
        for dx in range(WINDOW):
            total += padded[dy : dy + rows, dx : dx + columns]
    return total


def decoded_latents(
    network: Network, view: Floats, shift: int, hints: bytes, streams: list[Symbols]
) -> tuple[Floats, Floats]:
    """Main latents Y and state M, of as many of the streams of layers 1 to 5 as there are.

    Written from 3.11, State.
    """

    def run(name: str, x: Floats, stride: int = 1) -> Floats:
        return unsigned(network.convolve(name, x, stride))

    told = [4.0 * shift, *(max(32.0 * hint - 256.0, -LIMIT) for hint in hints)]
    constant = np.ones((len(told), *view.shape[1:])) * np.array(told)[:, None, None]
    g = run("guide.1", run("guide.0", joined(view, constant)))
    c = run("coarser.1", run("coarser.0", g, 2), 2)
    z = Level(network, "auxiliary", c).decode([streams[0]] * STEPS)
    m = joined(g, shuffled(run("lift.1", run("lift.0", joined(z, c))), 4))
    return Level(network, "main", m).decode(streams[1:]), m
