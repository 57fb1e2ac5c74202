"""The learned layer of one frame: latents to sections, and what they add to the base.

::

    LATENTS section, layer 0    weights, shift, readout
                     layer 1    side information, and all groups of the auxiliary level
                     layer 2..  one group each of the main level

A payload may end after any of them: what is not there takes the mean that the networks expect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback.common.network_input import NetworkInput, in_torch_threads, single_threaded
from rawback.entropy import (
    SymbolCoder,
    SymbolDecoder,
    SymbolEncoder,
    code_parameters,
)
from rawback.errors import PayloadDamaged, PayloadTooNew
from rawback.models import (
    FEATURE_UNIT,
    SIDE_CODES,
    SIDE_VALUES,
    conditioning,
    flipped_pixels,
    scale_of,
)
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
    from rawback.mosaic import Mosaic
    from rawback.weights import Weights

__all__ = [
    "READOUT_ONE",
    "DecodedLatents",
    "LatentHeader",
    "Refined",
    "code_latents",
    "coding_order",
    "corrected",
    "features_of",
    "guide_state",
    "member_for",
    "refine",
    "with_planes",
]

READOUT_ONE = 64
"""Readouts are multiples of 1/64."""

_LARGEST = 127
_DIGEST = 8
_LARGEST_SHIFT = 56


@dataclass(frozen=True, slots=True)
class LatentHeader:
    """What the first section says.

    Attributes:
        model: The weights, which the section names by the first 8 bytes of their SHA-256.
        shift: Octaves by which quantiser steps are above the noise, in eighths, 0 to 56.
        readout: int32 ``[2, planes, F]`` in 1/64: planes from features, of quads where the guide is
            good, and of those where it clips or is missing.
    """

    model: Weights
    shift: int
    readout: NDArray[np.int32]

    def to_bytes(self) -> bytes:
        """The section: digest, shift, and the readout's difference from the usual one."""
        coder = SymbolEncoder()
        changes = self.readout - _usual_readout(self.model)
        code_parameters(coder, changes.ravel(), changes.size)
        return self.model.digest + self.shift.to_bytes(1, "big") + coder.finish()

    @classmethod
    def from_bytes(cls, data: bytes) -> LatentHeader:
        """Undo :meth:`to_bytes`.

        Raises:
            PayloadTooNew: It was coded with other weights.
            PayloadDamaged: The bytes are no such section.
        """
        if len(data) <= _DIGEST:
            message = "The latents' first section is too short; restore from another copy."
            raise PayloadDamaged(message)
        model = next((w for w in map(weights, MEMBERS) if w.digest == data[:_DIGEST]), None)
        if model is None:
            message = "The payload was coded with networks that this rawback lacks; update it."
            raise PayloadTooNew(message)
        usual = _usual_readout(model)
        changes = code_parameters(SymbolDecoder(data[_DIGEST + 1 :]), None, usual.size)
        readout = changes.reshape(usual.shape) + usual
        shift = data[_DIGEST]
        if np.abs(readout).max() > _LARGEST or shift > _LARGEST_SHIFT:
            message = "The latents' readout is impossible; restore from another copy."
            raise PayloadDamaged(message)
        return cls(model, shift, readout)


def _usual_readout(model: Weights) -> NDArray[np.int32]:
    """The network's own readout, in 1/64."""
    readout = model.network.readout.numpy()
    usual: NDArray[np.int32] = np.rint(readout * READOUT_ONE).astype(np.int32)
    return np.clip(usual, -_LARGEST, _LARGEST)


@dataclass(frozen=True, slots=True)
class DecodedLatents:
    """Latents of a frame, decoded as far as they go.

    Attributes:
        model: The weights.
        shift: As in the header.
        state: ``[1, S, h, w]``: what both sides know at each position; None without latents.
        latents: ``[1, C, h, w]``; None where there are none.
        order: ``[1, 1, h, w]``: in which step, from 0, each position is coded; None where there
            are none.
    """

    model: Weights
    shift: int
    state: torch.Tensor | None = None
    latents: torch.Tensor | None = None
    order: torch.Tensor | None = None

    def around(self, tile: Tile) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """State and latents of a tile and what surrounds it."""
        if self.state is None or self.latents is None:
            return None, None
        rows, columns = tile.positions
        return self.state[..., rows, columns], self.latents[..., rows, columns]


