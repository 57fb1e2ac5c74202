"""Choosing the learned layer of a frame: encoder only.

A few ways to use it are tried on some tiles, with and without latents, and priced by the bits that
the residual layer would need after them. Bits say little of what is gained where the guide clips:
few places, which cost few bits, and have most of the error of a small payload. So of the ways that
seem to pay, what the payload would be worth decides. None is coded where none pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import torch

from rawback.bitstream import Section, SectionKind
from rawback.common.latents import (
    READOUT_ONE,
    DecodedLatents,
    LatentHeader,
    code_latents,
    coding_order,
    corrected,
    features_of,
    guide_state,
)
from rawback.common.network_input import (
    NetworkInput,
    Tile,
    in_torch_threads,
    single_threaded,
)
from rawback.common.tiles import Window
from rawback.entropy import SymbolEncoder
from rawback.models import scale_of
from rawback.models.objective import (
    energies,
    error_left,
    fitted_readout,
    gain_of,
    residual_bits,
    side_information,
    theta_of,
)
from rawback.tone import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.common.error_weights import ErrorWeights
    from rawback.models.objective import Emphasis
    from rawback.weights import Weights

__all__ = ["LearnedLayer", "Readout", "Use", "choose_learned_layer"]

Use: TypeAlias = Literal["auto", "never", "bare", "full"]
"""The learned layer where it pays, never, always without latents, always with all of them."""

Readout: TypeAlias = Literal["usual", "fitted", "guarded"]
"""The network's own readout, one fitted to the frame, or that with the base alone where the guide
clips or is missing."""

_TRIED, _TRIED_SIDE, _LARGE_TRIED_SIDE = 4, 512, 256
"""Tiles on which ways are tried, and how many sites of them along each side: all of a Bayer frame's
tile. The features of all of a linear one would take four times the memory and tell no more. Of
large frames, whose excerpt has told already that the layer pays, fewer do."""

_LEAST_GAIN, _LARGE_LEAST_GAIN, _LARGE = 0.01, 0.06, 1 << 22
"""Part of the bits that the layer must save to be worth the time it takes, and what it must save on
frames of more than so many quads, or pixels of linear RGB: of those that converters sharpened it
saves 7 to 15 percent, of plain renderings 2 to 5."""

_LARGE_JUDGED = 2
"""Ways of such frames of which it is seen what a payload would be worth: those that save most."""

_COARSE = 16
"""Shift from which on latents were trained: below, they would code noise."""


@dataclass(frozen=True, slots=True)
class LearnedLayer:
    """The learned layer of a frame.

    Attributes:
        sections: Of the latents.
        planes: int16 ``[4, h, w]``: the base with what the layer adds.
        coding_order: From :func:`rawback.common.latents.coding_order`.
        readout: Which readout it has.
    """

    sections: list[Section]
    planes: NDArray[np.int16]
    coding_order: NDArray[np.uint8] | None
    readout: Readout


@dataclass(frozen=True, slots=True)
class _Trial:
    """One way to use the layer: its sections, what they decode to, and what is left to code."""

    kind: Readout
    sections: list[bytes]
    readout: NDArray[np.int32]
    decoded: DecodedLatents
    bits: float

    def layer(self, view: NetworkInput) -> LearnedLayer:
        """The layer of the whole frame."""
        sections = [
            Section(SectionKind.LATENTS, layer, 0, data) for layer, data in enumerate(self.sections)
        ]
        planes = corrected(view, self.decoded, self.readout)
        return LearnedLayer(sections, planes, coding_order(view, self.decoded), self.kind)


def choose_learned_layer(
    model: Weights,
    view: NetworkInput,
    truth: NDArray[np.int16],
    weights: ErrorWeights,
    shift: int,
    use: Use = "auto",
    report: Callable[[float], None] = lambda _done: None,
    *,
    latents: bool = True,
    readout: Readout | None = None,
    worth: Callable[[LearnedLayer], float] | None = None,
    emphasis: Emphasis | None = None,
    times: float = 1.0,
) -> LearnedLayer | None:
    """The learned layer that is worth most, or None where none pays.

    Args:
        model: The weights to use.
        view: The frame.
        truth: int16 ``[4, h, w]``: the raw in domain units.
        weights: What errors count.
        shift: Eighths of an octave by which quantiser steps are above the noise.
        use: Whether it is to be used even where it does not pay.
        report: Is told which part is done; may raise to stop it.
        latents: Whether latents are tried where that is left open.
        readout: The only one to try; by default all.
        worth: What a payload with a layer would be worth. By default what the layer saves counts.
        emphasis: What the residual is coded finer by.
        times: How many times as large the frame is that `view` stands for.
    """
    if use == "never":
        return None

    def choose() -> LearnedLayer | None:
        target = view.flipped_planes(truth)
        is_whole_and_large = times == 1 and view.classes.size > _LARGE
        tiles = _sampled(view, _LARGE_TRIED_SIDE if is_whole_and_large else _TRIED_SIDE)
        samples = [_Sample.of(view, target, weights, tile, emphasis) for tile in tiles]
        chosen = _Choice(model, view, target, samples, shift, report, readout, worth, times)
        return chosen.of(use, latents=latents)

    return single_threaded(choose)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The choice among ways; attributes as the arguments of :func:`choose_learned_layer`."""

    model: Weights
    view: NetworkInput
    target: NDArray[np.int16]
    samples: list[_Sample]
    shift: int
    report: Callable[[float], None]
    readout: Readout | None
    worth: Callable[[LearnedLayer], float] | None
    times: float

    def of(self, use: Use, *, latents: bool) -> LearnedLayer | None:
        """The best layer of a use."""
        shift, theta = self.shift, theta_of(torch.full((1, 1, 1, 1), 2.0 ** (self.shift / 8)))
        without = sum(sample.bits(sample.residual, theta) for sample in self.samples)
        cells = self.times * self.view.classes.size
        scale = cells / sum(sample.tile.core.area for sample in self.samples)
        is_large = cells > _LARGE
        least = (_LARGE_LEAST_GAIN if is_large else _LEAST_GAIN) * without * scale

        def saved(trial: _Trial) -> float:
            header, *groups = map(len, trial.sections)
            return (without - trial.bits) * scale - 8 * (header + self.times * sum(groups))

        trials: list[_Trial] = []
        if use != "full":
            trials += self._tried(theta, DecodedLatents(self.model, shift), [])
            self.report(0.2)
        # Latents are sought for the whole frame, which takes time; where the networks have nothing
        # to say without them, they hardly have with them.
        worth_trying = latents and shift >= _COARSE
        hope = least if is_large else least / 2
        hopeful = worth_trying and any(saved(trial) > hope for trial in trials)
        if use == "full" or (use == "auto" and hopeful):
            decoded, groups = _with_latents(
                self.model, self.view, self.target, shift, lambda done: self.report(0.8 * done)
            )
            trials += self._tried(theta, decoded, groups)
            self.report(0.7)
        if use == "auto":
            trials = [trial for trial in trials if saved(trial) >= least]
        if not trials:
            return None
        trials.sort(key=saved, reverse=True)
        if self.view.classes.size > _LARGE:
            trials = trials[:_LARGE_JUDGED]
        return self._best(trials)

    def _best(self, trials: list[_Trial]) -> LearnedLayer:
        """What is worth most of several ways, or the first."""
        best = trials[0].layer(self.view)
        if self.worth is None or len(trials) == 1:
            return best
        most = self.worth(best)
        for trial in trials[1:]:
            # One after the other: each takes as much memory as the frame.
            layer = trial.layer(self.view)
            worth = self.worth(layer)
            if worth > most:
                best, most = layer, worth
        return best

    def _tried(
        self, theta: torch.Tensor, decoded: DecodedLatents, groups: list[bytes]
    ) -> list[_Trial]:
        return _try_readouts(self.view, self.samples, theta, decoded, groups, self.readout)


