# SPDX-License-Identifier: GPL-3.0-or-later
"""Grain: looked at, and given back where people ask for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawback
from rawback import rawio
from rawback_gui.views._qt.driving import shows, wait_until
from rawback_lab.camera import CameraSpec
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.simulate import simulate

from .saved import answering, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawback_gui.views._qt.window import MainWindow


@pytest.fixture
def coarse_carrier(shot_folder: Path) -> Path:
    """A carrier of a smooth, noisy raw, whose payload leaves most of the noise away."""
    y, x = np.mgrid[:256, :384].astype(np.float32)
    waves = 0.1 * (1 + 0.4 * np.sin(y / 31) + 0.4 * np.sin((x - y / 3) / 43))
    light = np.repeat(waves[..., None], 3, axis=2)
    frame = simulate(light, CameraSpec(iso=3200), np.random.default_rng(0))
    clean = simulate(light, CameraSpec(iso=50), np.random.default_rng(1))
    jpeg = encode_jpeg(render_filmic(clean, FilmicLook(sharpness=0.0)), 90)
    data, _ = rawback.embed_bytes(rawio.write_dng(frame), jpeg, rate=rawback.Rate.bpp(0.1))
    carrier = shot_folder / "coarse.jpg"
    carrier.write_bytes(data)
    return carrier


def test_grain_is_given_back_where_people_ask_for_it(
    window: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    coarse_carrier: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop(window, coarse_carrier)
    wait_until(lambda: shows(window, "carrier", "restored"))
    asked: list[bool] = []
    restore = rawback.restore

    def noted(*args: Any, grain: bool, **options: Any) -> rawback.RestoreResult:
        asked.append(grain)
        return restore(*args, grain=grain, **options)

    monkeypatch.setattr(rawback, "restore", noted)
    for action in ("export_dng", "export_grain"):
        answering(monkeypatch, shot_folder / f"{action}.dng")
        window.menus.actions[action].trigger()
        written(window, f"{action}.dng")
        assert rawio.read_raw(shot_folder / f"{action}.dng").cfa.shape == (256, 384)
    assert asked == [False, True]
    assert "with grain" in window.workspace.feedback.text


def test_grain_is_looked_at_and_exported(
    window: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    coarse_carrier: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop(window, coarse_carrier)
    wait_until(lambda: shows(window, "carrier", "restored"))
    space, button = window.workspace, window.carrier.buttons["grain"]
    plain = space.whole
    button.click()
    wait_until(lambda: space.grain.cfa is not None and space.drawn)
    assert button.isChecked()
    assert window.menus.actions["grain"].isChecked()
    assert window.canvas.right.details.text() == "with grain"
    grained = space.whole
    assert plain is not None
    assert grained is not None
    assert not np.array_equal(plain, grained)
    answering(monkeypatch, shot_folder / "again.dng")
    window.carrier.buttons["export_dng"].click()
    written(window, "with grain")
    assert np.array_equal(rawio.read_raw(shot_folder / "again.dng").cfa, grained)
    # Before and after is a matter of a key.
    window.menus.actions["grain"].trigger()
    assert space.whole is plain
    assert not button.isChecked()
    assert window.canvas.right.details.text() == ""
    window.menus.actions["grain"].trigger()
    assert space.whole is grained


def test_grain_is_not_waited_for(
    window: MainWindow,
    drop: Callable[..., None],
    coarse_carrier: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop(window, coarse_carrier)
    wait_until(lambda: shows(window, "carrier", "restored"))
    go, opened = threading.Event(), rawback.open_carrier

    def slow(*args: Any, **options: Any) -> rawback.OpenedCarrier:
        go.wait(60)
        return opened(*args, **options)

    monkeypatch.setattr(rawback, "open_carrier", slow)
    space, button = window.workspace, window.carrier.buttons["grain"]
    button.click()
    assert button.isChecked()
    window.widgets.sentence.cancel.click()
    assert not button.isChecked()
    assert not space.grain.on
    go.set()
    wait_until(lambda: space._opener.worker._running is None)
    assert space.grain.cfa is None
    assert space.document is not None


def test_exact_raws_lack_no_noise(
    window: MainWindow, drop: Callable[..., None], shot_folder: Path, lossless_carrier: bytes
) -> None:
    carrier = shot_folder / "carrier.jpg"
    carrier.write_bytes(lossless_carrier)
    drop(window, carrier)
    wait_until(lambda: shows(window, "carrier", "restored"))
    window.carrier.buttons["grain"].click()
    wait_until(lambda: "no noise is missing" in window.workspace.feedback.text)
    assert not window.workspace.grain.on
    assert not window.carrier.buttons["grain"].isChecked()
