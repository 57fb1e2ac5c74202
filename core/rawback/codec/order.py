"""In which step each latent is coded: both sides work it out, and people may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback.codec.latents import MEMBER, LatentHead, code_latents
from rawback.codec.scene import POSITION, Scene, side_by_side
from rawback.entropy import SymbolDecoder
from rawback.models import mirrored_pixels
from rawback.weights import weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["steps_of"]


def steps_of(scene: Scene, sections: Mapping[int, bytes]) -> NDArray[np.uint8]:
    """The order masks of a frame's main latents, laid over each other.

    They follow from the guide, the base and the auxiliary latents, so groups that a payload lacks
    have theirs too.

    Args:
        scene: The frame.
        sections: Those of latents by layer; the first must be there.

    Returns:
        uint8 ``[h, w]``: the step, from 1, in which the latent that covers each quad is coded.

    Raises:
        PayloadDamaged: The sections cannot be read.
        PayloadTooNew: They were coded with other weights.
    """
    head = LatentHead.from_bytes(sections[0])
    coders = [SymbolDecoder(sections[1])] if 1 in sections else []
    with side_by_side(), torch.no_grad():
        state = code_latents(scene.latent_view(), head.shift, None, coders).state
        level = weights(MEMBER).network.main
        known = torch.zeros_like(state[:, :1])
        steps = torch.zeros_like(known)
        for number in range(level.groups):
            group = level.next_group(state, known, number)
            steps += group * (number + 1)
            known += group
    positions = steps[0, 0].numpy().astype(np.uint8)
    quads = positions.repeat(POSITION, axis=0).repeat(POSITION, axis=1)
    height, width = scene.shape
    return mirrored_pixels(quads[:height, :width], scene.pattern)
