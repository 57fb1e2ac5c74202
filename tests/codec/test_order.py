"""The order masks that people see are those that the decoder codes by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.bitstream import SectionKind, unpack
from rawback.codec import Rate, coded_steps, decode
from rawback.jpegio import decode_jpeg
from rawback.models import LATENT
from rawback.models.level import Level
from rawback.weights import weights
from rawback_lab.camera import CameraSpec
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    import torch

    from rawback.types import BayerPattern

POSITION = 2 * LATENT
"""Quads along each side of what a main latent covers."""


@pytest.mark.parametrize("pattern", ["RGGB", "GBRG"])
def test_masks_are_those_of_decoding(
    pattern: BayerPattern, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, jpeg = made_up_shot(131, 181, CameraSpec(pattern=pattern), seed=1)
    session, carrier = session_at(frame, decode_jpeg(jpeg), use="full")
    payload = unpack(session.encode(Rate.quality(30)).payload)
    steps = coded_steps(payload, carrier)
    assert steps is not None
    assert steps.shape == (66, 91)

    main, seen = weights("bayer").network.main, []
    usual = Level.next_group

    def noted(self: Level, state: torch.Tensor, known: torch.Tensor, number: int) -> torch.Tensor:
        group = usual(self, state, known, number)
        if self is main:
            seen.append((group[0, 0] > 0).numpy())
        return group

    monkeypatch.setattr(Level, "next_group", noted)
    decode(payload, carrier)
    assert len(seen) == main.groups
    red = pattern.index("R")
    upright = steps[:: -1 if red // 2 else 1, :: -1 if red % 2 else 1]
    for number, mask in enumerate(seen, start=1):
        rows, columns = -(-66 // POSITION), -(-91 // POSITION)
        assert np.array_equal(upright[::POSITION, ::POSITION] == number, mask[:rows, :columns])

    # They do not depend on what is left of the main latents; without any, there are none.
    heads = tuple(s for s in payload.sections if s.kind != SectionKind.LATENTS or s.layer < 2)
    fewer = coded_steps(replace(payload, sections=heads), carrier)
    assert fewer is not None
    assert np.array_equal(fewer, steps)
    none = tuple(s for s in payload.sections if s.kind != SectionKind.LATENTS)
    assert coded_steps(replace(payload, sections=none), carrier) is None