@dataclass(frozen=True, slots=True)
class Refined:
    """The base of a frame with what the learned layer adds.

    Attributes:
        predicted: Over each tile.
        coding_order: From :func:`coding_order`; None where no latents are sent.
    """

    predicted: list[Prediction]
    coding_order: NDArray[np.uint8] | None


def refine(
    mosaic: Mosaic,
    source: GuideSource,
    predicted: Sequence[Prediction],
    sections: Mapping[int, bytes],
    wanted: Window | None = None,
) -> Refined:
    """What a payload's learned layer makes of the base.

    Args:
        mosaic: The frame's.
        source: Of the guide.
        predicted: The base over each tile.
        sections: Those of latents by layer; the first must be there, later ones may be missing.
        wanted: As for :func:`corrected`.

    Raises:
        PayloadDamaged: The sections cannot be read, or no network serves such frames.
        PayloadTooNew: They were coded with other weights.
    """
    header = LatentHeader.from_bytes(sections[0])
    member = member_for(mosaic)
    if member is None or header.model is not weights(member):
        message = "The payload's networks are not for such a raw; restore from another copy."
        raise PayloadDamaged(message)
    view = NetworkInput.of(mosaic, source, predicted)
    decoded = _decode(view, header, sections)
    planes = corrected(view, decoded, header.readout, wanted)
    return Refined(with_planes(predicted, planes), coding_order(view, decoded))


def member_for(mosaic: Mosaic) -> str | None:
    """The member of the networks that serves frames of a mosaic; None where there is none."""
    if mosaic.is_bayer:
        return "bayer"
    return "linear" if str(mosaic) == "R+G+B" else None


def coding_order(view: NetworkInput, decoded: DecodedLatents) -> NDArray[np.uint8] | None:
    """The order masks of a frame's main latents, laid over each other.

    They follow from the guide, the base and the auxiliary latents, so groups that a payload lacks
    have theirs too.

    Returns:
        uint8 ``[h, w]``: the step, from 1, in which the latent that covers each cell is coded;
        None where no latents are sent.
    """
    if decoded.order is None:
        return None
    positions = (decoded.order[0, 0].numpy() + 1).astype(np.uint8)
    sites = positions.repeat(view.position, axis=0).repeat(view.position, axis=1)
    height, width = view.shape
    return flipped_pixels(sites[:height, :width], view.pattern)


def _decode(
    view: NetworkInput, header: LatentHeader, sections: Mapping[int, bytes]
) -> DecodedLatents:
    """What the sections after the first one hold; later ones may be missing."""
    coders: list[SymbolDecoder] = []
    side_information, first = _split_side_information(sections.get(1))
    while (data := sections.get(1 + len(coders))) is not None:
        coders.append(SymbolDecoder(data if coders else first))
    if len(coders) > 1 + header.model.network.config.groups:
        message = "The payload has more groups of latents than there can be; fetch the file again."
        raise PayloadDamaged(message)
    if not coders:
        return DecodedLatents(header.model, header.shift)

    def decode() -> DecodedLatents:
        guide = guide_state(header.model, view, header.shift, side_information)
        return code_latents(header.model, guide, header.shift, None, coders)

    return single_threaded(decode)


def _split_side_information(data: bytes | None) -> tuple[bytes, bytes]:
    """Side information, and what follows it."""
    if data is None:
        return b"", b""
    if len(data) < SIDE_VALUES or max(data[:SIDE_VALUES]) >= SIDE_CODES:
        message = "The latents' side information is impossible; restore from another copy."
        raise PayloadDamaged(message)
    return data[:SIDE_VALUES], data[SIDE_VALUES:]


