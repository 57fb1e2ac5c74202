"""Choosing the learned layer of a frame: encoder only.

A few ways to use it are tried on some tiles, with and without latents, and priced by the bits that
the residual layer would need after them. The best one is coded; none, where none pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import torch

from rawback.bitstream import Section, SectionKind
from rawback.common.latents import (
    READOUT_ONE,
    Decoded,
    LatentHead,
    code_latents,
    corrected,
    features_of,
    guide_state,
)
from rawback.common.network_input import NetworkInput, Tile, side_by_side
from rawback.common.parallel import in_threads
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
    from rawback.common.tiles import Window
    from rawback.weights import Weights

__all__ = ["Refinement", "Use", "refine"]

Use: TypeAlias = Literal["auto", "never", "bare", "full"]
"""The learned layer where it pays, never, always without latents, always with all of them."""

_TRIED = 4
_LEAST_GAIN, _LARGE_LEAST_GAIN, _LARGE = 0.01, 0.1, 1 << 22
"""Part of the bits that the layer must save to be worth the time it takes, and what it must save on
frames of more than so many quads (16 megapixels): there it is the difference between coding in less
than 20 s and in 30."""

_COARSE = 16
"""Shift from which on latents were trained: below, they would code noise."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """The learned layer of a frame.

    Attributes:
        sections: Of the latents.
        planes: int16 ``[4, h, w]``: the base with what the layer adds.
    """

    sections: list[Section]
    planes: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Trial:
    """One way to use the layer: its sections, what they decode to, and what is left to code."""

    sections: list[bytes]
    readout: NDArray[np.int32]
    decoded: Decoded
    bits: float


def refine(
    held: Weights,
    scene: NetworkInput,
    truth: NDArray[np.int16],
    worth: ErrorWeights,
    shift: int,
    use: Use = "auto",
    report: Callable[[float], None] = lambda _done: None,
    *,
    latents: bool = True,
) -> Refinement | None:
    """The learned layer that saves most, or None where it does not pay.

    Args:
        held: The weights to use.
        scene: The frame.
        truth: int16 ``[4, h, w]``: the raw in domain units.
        worth: What errors count.
        shift: Eighths of an octave by which quantiser steps are above the noise.
        use: Whether it is to be used as told even where it does not pay.
        report: Is told which part is done; may raise to stop it.
        latents: Whether latents are tried where that is left open.
    """
    if use == "never":
        return None
    target = scene.like(truth)
    with side_by_side():
        tiles = scene.tiles()
        some = [_Sample.of(scene, target, worth, t) for t in tiles[:: -(-len(tiles) // _TRIED)]]
        theta = theta_of(torch.full((1, 1, 1, 1), 2.0 ** (shift / 8)))
        without = sum(sample.bits(sample.residual, theta) for sample in some)
        scale = scene.spots.size / sum(sample.tile.core.area for sample in some)
        least = (_LARGE_LEAST_GAIN if scene.spots.size > _LARGE else _LEAST_GAIN) * without * scale

        def saved(trial: _Trial) -> float:
            return (without - trial.bits) * scale - 8 * sum(map(len, trial.sections))

        trials: list[_Trial] = []
        if use != "full":
            trials += _tried(scene, some, theta, Decoded(held, shift), [])
            report(0.2)
        # Latents are found for the whole frame, which takes time; where the networks have nothing
        # to say without them, they hardly have with them.
        worth_trying = latents and shift >= _COARSE
        hopeful = worth_trying and any(saved(trial) > least / 2 for trial in trials)
        if use == "full" or (use == "auto" and hopeful):
            found = _with_latents(held, scene, target, shift, report)
            trials += _tried(scene, some, theta, *found)
            report(0.8)
    best = max(trials, key=saved)
    if use == "auto" and saved(best) < least:
        return None
    sections = [
        Section(SectionKind.LATENTS, layer, 0, data) for layer, data in enumerate(best.sections)
    ]
    return Refinement(sections, corrected(scene, best.decoded, best.readout))


@dataclass(frozen=True, slots=True)
class _Sample:
    """A tile on which ways are tried; all ``[1, C, h, w]``."""

    tile: Tile
    residual: torch.Tensor
    gain: torch.Tensor
    worth: torch.Tensor

    @classmethod
    def of(
        cls, scene: NetworkInput, target: NDArray[np.int16], worth: ErrorWeights, tile: Tile
    ) -> _Sample:
        base = scene.base[(slice(None), *tile.core.slices)]
        return cls(
            tile,
            _residual(scene, target, tile.core),
            gain_of(scene.flags(tile.core)),
            torch.from_numpy(worth.at(base))[None],
        )

    def bits(self, error: torch.Tensor, theta: torch.Tensor) -> float:
        """What coding an error over the tile takes, about."""
        return float(residual_bits(error * self.worth, theta)) * error.numel()


def _with_latents(
    held: Weights,
    scene: NetworkInput,
    target: NDArray[np.int16],
    shift: int,
    report: Callable[[float], None],
) -> tuple[Decoded, list[bytes]]:
    """Latents of a frame as the decoder will have them, and their coded groups."""
    network, position = held.network, scene.position
    rows, columns = scene.spots.shape
    main = torch.empty(1, network.config.main, rows // position, columns // position)
    scale = float(scale_of(torch.tensor(shift / 8)))

    def work(tile: Tile) -> torch.Tensor:
        gain = gain_of(scene.flags(tile.around))
        residual = _residual(scene, target, tile.around) / (gain * scale)
        found = network.analysis.main_latents(scene.cells(tile.around), residual)
        top, left = (at.start for at in tile.positions)
        y, x = tile.core.top // position, tile.core.left // position
        h, w = (side // position for side in tile.core.shape)
        main[..., y : y + h, x : x + w] = found[..., y - top : y - top + h, x - left : x - left + w]
        return energies(residual, gain)

    tiles, found = scene.tiles(), []
    for energy in in_threads(work, tiles):
        found.append(energy)
        report(0.2 + 0.5 * len(found) / len(tiles))
    sums = torch.stack(found).sum(dim=0)
    hints = bytes(side_information(sums).flatten().to(torch.uint8).tolist())
    guide = guide_state(held, scene, shift, hints)
    given = network.analysis.auxiliary_latents(main, guide), main
    encoders = [SymbolEncoder() for _ in range(1 + network.config.groups)]
    decoded = code_latents(held, guide, shift, given, encoders)
    first, *rest = (encoder.finish() for encoder in encoders)
    return decoded, [hints + first, *rest]


def _tried(
    scene: NetworkInput,
    samples: list[_Sample],
    theta: torch.Tensor,
    decoded: Decoded,
    groups: list[bytes],
) -> list[_Trial]:
    """What some tiles cost with the usual readout, and with one fitted to them."""
    network = decoded.held.network
    found = in_threads(lambda sample: features_of(scene, sample.tile, decoded), samples)
    features = [torch.from_numpy(part)[None] / UNIT for part in found]
    fitted = fitted_readout(
        _stacked([sample.residual for sample in samples]),
        _stacked(features),
        _stacked([sample.gain for sample in samples]),
        _stacked([sample.worth for sample in samples]),
        theta,
        network.readout,
    )
    trials = []
    for readout in (network.readout, fitted[0]):
        units = torch.round(readout * READOUT_ONE).clamp(-127, 127)
        bits = sum(
            sample.bits(
                error_left(sample.residual, part, sample.gain, units[None] / READOUT_ONE), theta
            )
            for sample, part in zip(samples, features, strict=True)
        )
        head = LatentHead(decoded.held, decoded.shift, units.numpy().astype(np.int32))
        trials.append(_Trial([head.to_bytes(), *groups], head.readout, decoded, bits))
    return trials


def _stacked(parts: list[torch.Tensor]) -> torch.Tensor:
    """Tiles ``[1, C, h, w]`` above one another, as wide as the narrowest."""
    width = min(part.shape[3] for part in parts)
    return torch.cat([part[..., :width] for part in parts], dim=2)


def _residual(scene: NetworkInput, target: NDArray[np.int16], window: Window) -> torch.Tensor:
    """Raw less base in standard deviations of the noise, ``[1, planes, h, w]``."""
    at = (slice(None), *window.slices)
    return torch.from_numpy(target[at].astype(np.float32) - scene.base[at])[None] / UNIT
