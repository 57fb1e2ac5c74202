"""Borders of payloads that no encoder wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rawback.bitstream import unpack
from rawback.common.border import read_border
from rawback.container import extract_payload
from rawback.errors import PayloadDamaged
from rawback.types import Border

BORDERED = Path(__file__).parents[1] / "golden" / "bordered.jpg"


def test_frames_of_several_samples_a_pixel_have_none() -> None:
    payload = unpack(extract_payload(BORDERED.read_bytes()))
    border = read_border(payload.sections, payload.header)
    assert isinstance(border, Border)
    linear = replace(payload.header, pattern="R+G+B", black=payload.header.black[:3])
    with pytest.raises(PayloadDamaged, match="border"):
        read_border(payload.sections, linear)
