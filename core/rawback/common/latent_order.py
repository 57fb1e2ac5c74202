"""In which step each latent is coded: both sides work it out, and people may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback.common.latents import LatentHead, decoded_latents
from rawback.common.network_input import NetworkInput, side_by_side
from rawback.models import flipped_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rawback.common.prediction import GuideSource, Prediction
    from rawback.types import BayerPattern

__all__ = ["coding_order_of"]


def coding_order_of(
    pattern: BayerPattern,
    source: GuideSource,
    predicted: Sequence[Prediction],
    sections: Mapping[int, bytes],
) -> NDArray[np.uint8] | None:
    """The order masks of a frame's main latents, laid over each other.

    They follow from the guide, the base and the auxiliary latents, so groups that a payload lacks
    have theirs too.

    Args:
        pattern: The frame's.
        source: Of the guide.
        predicted: The base over each tile.
        sections: Those of latents by layer; the first must be there.

    Returns:
        uint8 ``[h, w]``: the step, from 1, in which the latent that covers each quad is coded;
        None where no latents are sent.

    Raises:
        PayloadDamaged: The sections cannot be read.
        PayloadTooNew: They were coded with other weights.
    """
    head = LatentHead.from_bytes(sections[0])
    network = head.held.network
    scene = NetworkInput.of(pattern, source, predicted, network.config.sites)
    state = decoded_latents(scene, head, {k: v for k, v in sections.items() if k <= 1}).state
    if state is None:
        return None
    with side_by_side(), torch.no_grad():
        known = torch.zeros_like(state[:, :1])
        steps = torch.zeros_like(known)
        for number in range(network.config.groups):
            group = network.main.next_group(state, known, number)
            steps += group * (number + 1)
            known += group
    positions = steps[0, 0].numpy().astype(np.uint8)
    quads = positions.repeat(scene.position, axis=0).repeat(scene.position, axis=1)
    height, width = scene.shape
    return flipped_pixels(quads[:height, :width], scene.pattern)
