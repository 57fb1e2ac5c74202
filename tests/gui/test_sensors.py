# SPDX-License-Identifier: GPL-3.0-or-later
"""Raws of sensors of every kind in the window: seen, measured, saved and opened again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel

import rawback
from rawback import rawio
from rawback.metadata import Metadata
from rawback.types import Mosaic
from rawback_gui.models.demosaic import camera_light
from rawback_gui.models.planes import planes_of
from rawback_gui.views._qt.driving import drawn, shows, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawback_gui.views._qt.window import MainWindow

KINDS = {
    "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG": ("X-Trans", ("all", "R", "G", "B")),
    "R+G+B": ("linear RGB", ("all", "R", "G", "B")),
    "W": ("monochrome", ("all",)),
}


def seen_by(pattern: str, frame: rawback.RawFrame) -> rawback.RawFrame:
    """The same scene through another mosaic."""
    light = camera_light(frame.cfa, frame, (1.0, 1.0, 1.0), halved=False)
    mosaic = Mosaic.parse(pattern)
    cfa = np.empty((*light.shape[:2], *((3,) if mosaic.samples > 1 else ())), np.uint16)
    black = frame.black[0]
    for plane in planes_of(mosaic):
        part = light[plane.pixels()]
        seen = part.mean(axis=-1) if plane.colour == "W" else part[..., "RGB".index(plane.colour)]
        cfa[plane.index()] = np.clip(black + seen * (frame.white - black), 0, frame.white)
    levels = (black,) * len(mosaic.colours)
    plain = replace(frame, cfa=cfa, pattern=pattern, black=levels, metadata=Metadata())
    return plain if mosaic.palette == "RGB" else replace(plain, neutral=None, color_matrix=None)


@pytest.mark.parametrize("pattern", KINDS)
def test_a_raw_of_every_kind(
    window: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    frame: rawback.RawFrame,
    pattern: str,
) -> None:
    name, channels = KINDS[pattern]
    raw, jpeg = shot_folder / "other.dng", shot_folder / "other.jpg"
    raw.write_bytes(rawio.write_dng(seen_by(pattern, frame)))
    (shot_folder / "photo.jpg").rename(jpeg)
    drop(window, raw, jpeg)
    space = window.workspace
    wait_until(lambda: space.rates.made is not None or bool(space.feedback.notices))
    assert space.feedback.text == ""
    drawn(window)
    assert shows(window, "carrier", "restored")
    document, made = space.document, space.rates.made
    assert document is not None
    assert made is not None
    assert document.frame.mosaic.name == name
    assert window.look.warmth.isEnabled() == (name != "monochrome")
    readout = space.readout(33.0, 21.0)
    assert readout is not None
    restored = np.atleast_1d(made.restored.cfa[readout.row, readout.column])
    assert [sample.restored for sample in readout.samples] == restored.tolist()
    # Each channel has a map and figures of its own.
    window.show_wanted({"right": "error", "selection": (21, 15, 60, 40)})
    counts = []
    for channel in channels:
        assert space.state.errors.channel == channel
        assert window.errors.channel.currentData() == channel
        wait_until(lambda: space.drawn and space.statistics is not None)
        assert space.statistics is not None
        counts.append(space.statistics.count)
        window.run("next_channel")
    assert counts[0] == 60 * 40 * document.frame.mosaic.samples
    assert sum(counts[1:]) in (0, counts[0])
    window.show_wanted({"errors": replace(space.state.errors, kind="visible")})
    drawn(window)
    assert shows(window, "error")
    # What is saved gives back what was seen.
    carrier = shot_folder / "saved.rawback.jpg"
    session = space.session
    assert session is not None
    session.save(made, carrier)
    window.show_wanted({"right": "restored"})
    drop(window, carrier)
    wait_until(lambda: window.carrier.isVisible() and space.document is not document)
    drawn(window)
    assert space.whole is not None
    assert np.array_equal(space.whole, made.restored.cfa)
    texts = [label.text() for label in window.payload.findChildren(QLabel)]
    assert f"160 \u00d7 120, {name}" in texts
