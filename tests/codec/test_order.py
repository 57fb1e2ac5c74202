"""The order masks that people see are those that the decoder codes by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback import rawio
from rawback.bitstream import SectionKind, unpack
from rawback.decoder import decode, restore
from rawback.jpegio import DecodedJpeg, decode_jpeg
from rawback.models import LATENT
from rawback.models.context_model import ContextModel
from rawback.models.exact import LIMIT
from rawback.rate import Rate
from rawback.weights import MEMBERS, weights
from rawback_lab.camera import CameraSpec
from rawback_lab.pictures import Picture, linear_picture, linear_shot, software_isp
from rawback_lab.render import FilmicLook
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    import torch

    from rawback.types import BayerPattern, RawFrame

ASSETS = Path(__file__).parents[2] / "assets"

POSITION = 2 * LATENT
"""Quads along each side of what a main latent covers."""


@pytest.mark.parametrize("pattern", ["RGGB", "GBRG"])
def test_masks_are_those_of_decoding(
    pattern: BayerPattern, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, jpeg = made_up_shot(131, 181, CameraSpec(pattern=pattern), seed=1)
    session, carrier = session_at(frame, decode_jpeg(jpeg), use="full")
    payload = unpack(session.encode(Rate.quality(30)).payload)
    steps = restore(payload, carrier).coding_order
    assert steps is not None
    assert steps.shape == (66, 91)

    main, seen = weights("bayer").network.main, []
    usual = ContextModel.next_group

    def noted(
        self: ContextModel, state: torch.Tensor, known: torch.Tensor, number: int
    ) -> torch.Tensor:
        group = usual(self, state, known, number)
        if self is main:
            seen.append((group[0, 0] > 0).numpy())
        return group

    monkeypatch.setattr(ContextModel, "next_group", noted)
    decode(payload, carrier)
    assert len(seen) == main.groups
    red = pattern.index("R")
    upright = steps[:: -1 if red // 2 else 1, :: -1 if red % 2 else 1]
    for number, mask in enumerate(seen, start=1):
        rows, columns = -(-66 // POSITION), -(-91 // POSITION)
        assert np.array_equal(upright[::POSITION, ::POSITION] == number, mask[:rows, :columns])

    # They do not depend on what is left of the main latents; without any, there are none.
    unlearned = tuple(
        s for s in payload.sections if s.kind in {SectionKind.BASE, SectionKind.FILTER}
    )
    latents = tuple(s for s in payload.sections if s.kind == SectionKind.LATENTS)
    heads = (*unlearned, *latents[:2])
    fewer = restore(replace(payload, sections=heads), carrier).coding_order
    assert fewer is not None
    assert np.array_equal(fewer, steps)
    assert restore(replace(payload, sections=unlearned), carrier).coding_order is None


@pytest.mark.parametrize("member", MEMBERS)
def test_the_learned_orders_tell_positions_apart(
    member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Odds that are clipped, all of them, would leave nothing but raster order."""
    frame = rawio.read_raw(ASSETS / "sample.dng")
    shot: tuple[RawFrame, DecodedJpeg] = frame, decode_jpeg((ASSETS / "sample.jpg").read_bytes())
    if member == "linear":
        linear = linear_picture(frame, 2)
        shot = linear_shot(Picture(linear, software_isp(linear, frame, FilmicLook()), frame))
    seen, usual = [], ContextModel.logits

    def noted(self: ContextModel, state: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        logits = usual(self, state, known)
        seen.append(logits.numpy()[known.numpy() == 0])
        return logits

    monkeypatch.setattr(ContextModel, "logits", noted)
    session_at(*shot, use="full")[0].encode(Rate.quality(30))
    assert len(seen) == 2 * 3
    for logits in seen:
        assert np.mean(np.abs(logits) < LIMIT) > 0.8
        assert len(np.unique(logits)) > 10
