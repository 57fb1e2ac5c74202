# SPDX-License-Identifier: GPL-3.0-or-later
"""Error maps, readouts and overlays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PyQt6.QtCore import QPoint
from PyQt6.QtGui import QImage

import rawback
from rawback import rawio
from rawback_gui.controllers import restoring
from rawback_gui.models.errormap import ErrorView
from rawback_gui.views._qt.driving import drag, drawn, grabbed, shows, wait_until
from rawback_gui.views._qt.exporting import map_png

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from rawback_gui.controllers.pictures import Pictures
    from rawback_gui.views._qt.window import MainWindow


def test_errors_of_a_region(qtbot: QtBot, opened: MainWindow) -> None:
    space = opened.workspace
    opened.errors.shown.click()
    wait_until(lambda: shows(opened, "error"))
    assert opened.panel.currentIndex() == 1
    state = space.state
    corners = [QPoint(*map(round, state.viewport.to_pane(*at))) for at in ((40, 30), (80, 60))]
    drag(opened.canvas, corners[0], corners[1], shift=True)
    wait_until(lambda: space.statistics is not None)
    found = space.statistics
    assert found is not None
    assert found.count == pytest.approx(1200, rel=0.15)
    assert "\u03c3" in opened.errors.figures["rms"].text()
    rms = found.rms
    opened.menus.actions["unit_DN"].trigger()
    # Figures of another unit are not shown under this one.
    assert opened.errors.figures["rms"].text() == "\u2013"
    assert "updating" in opened.errors.place.text()
    wait_until(lambda: space.statistics is not None)
    found = space.statistics
    assert found is not None
    assert found.rms > 3 * rms
    opened.menus.actions["clear_selection"].trigger()
    assert opened.errors.figures["rms"].text() == "\u2013"


def test_a_map_is_never_of_two_rates(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the scale ahead of it, nor does its range change with the view."""
    monkeypatch.setattr(restoring, "CHUNK", 32)
    space = opened.workspace
    session = space.session
    assert session is not None
    space._buffer = restoring.RestoredBuffer(session)
    seen: list[Pictures] = []
    show = space._drawing._show

    def watching(pictures: Pictures) -> None:
        seen.append(pictures)
        show(pictures)

    monkeypatch.setattr(space._drawing, "_show", watching)
    opened.show_wanted({"left": "original", "right": "error"})
    for place in (0.3, 0.5, 0.9):
        space.rates.choose_place(place)
        drawn(opened)
        scale = space.pictures.error_scale
        assert scale is not None
        assert opened.errors.bar._top == scale.top
        for zoom in (2.0, 4.0):
            opened.show_wanted({"viewport": space.state.viewport.zoomed(zoom)})
            drawn(opened)
            assert space.pictures.error_scale == scale
        opened.show_wanted({"viewport": space.state.viewport.fit()})
    maps = [pictures for pictures in seen if "error" in pictures.sources]
    assert len(maps) > 3
    assert all(pictures.complete for pictures in maps)


def test_a_locked_range_stays_at_other_rates(opened: MainWindow) -> None:
    space = opened.workspace
    opened.show_wanted({"right": "error"})
    drawn(opened)
    opened.menus.actions["lock_range"].trigger()
    scale = space.pictures.error_scale
    assert scale is not None
    assert opened.errors.lock.isChecked()
    space.rates.choose_place(0.15)
    drawn(opened)
    other = space.pictures.error_scale
    assert other is not None
    assert other.top == scale.top


def test_a_large_map_is_a_small_file_that_can_be_read() -> None:
    frame = rawio.read_raw(Path(__file__).parents[2] / "assets" / "sample.dng")
    cfa = np.tile(frame.cfa, (4, 4))
    large = replace(frame, cfa=cfa)
    errors = np.random.default_rng(0).normal(0, 1, cfa.shape).astype(np.float32)
    data = map_png(large, errors, ErrorView(), 3.0, "a caption")
    image = QImage.fromData(data)
    assert 2000 < image.width() < 2300
    assert len(data) < 5e6
    # Ink of the figures is as high as the map asks for, not 11 points.
    foot = image.copy(0, image.height() - 260, image.width(), 260)
    ink = [
        y
        for y in range(foot.height())
        if any(foot.pixelColor(x, y).lightness() < 90 for x in range(60, 300, 3))
    ]
    assert len(ink) > 60


def test_errors_as_they_are_seen(opened: MainWindow) -> None:
    space = opened.workspace
    opened.menus.actions["kind_visible"].trigger()
    opened.show_wanted({"right": "error", "selection": (20, 20, 60, 40)})
    wait_until(lambda: shows(opened, "error") and space.statistics is not None)
    assert space.statistics is not None
    assert "\u0394E" in opened.errors.figures["mean"].text()
    assert not opened.errors.unit.isEnabled()
    before = space.statistics.mean
    # Pushed, more is seen.
    opened.top.exposure.setValue(180)
    assert opened.errors.figures["mean"].text() == "\u2013"
    wait_until(lambda: space.statistics is not None)
    assert space.statistics.mean != before
    space.rates.choose_preset("lossless")
    wait_until(lambda: space.statistics is not None)
    assert space.statistics.largest == 0


