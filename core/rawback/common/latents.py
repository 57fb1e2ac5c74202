"""The learned layer of one frame: latents to sections, and what they add to the base.

::

    LATENTS section, layer 0    weights, shift, readout
                     layer 1    hints, and all groups of the auxiliary level
                     layer 2..  one group each of the main level

A payload may end after any of them: what is not there takes the mean that the networks expect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback.common.network_input import NetworkInput, side_by_side
from rawback.common.parallel import in_threads
from rawback.entropy import (
    SymbolCoder,
    SymbolDecoder,
    SymbolEncoder,
    code_parameters,
)
from rawback.errors import PayloadDamaged, PayloadTooNew
from rawback.models import FEATURE_UNIT, SIDE_CODES, SIDE_VALUES, conditioning, scale_of
from rawback.models.objective import gain_of
from rawback.tone import LIMIT
from rawback.weights import MEMBERS, weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rawback.common.network_input import Tile
    from rawback.common.prediction import GuideSource, Prediction
    from rawback.common.tiles import Window
    from rawback.models import GroupCoder
    from rawback.types import BayerPattern
    from rawback.weights import Weights

__all__ = [
    "READOUT_ONE",
    "Decoded",
    "LatentHead",
    "code_latents",
    "corrected",
    "decoded_latents",
    "features_of",
    "guide_state",
    "replaced",
    "with_latents",
]

READOUT_ONE = 64
"""Readouts are multiples of 1/64."""

_LARGEST = 127
_DIGEST = 8
_LARGEST_SHIFT = 56


@dataclass(frozen=True, slots=True)
class LatentHead:
    """What the first section says.

    Attributes:
        held: The weights, which the section names by the first 8 bytes of their SHA-256.
        shift: Octaves by which quantiser steps are above the noise, in eighths, 0 to 56.
        readout: int32 ``[2, planes, F]`` in 1/64: planes from features, of quads where the guide is
            good, and of those where it clips or is missing.
    """

    held: Weights
    shift: int
    readout: NDArray[np.int32]

    def to_bytes(self) -> bytes:
        """The section: digest, shift, and the readout's difference from the usual one."""
        coder = SymbolEncoder()
        changes = self.readout - _usual(self.held)
        code_parameters(coder, changes.ravel(), changes.size)
        return self.held.digest + self.shift.to_bytes(1, "big") + coder.finish()

    @classmethod
    def from_bytes(cls, data: bytes) -> LatentHead:
        """Undo :meth:`to_bytes`.

        Raises:
            PayloadTooNew: It was coded with other weights.
            PayloadDamaged: The bytes are no such section.
        """
        if len(data) <= _DIGEST:
            message = "the latents' first section is too short; restore from another copy"
            raise PayloadDamaged(message)
        held = next((w for w in map(weights, MEMBERS) if w.digest == data[:_DIGEST]), None)
        if held is None:
            message = "The payload was coded with networks that this rawback lacks; update it."
            raise PayloadTooNew(message)
        usual = _usual(held)
        changes = code_parameters(SymbolDecoder(data[_DIGEST + 1 :]), None, usual.size)
        readout = changes.reshape(usual.shape) + usual
        shift = data[_DIGEST]
        if np.abs(readout).max() > _LARGEST or shift > _LARGEST_SHIFT:
            message = "the latents' readout is impossible; restore from another copy"
            raise PayloadDamaged(message)
        return cls(held, shift, readout)


