# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written, and the clipboard."""

from __future__ import annotations

import csv
import io
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PyQt6.QtGui import QDesktopServices, QGuiApplication, QImage
from PyQt6.QtWidgets import QFileDialog, QInputDialog

import rawback
from rawback import rawio
from rawback_gui.views._qt.driving import settled, shows, wait_until

from .saved import answering, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawback_gui.controllers.feedback import Work
    from rawback_gui.views._qt.window import MainWindow


def test_files_are_saved(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "save": "carrier.jpg",
        "save_sidecar": "photo.jpg.rawback",
        "export_dng": "restored.dng",
        "export_map": "map.png",
        "export_numbers": "numbers.csv",
    }
    for action, name in answers.items():
        answering(monkeypatch, shot_folder / name)
        opened.menus.actions[action].trigger()
        written(opened, name)
    carrier = shot_folder / "carrier.jpg"
    assert rawback.verify(carrier, raw=shot_folder / "photo.dng").intact
    encoding = opened.workspace.rates.encoding
    assert encoding is not None
    assert carrier.read_bytes() == encoding.carrier
    assert np.array_equal(rawio.read_raw(shot_folder / "restored.dng").cfa, encoding.restored.cfa)
    image = QImage(str(shot_folder / "map.png"))
    assert image.height() > 120 + 80
    rows = list(csv.reader(io.StringIO((shot_folder / "numbers.csv").read_text("utf-8"))))
    assert rows[0] == ["region", "0", "0", "160", "120"]
    assert rows[5][:2] == ["all", "19200"]
    before = (shot_folder / "photo.jpg").read_bytes()
    answering(monkeypatch, shot_folder / "photo.jpg")
    opened.menus.actions["save"].trigger()
    wait_until(lambda: "input" in opened.workspace.feedback.text)
    assert (shot_folder / "photo.jpg").read_bytes() == before


def test_saving_into_the_jpeg_works_twice(opened: MainWindow, shot_folder: Path) -> None:
    jpeg = shot_folder / "photo.jpg"
    before = jpeg.read_bytes()
    rates = opened.workspace.rates
    for quality in (60.0, 70.0):
        rates.choose(rawback.Rate.quality(quality))
        wait_until(lambda: settled(opened))
        opened.workspace.feedback.clear()
        opened.menus.actions["save_in_place"].trigger()
        wait_until(lambda: "now carries its raw" in opened.workspace.feedback.text)
        assert rates.made is not None
        assert jpeg.read_bytes() == rates.made.carrier
        assert (shot_folder / "photo.jpg_original").read_bytes() == before


def test_a_name_without_an_ending_gets_one(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = shot_folder / "holiday.jpg"
    there.write_bytes(b"precious")
    answering(monkeypatch, shot_folder / "holiday")
    opened.menus.actions["save"].trigger()
    # The system's dialog has asked about another name.
    wait_until(lambda: "exists" in opened.workspace.feedback.text)
    assert there.read_bytes() == b"precious"
    assert not (shot_folder / "holiday").exists()
    toast = opened.widgets.toasts.toasts[-1]
    toast.remedies["overwrite"].click()
    written(opened, "Saved holiday.jpg")
    assert rawback.verify(there).intact
    opened_at: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened_at.append(url.path()))
    opened.widgets.toasts.toasts[-1].remedies["show_in_folder"].click()
    assert opened_at == [str(shot_folder)]
    assert opened.workspace.feedback.notices == ()