def guide_state(
    model: Weights, view: NetworkInput, shift: int, side_information: bytes
) -> torch.Tensor:
    """What the guide says at each latent position, at a shift and with side information."""
    side = torch.tensor(list(side_information), dtype=torch.float32).reshape(1, SIDE_VALUES, 1, 1)
    condition = conditioning(torch.full((1, 1, 1, 1), shift / 8), side)
    return model.network.guide_state(view.latent_view(), condition)


def code_latents(
    model: Weights,
    guide: torch.Tensor,
    shift: int,
    given: tuple[torch.Tensor, torch.Tensor] | None,
    coders: Sequence[SymbolCoder],
) -> DecodedLatents:
    """Write or read a frame's latents.

    Args:
        model: The weights.
        guide: From :func:`guide_state`.
        shift: As in the header.
        given: Auxiliary and main latents to write; None to read.
        coders: The auxiliary level's, and those of as many groups of the main level as are there.
    """
    network = model.network
    auxiliary = [_group_coder(coders[0], model)] * network.config.groups
    main = [_group_coder(coder, model) for coder in coders[1:]]
    state, latents, order = network.code(guide, given, (auxiliary, main))
    state, latents = (
        part.contiguous(memory_format=torch.channels_last) for part in (state, latents)
    )
    return DecodedLatents(model, shift, state, latents, order)


def _group_coder(coder: SymbolCoder, model: Weights) -> GroupCoder:
    far = model.tables.symbols // 2

    def code(tables: torch.Tensor, symbols: torch.Tensor | None) -> torch.Tensor:
        indices = tables.numpy()
        given = None if symbols is None else symbols.numpy()
        clipped = None if given is None else np.clip(given, -far, far) + far
        coded = coder.code(model.tables, indices, clipped) - far
        beyond = np.flatnonzero(np.abs(coded) == far)
        more = None if given is None else np.minimum(np.abs(given[beyond]) - far, 60_000)
        coded[beyond] += np.sign(coded[beyond]) * coder.code_escapes(more, len(beyond))
        return torch.from_numpy(coded.astype(np.int64))

    return code


def with_planes(predicted: Sequence[Prediction], planes: NDArray[np.int16]) -> list[Prediction]:
    """Predictions with other planes, given over the whole frame."""
    return [
        replace(part, planes=np.ascontiguousarray(planes[(slice(None), *part.window.slices)]))
        for part in predicted
    ]


def features_of(view: NetworkInput, tile: Tile, decoded: DecodedLatents) -> NDArray[np.float32]:
    """Features of a tile, whole numbers of 1/16: float32 ``[F, h, w]``."""
    scale = scale_of(torch.full((1, 1, 1, 1), decoded.shift / 8))
    cells = view.cells(tile.around)
    features = decoded.model.network.features(cells, *decoded.around(tile), scale)
    values: NDArray[np.float32] = features[0].numpy()[(slice(None), *tile.inner)] * FEATURE_UNIT
    return values


def _correction(
    view: NetworkInput, tile: Tile, features: NDArray[np.float32], readout: NDArray[np.int32]
) -> NDArray[np.float32]:
    """What a readout of features adds to the base of a tile, ``[planes, h, w]`` in domain units.

    Sums of 12 products stay below ``2 ** 24``, and so does all else, so float32 is exact.
    """
    gain = gain_of(view.flags(tile.core)).numpy()[0, 0]
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
    view: NetworkInput,
    decoded: DecodedLatents,
    readout: NDArray[np.int32],
    wanted: Window | None = None,
) -> NDArray[np.int16]:
    """The base with the correction, ``[planes, h, w]`` over the frame.

    Args:
        view: The frame as networks see it.
        decoded: Its latents.
        readout: As in the header.
        wanted: The window of the frame that is needed; elsewhere the base stays.
    """
    planes = view.base.copy()

    def correct(tile: Tile) -> None:
        change = _correction(view, tile, features_of(view, tile, decoded), readout)
        part = planes[(slice(None), *tile.core.slices)]
        np.clip(part + change, -LIMIT, LIMIT, out=change)
        part[...] = change

    tiles = view.tiles(None if wanted is None else view.flipped(wanted))
    list(in_torch_threads(correct, tiles))
    return view.unflipped_planes(planes)
