"""The paper's network as a peer.

Its entropy model works in floats, so that no other machine could be trusted to decode what this
one encodes. What is counted for its latents is therefore the ideal code length under that model,
rounded up to bytes for each level: less than any coder would take. The header's bytes are real.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback_lab.paper.checkpoints import load_checkpoint
from rawback_lab.paper.network import ALIGNMENT, HALO
from rawback_lab.peers import Coded

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from rawback_lab.paper.network import PaperNetwork
    from rawback_lab.peers import PicturePeer, Subject

__all__ = ["load_peer", "network_peer"]

_HEADER = struct.Struct(">HHhBII")
"""Height, width, gamma in 256ths, groups, and the lengths of both levels' streams."""

_FINEST, _COARSEST = -12.0, 8.0
_TRIES = 12
_TILE = 512


@dataclass(frozen=True, slots=True)
class _Latents:
    """Coded latents.

    Attributes:
        size: Bytes.
        main: Decoded main latents.
    """

    size: int
    main: Tensor


def load_peer(checkpoint: Path) -> PicturePeer:
    """A peer of a trained network."""
    return network_peer(load_checkpoint(checkpoint).network)


def network_peer(network: PaperNetwork) -> PicturePeer:
    """A peer of a network; it takes what the network was trained for, pictures or mosaics."""

    def code(subject: Subject, budget: int) -> Coded | None:
        network.eval()
        with torch.inference_mode():
            guide = _guide(subject, network)
            raw = torch.from_numpy(_padded(subject.signal))[None]
            main, hyper = network.analyse(raw, guide)
            found = _fitting(network, main, hyper, guide, budget)
            if found is None:
                return None
            planes = _synthesised(network, found.main, guide)
        _, height, width = subject.signal.shape
        return Coded(found.size, subject.restored(planes[:, :height, :width]))

    return code


def _guide(subject: Subject, network: PaperNetwork) -> Tensor:
    """``[1, guide_channels, H, W]`` in [0, 1]."""
    config, colours = network.config, subject.colours
    if config.raw_channels != len(colours):
        message = f"the network codes {config.raw_channels} planes, not {len(colours)}"
        raise ValueError(message)
    if config.guide_channels == colours.shape[-1]:
        colours = colours[:1]
    planes = np.concatenate([plane.transpose(2, 0, 1) for plane in colours])
    return torch.from_numpy(_padded(planes.astype(np.float32) / np.float32(255)))[None]


def _padded(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeat the last rows and columns until the sides fit the network."""
    padding = [(0, 0), *((0, -side % ALIGNMENT) for side in planes.shape[1:])]
    return np.ascontiguousarray(np.pad(planes, padding, mode="edge"))


def _fitting(
    network: PaperNetwork, main: Tensor, hyper: Tensor, guide: Tensor, budget: int
) -> _Latents | None:
    """The finest latents that fit: all groups where they do at any gamma, else fewer."""
    for kept in range(network.config.steps, -1, -1):
        low, high = _FINEST, _COARSEST
        best = _coded(network, main, hyper, guide, high, kept)
        if best.size > budget:
            continue
        for _ in range(_TRIES):
            gamma = round(128 * (low + high)) / 256
            found = _coded(network, main, hyper, guide, gamma, kept)
            if found.size > budget:
                low = gamma
            else:
                high, best = gamma, found
        return best
    return None


def _coded(
    network: PaperNetwork, main: Tensor, hyper: Tensor, guide: Tensor, gamma: float, kept: int
) -> _Latents:
    values, main_bits, hyper_bits = network.latents(main, hyper, guide, gamma, kept)
    streams = sum(math.ceil(float(bits) / 8) for bits in (main_bits, hyper_bits))
    return _Latents(_HEADER.size + streams, values)


def _synthesised(network: PaperNetwork, main: Tensor, guide: Tensor) -> NDArray[np.float32]:
    """The raw of the whole picture, tile by tile."""
    height, width = guide.shape[2:]
    planes = np.empty((network.config.raw_channels, height, width), np.float32)
    for top, left in product(range(0, height, _TILE), range(0, width, _TILE)):
        rows, inner_rows, outer_rows = _windows(top, height)
        columns, inner_columns, outer_columns = _windows(left, width)
        values = main[..., _quartered(outer_rows), _quartered(outer_columns)]
        part = network.synthesis(values, guide[..., outer_rows, outer_columns])
        planes[:, rows, columns] = part[0, :, inner_rows, inner_columns].numpy()
    return planes


def _windows(first: int, side: int) -> tuple[slice, slice, slice]:
    """A tile along one axis: in the picture, in its window, and that window in the picture."""
    last = min(first + _TILE, side)
    begin, end = max(first - HALO, 0), min(last + HALO, side)
    return slice(first, last), slice(first - begin, last - begin), slice(begin, end)


def _quartered(part: slice) -> slice:
    return slice(part.start // 4, part.stop // 4)