def _usual(held: Weights) -> NDArray[np.int32]:
    """The network's own readout, in 1/64."""
    readout = held.network.readout.numpy()
    usual: NDArray[np.int32] = np.rint(readout * READOUT_ONE).astype(np.int32)
    return np.clip(usual, -_LARGEST, _LARGEST)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Latents of a frame, decoded as far as they go.

    Attributes:
        held: The weights.
        shift: As in the head.
        state: ``[1, S, h, w]``: what both sides know at each position; None without latents.
        latents: ``[1, C, h, w]``; None where there are none.
    """

    held: Weights
    shift: int
    state: torch.Tensor | None = None
    latents: torch.Tensor | None = None

    def around(self, tile: Tile) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """State and latents of a tile and what surrounds it."""
        if self.state is None or self.latents is None:
            return None, None
        rows, columns = tile.positions
        return self.state[..., rows, columns], self.latents[..., rows, columns]


def code_latents(
    held: Weights,
    guide: torch.Tensor,
    shift: int,
    given: tuple[torch.Tensor, torch.Tensor] | None,
    coders: Sequence[SymbolCoder],
) -> Decoded:
    """Write or read a frame's latents.

    Args:
        held: The weights.
        guide: From :func:`guide_state`.
        shift: As in the head.
        given: Auxiliary and main latents to write; None to read.
        coders: The auxiliary level's, and those of as many groups of the main level as are there.
    """
    network = held.network
    auxiliary = [_group_coder(coders[0], held)] * network.config.groups
    main = [_group_coder(coder, held) for coder in coders[1:]]
    state, latents = network.code(guide, given, (auxiliary, main))
    last = torch.channels_last
    return Decoded(
        held, shift, state.contiguous(memory_format=last), latents.contiguous(memory_format=last)
    )


def guide_state(held: Weights, scene: NetworkInput, shift: int, hints: bytes) -> torch.Tensor:
    """What the guide says at each latent position of a scene, at a shift and with hints."""
    told = torch.tensor(list(hints), dtype=torch.float32).reshape(1, SIDE_VALUES, 1, 1)
    facts = conditioning(torch.full((1, 1, 1, 1), shift / 8), told)
    return held.network.guide_state(scene.latent_view(), facts)


def _group_coder(coder: SymbolCoder, held: Weights) -> GroupCoder:
    far = held.tables.symbols // 2

    def code(tables: torch.Tensor, symbols: torch.Tensor | None) -> torch.Tensor:
        indices = tables.numpy()
        given = None if symbols is None else symbols.numpy()
        clipped = None if given is None else np.clip(given, -far, far) + far
        found = coder.code(held.tables, indices, clipped) - far
        beyond = np.flatnonzero(np.abs(found) == far)
        more = None if given is None else np.minimum(np.abs(given[beyond]) - far, 60_000)
        found[beyond] += np.sign(found[beyond]) * coder.code_escapes(more, len(beyond))
        return torch.from_numpy(found.astype(np.int64))

    return code


def with_latents(
    pattern: BayerPattern,
    source: GuideSource,
    predicted: Sequence[Prediction],
    sections: Mapping[int, bytes],
    wanted: Window | None = None,
) -> list[Prediction]:
    """The base over all tiles of a frame with what its latents add.

    Args:
        pattern: The frame's.
        source: Of the guide.
        predicted: The base over each tile.
        sections: Those of latents by layer; the first must be there, later ones may be missing.
        wanted: As for :func:`corrected`.

    Raises:
        PayloadDamaged: The sections cannot be read.
        PayloadTooNew: They were coded with other weights.
    """
    head = LatentHead.from_bytes(sections[0])
    scene = NetworkInput.of(pattern, source, predicted, head.held.network.config.sites)
    decoded = decoded_latents(scene, head, sections)
    return replaced(predicted, corrected(scene, decoded, head.readout, wanted))


def decoded_latents(
    scene: NetworkInput, head: LatentHead, sections: Mapping[int, bytes]
) -> Decoded:
    """What the sections after the first one hold; later ones may be missing."""
    coders: list[SymbolDecoder] = []
    hints, first = _hints(sections.get(1))
    while (data := sections.get(1 + len(coders))) is not None:
        coders.append(SymbolDecoder(data if coders else first))
    if len(coders) > 1 + head.held.network.config.groups:
        message = "The payload has more groups of latents than there can be; fetch the file again."
        raise PayloadDamaged(message)
    if not coders:
        return Decoded(head.held, head.shift)
    with side_by_side():
        guide = guide_state(head.held, scene, head.shift, hints)
        return code_latents(head.held, guide, head.shift, None, coders)


def _hints(data: bytes | None) -> tuple[bytes, bytes]:
    """Hints and what follows them."""
    if data is None:
        return b"", b""
    if len(data) < SIDE_VALUES or max(data[:SIDE_VALUES]) >= SIDE_CODES:
        message = "the latents' hints are impossible; restore from another copy"
        raise PayloadDamaged(message)
    return data[:SIDE_VALUES], data[SIDE_VALUES:]


def replaced(predicted: Sequence[Prediction], planes: NDArray[np.int16]) -> list[Prediction]:
    """Predictions with other planes, given over the whole frame."""
    return [
        replace(part, planes=np.ascontiguousarray(planes[(slice(None), *part.window.slices)]))
        for part in predicted
    ]


def features_of(scene: NetworkInput, tile: Tile, decoded: Decoded) -> NDArray[np.float32]:
    """Features of a tile of the scene, whole numbers of 1/16: float32 ``[F, h, w]``."""
    scale = scale_of(torch.full((1, 1, 1, 1), decoded.shift / 8))
    found = decoded.held.network.features(scene.cells(tile.around), *decoded.around(tile), scale)
    values: NDArray[np.float32] = found[0].numpy()[(slice(None), *tile.inner)] * FEATURE_UNIT
    return values


def correction(
    scene: NetworkInput, tile: Tile, features: NDArray[np.float32], readout: NDArray[np.int32]
) -> NDArray[np.float32]:
    """What a readout of features adds to the base of a tile, ``[planes, h, w]`` in domain units.

    Sums of 12 products stay below ``2 ** 24``, and so does all else, so float32 is exact.
    """
    gain = gain_of(scene.flags(tile.core)).numpy()[0, 0]
    count, rows, columns = features.shape
    flat = features.reshape(count, -1)
    sums = np.matmul(readout[0].astype(np.float32), flat)
    poor = (gain > 1).ravel()
    if poor.any():
        sums[:, poor] = np.matmul(readout[1].astype(np.float32), flat[:, poor]) * gain.ravel()[poor]
    sums += READOUT_ONE / 2
    sums *= 1 / READOUT_ONE
    planes: NDArray[np.float32] = np.floor(sums, out=sums).reshape(-1, rows, columns)
    return planes


def corrected(
    scene: NetworkInput, decoded: Decoded, readout: NDArray[np.int32], wanted: Window | None = None
) -> NDArray[np.int16]:
    """The base with the correction, ``[4, h, w]`` over the frame.

    Args:
        scene: The frame.
        decoded: Its latents.
        readout: As in the head.
        wanted: The window of the frame that is needed; elsewhere the base stays.
    """
    planes = scene.base.copy()

    def work(tile: Tile) -> None:
        change = correction(scene, tile, features_of(scene, tile, decoded), readout)
        part = planes[(slice(None), *tile.core.slices)]
        np.clip(part + change, -LIMIT, LIMIT, out=change)
        part[...] = change

    with side_by_side():
        tiles = scene.tiles(None if wanted is None else scene.mirrored(wanted))
        list(in_threads(work, tiles))
    return scene.unlike(planes)
