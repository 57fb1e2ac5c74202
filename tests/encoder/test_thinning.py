"""Payloads that are a little too large lose that little on a few tiles, and still decode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rawback import decoder
from rawback.bitstream import unpack
from rawback.encoder import prepare
from rawback.jpegio import decode_jpeg
from rawback_lab.scenes import made_up_shot

STEP = 200.0


def test_a_few_tiles_are_coded_anew() -> None:
    frame, jpeg = made_up_shot(1060, 2100, quality=90)
    carrier = decode_jpeg(jpeg)
    session = prepare(frame, carrier, use="never")
    analysis = session.analysis(2)
    whole, thinned = session.builder(analysis), session.builder(analysis)
    for builder in (whole, thinned):
        builder.add_layers(STEP, lambda _what, _done: None)
    size = round(0.995 * whole.size)
    thinned.thin(STEP, size)
    assert 0.96 * size < thinned.size <= size
    before, after = whole.coefficients, thinned.coefficients
    changed = [not np.array_equal(before[at].indices, after[at].indices) for at in before]
    assert 0 < sum(changed) < len(changed)
    encoded = thinned.finished()
    assert np.array_equal(
        decoder.decode(unpack(encoded.payload), carrier).cfa, encoded.restored.cfa
    )


def test_what_has_no_layers_stays() -> None:
    frame, jpeg = made_up_shot(131, 97)
    session = prepare(frame, decode_jpeg(jpeg), use="never")
    bare = session.builder(session.analysis(0))
    kept = replace(bare.header), list(bare.sections)
    bare.thin(STEP, 1)
    assert (bare.header, bare.sections) == kept