def test_a_signature_is_broken_only_when_asked(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jpeg = shot_folder / "photo.jpg"
    before = jpeg.read_bytes()
    monkeypatch.setattr(rawback.Session, "signed", property(lambda _self: True))
    wait_until(lambda: settled(opened))
    opened.menus.actions["save_in_place"].trigger()
    assert "C2PA" in opened.workspace.feedback.text
    assert opened.workspace.feedback.progress is None
    assert jpeg.read_bytes() == before
    opened.widgets.toasts.toasts[-1].remedies["save_signed"].click()
    wait_until(lambda: "sign it again" in opened.workspace.feedback.text)
    assert rawback.verify(jpeg).intact
    opened.menus.actions["save_in_place"].trigger()
    opened.widgets.toasts.toasts[-1].remedies["save_beside"].click()
    written(opened, "photo.jpg.rawback")
    assert rawback.verify(jpeg, sidecar=shot_folder / "photo.jpg.rawback").intact


def test_what_is_saved_is_what_the_window_says(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where saving overtakes the measuring of the curve."""
    path = shot_folder / "carrier.jpg"
    opened.workspace.rates.choose_place(0.85)
    answering(monkeypatch, path)
    opened.menus.actions["save"].trigger()
    written(opened, "carrier.jpg")
    info = rawback.inspect(path)
    made = opened.workspace.rates.made
    assert made is not None
    assert made.result.payload_bytes == info.payload_bytes
    figures = opened.workspace.rates.figures
    assert figures is not None
    assert (figures.measured, figures.payload_bytes) == (True, info.payload_bytes)


def test_a_carrier_is_verified_shrunk_stripped_and_exported(
    window: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    lossless_carrier: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    carrier = shot_folder / "carrier.jpg"
    carrier.write_bytes(lossless_carrier)
    drop(window, carrier)
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert window.carrier.isVisible()
    assert "every sample" in window.carrier.summary.whole
    buttons = window.carrier.buttons
    buttons["verify"].click()
    wait_until(lambda: "whole" in window.workspace.feedback.text)
    half = rawback.inspect(carrier).payload_bytes // 2
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: (f"{half} B", True))
    answering(monkeypatch, shot_folder / "smaller.jpg")
    buttons["shrink"].click()
    written(window, "smaller.jpg")
    assert rawback.inspect(shot_folder / "smaller.jpg").payload_bytes <= half
    answering(monkeypatch, shot_folder / "plain.jpg")
    buttons["strip"].click()
    written(window, "plain.jpg")
    assert (shot_folder / "plain.jpg").read_bytes() == (shot_folder / "photo.jpg").read_bytes()
    answering(monkeypatch, shot_folder / "again.dng")
    buttons["export_dng"].click()
    written(window, "again.dng")
    raw = rawio.read_raw(shot_folder / "photo.dng")
    assert np.array_equal(rawio.read_raw(shot_folder / "again.dng").cfa, raw.cfa)
    answering(monkeypatch, shot_folder / "grain.dng")
    window.run("export_grain")
    written(window, "grain.dng, sample for sample")
    raw_path = str(shot_folder / "photo.dng")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a: (raw_path, ""))
    buttons["compare_raw"].click()
    wait_until(lambda: shows(window, "carrier", "restored") and not window.carrier.isVisible())


def test_the_raw_file_itself_is_kept_and_given_back(
    opened: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates = opened.workspace.rates
    opened.payload.keep_file.click()
    assert rates.rate == rawback.Rate.lossless()
    # What that takes is not known before.
    assert rates.figures is None
    wait_until(lambda: rates.made is not None)
    carrier = shot_folder / "carrier.jpg"
    answering(monkeypatch, carrier)
    opened.menus.actions["save"].trigger()
    written(opened, "the raw file itself included")
    drop(opened, carrier)
    wait_until(lambda: opened.carrier.isVisible())
    again = shot_folder / "again.dng"
    answering(monkeypatch, again)
    opened.carrier.buttons["export_original"].click()
    written(opened, "byte for byte")
    assert again.read_bytes() == (shot_folder / "photo.dng").read_bytes()


def test_sliding_away_keeps_the_raw_file_no_more(opened: MainWindow) -> None:
    rates = opened.workspace.rates
    rates.choose_file(keep=True)
    assert opened.payload.keep_file.isChecked()
    rates.choose_place(0.5)
    assert not rates.keep_file
    assert not opened.payload.keep_file.isChecked()


def test_the_clipboard_gets_view_and_command(opened: MainWindow, shot_folder: Path) -> None:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    opened.menus.actions["copy_command"].trigger()
    text = clipboard.text()
    assert text.startswith("rawback embed ")
    assert text.endswith("-q 60")
    opened.menus.actions["copy_view"].trigger()
    assert clipboard.image().width() == opened.canvas.width()


def test_what_is_saved_is_verified_unless_people_leave_it(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: settled(opened))
    stages: list[str] = []
    show = opened.workspace.feedback.show

    def noted(work: Work, stage: str, fraction: float) -> None:
        stages.append(stage)
        show(work, stage, fraction)

    monkeypatch.setattr(opened.workspace.feedback, "show", noted)
    answering(monkeypatch, shot_folder / "first.jpg")
    opened.menus.actions["save"].trigger()
    written(opened, "Saved first.jpg")
    assert "Verifying" in stages
    assert "read back and compared" in opened.workspace.feedback.text
    # What does not give back what was meant is not kept.
    from rawback import decoder

    decode = decoder.decode

    def wrong(*args: Any, **options: Any) -> Any:
        frame = decode(*args, **options)
        return replace(frame, cfa=frame.cfa ^ np.uint16(1))

    monkeypatch.setattr(decoder, "decode", wrong)
    answering(monkeypatch, shot_folder / "second.jpg")
    opened.menus.actions["save"].trigger()
    wait_until(lambda: "other samples come back" in opened.workspace.feedback.text)
    assert not (shot_folder / "second.jpg").exists()
    opened.payload.verify.click()
    stages.clear()
    opened.menus.actions["save"].trigger()
    written(opened, "Saved second.jpg")
    assert "Verifying" not in stages
    assert "compared" not in opened.workspace.feedback.text
    assert not opened.settings.flag("verify", otherwise=True)
    opened.menus.actions["copy_command"].trigger()
    assert opened.workspace.feedback.text.endswith("--no-verify")


def test_verifying_is_cancelled(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rawback import decoder

    wait_until(lambda: settled(opened))
    begun, decode = threading.Event(), decoder.decode

    def slow(*args: Any, progress: rawback.Progress, **options: Any) -> Any:
        begun.set()
        for step in range(200):
            time.sleep(0.05)
            progress("Decoding", step / 200)
        return decode(*args, progress=progress, **options)

    monkeypatch.setattr(decoder, "decode", slow)
    answering(monkeypatch, shot_folder / "never.jpg")
    before = set(shot_folder.iterdir())
    opened.menus.actions["save"].trigger()
    wait_until(begun.is_set)
    opened.widgets.sentence.cancel.click()
    assert opened.workspace.feedback.text == "Cancelled."
    wait_until(lambda: set(shot_folder.iterdir()) == before)
    assert opened.workspace.session is not None


def test_payloads_tell_what_people_choose(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remembered, and alike in the panel and the batch."""
    rates, chooser = opened.workspace.rates, opened.payload.metadata
    wait_until(lambda: settled(opened))
    assert rates.made is not None
    before, place = rates.made.result, rates.place
    opened.show_batch()
    batch = opened.batch_window
    assert batch is not None
    for choice, told in (("all", "stored"), ("rendering", "left out")):
        chooser.chosen.emit(choice)
        assert chooser.value == batch.metadata.value == choice
        assert chooser.meaning.text()
        assert opened.settings.metadata() == choice
        # The handle stays; figures are those of the other payload at once.
        assert rates.place == place
        assert rates.figures is not None
        assert not rates.figures.measured
        about = rates.figures.payload_bytes
        wait_until(lambda: settled(opened))
        result = rates.made.result
        assert result.metadata.personal == told
        assert about == pytest.approx(result.payload_bytes, rel=0.05)
        answering(monkeypatch, shot_folder / f"{choice}.jpg")
        opened.menus.actions["save"].trigger()
        written(opened, f"{choice}.jpg")
        assert rawback.inspect(shot_folder / f"{choice}.jpg").metadata.personal == told
        opened.menus.actions["copy_command"].trigger()
        assert opened.workspace.feedback.text.endswith(f"--metadata {choice}")
    batch.metadata.chosen.emit("auto")
    assert chooser.value == "auto"
    wait_until(lambda: settled(opened))
    assert rates.made.result.payload_bytes == before.payload_bytes


def test_a_place_of_the_slider_costs_what_its_metadata_do(opened: MainWindow) -> None:
    rates = opened.workspace.rates
    wait_until(lambda: settled(opened))
    rates.choose_place(0.2)
    assert rates.rate.kind == "size"
    place, size = rates.place, rates.rate.value
    opened.payload.metadata.chosen.emit("all")
    assert rates.place == place
    assert rates.rate.value > size
    wait_until(lambda: settled(opened))
    # What was typed stays what it is.
    rates.choose(rawback.Rate.size(9000))
    opened.payload.metadata.chosen.emit("auto")
    assert rates.rate == rawback.Rate.size(9000)


def test_errors_are_made_small_for_what_experts_choose(opened: MainWindow) -> None:
    space, rates = opened.workspace, opened.workspace.rates
    wait_until(lambda: settled(opened))
    opened.panel.setCurrentIndex(2)
    assert not opened.payload.tune.isVisible()
    opened.payload.expert.click()
    assert opened.payload.tune.isVisible()
    rates.choose_place(0.75)
    opened.run("push")
    wait_until(lambda: settled(opened))
    assert rates.made is not None
    before, rate, view = rates.made.result, rates.rate, space.state
    opened.payload.tune.chosen.emit("psnr")
    wait_until(lambda: space.feedback.progress is None or space.feedback.progress.work != "open")
    wait_until(lambda: settled(opened))
    # The same picture, place and view; only what it is coded for differs.
    assert (rates.rate, space.state) == (rate, view)
    assert rates.made.result.payload_bytes != before.payload_bytes
    efficiency = [r.psnr_db - 6.02 * r.bpp for r in (rates.made.result, before)]
    assert efficiency[0] > efficiency[1]
    assert opened.payload.tune.value == "psnr"