def _sampled(view: NetworkInput, side: int) -> list[Tile]:
    """Some tiles of a frame, or of each so many sites along each side."""
    tiles = view.tiles()
    cores = (tile.core for tile in tiles[:: -(-len(tiles) // _TRIED)])
    parts = (Window(c.top, c.left, c.top + side, c.left + side) for c in cores)
    return [view.tile(part.intersection(view.whole)) for part in parts]


@dataclass(frozen=True, slots=True)
class _Sample:
    """A tile on which ways are tried; all ``[1, C, h, w]``."""

    tile: Tile
    residual: torch.Tensor
    gain: torch.Tensor
    weights: torch.Tensor
    emphasis: Emphasis | None

    @classmethod
    def of(
        cls,
        view: NetworkInput,
        target: NDArray[np.int16],
        weights: ErrorWeights,
        tile: Tile,
        emphasis: Emphasis | None,
    ) -> _Sample:
        base = view.base[(slice(None), *tile.core.slices)]
        return cls(
            tile,
            _residual(view, target, tile.core),
            gain_of(view.flags(tile.core)),
            torch.from_numpy(weights.at(base))[None],
            emphasis,
        )

    def bits(self, error: torch.Tensor, theta: torch.Tensor) -> float:
        """What coding an error over the tile takes, about."""
        bits = residual_bits(error * self.weights, theta, self.emphasis)
        return float(bits) * error.numel()


def _with_latents(
    model: Weights,
    view: NetworkInput,
    target: NDArray[np.int16],
    shift: int,
    report: Callable[[float], None],
) -> tuple[DecodedLatents, list[bytes]]:
    """Latents of a frame as the decoder will have them, and their coded groups."""
    network, position = model.network, view.position
    rows, columns = view.classes.shape
    main = torch.empty(1, network.config.main, rows // position, columns // position)
    scale = float(scale_of(torch.tensor(shift / 8)))

    def analyse(tile: Tile) -> torch.Tensor:
        gain = gain_of(view.flags(tile.around))
        residual = _residual(view, target, tile.around) / (gain * scale)
        latents = network.analysis.main_latents(view.cells(tile.around), residual)
        top, left = (at.start for at in tile.positions)
        y, x = tile.core.top // position, tile.core.left // position
        h, w = (side // position for side in tile.core.shape)
        inner = slice(y - top, y - top + h), slice(x - left, x - left + w)
        main[..., y : y + h, x : x + w] = latents[..., inner[0], inner[1]]
        return energies(residual, gain)

    tiles = view.tiles()
    tile_energies = []
    for energy in in_torch_threads(analyse, tiles):
        tile_energies.append(energy)
        report(0.2 + 0.5 * len(tile_energies) / len(tiles))
    sums = torch.stack(tile_energies).sum(dim=0)
    side = bytes(side_information(sums).flatten().to(torch.uint8).tolist())
    guide = guide_state(model, view, shift, side)
    given = network.analysis.auxiliary_latents(main, guide), main
    encoders = [SymbolEncoder() for _ in range(1 + network.config.groups)]
    decoded = code_latents(model, guide, shift, given, encoders)
    first, *rest = (encoder.finish() for encoder in encoders)
    return decoded, [side + first, *rest]


def _try_readouts(
    view: NetworkInput,
    samples: list[_Sample],
    theta: torch.Tensor,
    decoded: DecodedLatents,
    groups: list[bytes],
    only: Readout | None,
) -> list[_Trial]:
    """What the sampled tiles cost with each readout, or with one of them."""
    network = decoded.model.network
    integers = in_torch_threads(lambda sample: features_of(view, sample.tile, decoded), samples)
    features = [torch.from_numpy(part)[None] / UNIT for part in integers]
    fitted = fitted_readout(
        _stacked([sample.residual for sample in samples]),
        _stacked(features),
        _stacked([sample.gain for sample in samples]),
        _stacked([sample.weights for sample in samples]),
        theta,
        network.readout,
    )[0]
    readouts: dict[Readout, torch.Tensor] = {"usual": network.readout, "fitted": fitted}
    if only == "guarded" or any(bool((sample.gain > 1).any()) for sample in samples):
        readouts["guarded"] = torch.stack([fitted[0], torch.zeros_like(fitted[1])])
    trials = []
    for kind, readout in readouts.items():
        if only not in {None, kind}:
            continue
        units = torch.round(readout * READOUT_ONE).clamp(-127, 127)
        bits = sum(
            sample.bits(
                error_left(sample.residual, part, sample.gain, units[None] / READOUT_ONE), theta
            )
            for sample, part in zip(samples, features, strict=True)
        )
        header = LatentHeader(decoded.model, decoded.shift, units.numpy().astype(np.int32))
        trials.append(_Trial(kind, [header.to_bytes(), *groups], header.readout, decoded, bits))
    return trials


def _stacked(parts: list[torch.Tensor]) -> torch.Tensor:
    """Tiles ``[1, C, h, w]`` above one another, as wide as the narrowest."""
    width = min(part.shape[3] for part in parts)
    return torch.cat([part[..., :width] for part in parts], dim=2)


def _residual(view: NetworkInput, target: NDArray[np.int16], window: Window) -> torch.Tensor:
    """Raw less base in standard deviations of the noise, ``[1, planes, h, w]``."""
    at = (slice(None), *window.slices)
    return torch.from_numpy(target[at].astype(np.float32) - view.base[at])[None] / UNIT