def test_the_color_bar_is_dragged(qtbot: QtBot, opened: MainWindow) -> None:
    opened.errors.shown.click()
    wait_until(lambda: shows(opened, "error"))
    drawn(opened)
    before = grabbed(opened.canvas)[60:]
    bar = opened.errors.bar
    drag(bar, QPoint(20, 8), QPoint(20 + bar.width() // 2, 8))
    top = opened.workspace.state.errors.top
    assert top is not None
    drawn(opened)
    scale = opened.workspace.pictures.error_scale
    assert scale is not None
    assert scale.top == top
    assert opened.errors.lock.isChecked()
    assert grabbed(opened.canvas)[60:].mean() < before.mean()
    opened.menus.actions["auto_range"].trigger()
    assert opened.workspace.state.errors.top is None


def test_the_pointer_reads_samples_out(opened: MainWindow) -> None:
    readout = opened.workspace.readout(81.4, 60.9)
    assert readout is not None
    document = opened.workspace.document
    assert document is not None
    sample, *others = readout.samples
    assert others == []
    assert (readout.column, readout.row, sample.channel) == (81, 60, "G1")
    assert sample.original == document.frame.cfa[60, 81]
    whole = opened.workspace.whole
    assert whole is not None
    assert sample.restored == whole[60, 81]
    opened.canvas.hovered.emit((81.4, 60.9))
    assert "x 81, y 60" in opened.canvas.readout.text()
    assert opened.workspace.readout(500, 3) is None


def test_a_pointer_that_rests_reads_what_is_there_now(
    qtbot: QtBot, opened: MainWindow, drop: Callable[..., None], shot_folder: Path
) -> None:
    canvas = opened.canvas
    opened.show_wanted({"layout": "flip", "left": "restored"})
    drawn(opened)
    qtbot.mouseMove(canvas, QPoint(300, 200))
    before = canvas.readout.text()
    assert "restored" in before
    assert "original" in before
    # At another rate, zoom, and in another picture.
    opened.workspace.rates.choose(rawback.Rate.quality(2))
    drawn(opened)
    assert canvas.readout.text() != before
    before = canvas.readout.text()
    opened.run("zoom_in")
    opened.run("pan_left")
    drawn(opened)
    assert canvas.readout.text() != before
    carrier = shot_folder / "carrier.jpg"
    data, _ = rawback.embed_bytes(
        *((shot_folder / f"photo.{ending}").read_bytes() for ending in ("dng", "jpg"))
    )
    carrier.write_bytes(data)
    drop(opened, carrier)
    wait_until(lambda: opened.carrier.isVisible())
    drawn(opened)
    assert "original" not in canvas.readout.text()
    opened.workspace.close_document()
    assert canvas.readout.text() == ""


def test_clipping_and_bits_are_overlays(opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "carrier"})
    drawn(opened)
    plain = grabbed(opened.canvas)
    opened.payload.boxes["bits"].click()
    assert opened.workspace.state.overlays == {"bits"}
    assert not np.array_equal(plain, grabbed(opened.canvas))
    opened.payload.boxes["bits"].click()
    assert np.array_equal(plain, grabbed(opened.canvas))
    document = opened.workspace.document
    assert document is not None
    assert document.guide is not None
    clipped = (document.guide.pixels.max(axis=2) >= 254).any()
    opened.look.boxes["jpeg_highlights"].click()
    drawn(opened)
    marks = opened.workspace.pictures.marks["jpeg_highlights"]
    assert bool(marks.pixels[..., 3].any()) == bool(clipped)
    assert opened.canvas.legend.isVisible()
    assert "JPEG highlights" in opened.canvas.legend.accessibleDescription()


def test_order_masks_are_overlays_of_a_carrier_alone(
    window: MainWindow, drop: Callable[..., None]
) -> None:
    drop(window, Path(__file__).parents[1] / "golden" / "learned.jpg")
    wait_until(lambda: shows(window, "carrier", "restored"))
    drawn(window)
    window.show_wanted({"layout": "flip", "clipping": frozenset()})
    drawn(window)
    plain = grabbed(window.canvas)
    masks = [overlay for overlay in window.workspace.overlays if overlay.mask]
    for mask in masks:
        window.menus.actions["next_order"].trigger()
        assert window.workspace.state.overlays == {mask.name}
        assert window.payload.boxes[mask.name].isChecked()
        assert bool(mask.values.any()) != np.array_equal(plain, grabbed(window.canvas))
    window.menus.actions["next_order"].trigger()
    assert window.workspace.state.overlays == set()
    assert np.array_equal(plain, grabbed(window.canvas))


def test_the_coding_order_is_offered_only_where_there_are_latents(opened: MainWindow) -> None:
    assert opened.workspace.rates.made is not None
    assert not any(overlay.mask for overlay in opened.workspace.overlays)
    assert not opened.menus.actions["next_order"].isEnabled()
    opened.menus.actions["bits"].trigger()
    assert opened.workspace.state.overlays == {"bits"}
    assert opened.menus.actions["bits"].isChecked()
