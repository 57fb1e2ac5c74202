"""The learned layer, added to the base (3.11, "Synthesis", of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .frame import CLIPPED
from .latents import decoded_latents
from .networks import Network, joined, shuffled, signed, unsigned
from .payload import Sections, Source
from .refusal import refuse, require
from .symbols import Symbols
from .views import Mirror, views_of

if TYPE_CHECKING:
    from .arrays import Floats, Ints
    from .guide import Guide
    from .mosaics import Pattern

LATENTS = 6
LAYERS = 6


def _features(x: Floats) -> Floats:
    """R of a number of sixteenths: rounded, ties to even, from -255 to 255 (3.11, Synthesis)."""
    return np.clip(np.rint(x), -255.0 * 16, 255.0 * 16)


def _interpolated(x: Floats, n: int, axis: int) -> Floats:
    """Positions interpolated linearly to n sites each along an axis (3.11, Synthesis)."""
    x = np.moveaxis(x, axis, 0)
    place = (np.arange(n * len(x)) + 0.5) / n - 0.5
    place = np.clip(place, 0.0, len(x) - 1.0)
    first = np.minimum(place.astype(np.int64), max(len(x) - 2, 0))
    part = (place - first).reshape(-1, *[1] * (x.ndim - 1))
    after = x[np.minimum(first + 1, len(x) - 1)]
    return np.moveaxis(x[first] * (1.0 - part) + after * part, 0, axis)


class Synthesis:
    """The network that makes features of a frame (3.11, Synthesis)."""

    def __init__(self, network: Network, shift: int) -> None:
        self.network = network
        self.cell = 4 if network.linear else 2
        self.scale = float(np.rint(64.0 * 2.0 ** (shift / 8)))

    def _run(self, name: str, x: Floats) -> Floats:
        """A convolution of the synthesis (3.11, Synthesis)."""
        return self.network.convolve(f"synthesis.{name}", x)

    def features(self, view: Floats, latents: tuple[Floats, Floats] | None) -> Floats:
        """The 12 features of each site in 1/16, where `latents` are Y and M (3.11, Synthesis)."""
        stem = self._run("stem", view)
        h, g = stem[:64], unsigned(stem[64:])
        if latents is not None:
            gathered = unsigned(self._run("gathered", joined(*latents)))
            h = signed(h) + shuffled(signed(self._run("lifted", gathered)), 4)
        h = unsigned(h)
        for n in range(4):
            h = unsigned(self._run(f"blocks.{n}", joined(h, g)) + h)
        found = _features(shuffled(self._run("out", joined(h, g)), self.cell) / 4.0)
        if latents is None:
            return found
        told = shuffled(signed(self._run("told", joined(h, g))), self.cell)
        means = signed(self.network.convolve("means.means", latents[0]))
        wide = _features(self.scale * means / 256.0)
        for axis in (1, 2):
            wide = _interpolated(wide, 4 * self.cell, axis)
        return _features(found + _features(self.scale * told / 256.0) + wide)


def _readout(network: Network, data: bytes) -> Ints:
    """The readout in 1/64, of the stored one and the integers of layer 0 (3.11, Synthesis)."""
    stored = np.clip(network.readout, -127, 127)
    found = stored + Symbols(data).integers(stored.size).reshape(stored.shape)
    require(bool((np.abs(found) <= 127).all()), "an impossible readout")
    return found


def _corrected(base: Ints, spots: Ints, features: Ints, readout: Ints, mirror: Mirror) -> Ints:
    """The base with the readout of the features added (3.11, Synthesis)."""
    planes = mirror.turn_planes(base)
    rows, columns = planes.shape[1:]
    seen = features[:, :rows, :columns]
    odd = mirror.turn(spots >= CLIPPED)
    plain, other = (np.tensordot(one, seen, 1) for one in readout)
    correction = np.where(odd, 16 * other, plain) + 32 >> 6
    return mirror.turn_planes(np.clip(planes + correction, -32767, 32767))


def with_learned_layer(
    base: Ints,
    guide: Guide,
    spots: Ints,
    sections: Sections,
    pattern: Pattern,
    networks: dict[bytes, Network],
) -> Ints:
    """The base with the learned layer, as far as its sections are there (3.11, Synthesis)."""
    layers = []
    for layer in range(LAYERS):
        data = sections.get((LATENTS, layer, 0))
        if data is None:
            break
        layers.append(Source(data))
    if not layers:
        return base
    network = networks.get(layers[0].take(8))
    if network is None:
        refuse("weights that this reader does not have")
    served = ("R+G+B",) if network.linear else ("RGGB", "BGGR", "GRBG", "GBRG")
    require(pattern.text in served, "weights that are not for such a raw")
    shift = layers[0].number(1)
    require(shift <= 56, "an impossible shift")
    mirror = Mirror.of(pattern)
    views = views_of(guide, spots, base, mirror)
    latents = None
    if len(layers) > 1:
        hints = layers[1].take(3)
        require(max(hints) <= 15, "impossible hints")
        streams = [Symbols(source.rest()) for source in layers[1:]]
        latents = decoded_latents(network, views.latents, shift, hints, streams)
    features = Synthesis(network, shift).features(views.cells, latents).astype(np.int64)
    readout = _readout(network, layers[0].rest())
    return _corrected(base, spots, features, readout, mirror)
