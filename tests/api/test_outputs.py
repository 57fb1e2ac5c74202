"""Which files the verbs write, and which they never touch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import rawback

if TYPE_CHECKING:
    from pathlib import Path

Shot = tuple[bytes, bytes]
COARSE = rawback.Rate.quality(20)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_carrier(lossless_carrier: bytes) -> bytes:
    return rawback.shrink_bytes(lossless_carrier, 10_000)[0]


def test_default_names(shot_folder: Path, shot: Shot) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    embedded = rawback.embed(raw, jpeg, rate=COARSE)
    assert embedded.output == shot_folder / "photo.rawback.jpg"
    assert rawback.restore(embedded.output).output == shot_folder / "photo.rawback.dng"
    assert (raw.read_bytes(), jpeg.read_bytes()) == shot


def test_restoring_beside_the_original_raw_does_not_hit_it(
    shot_folder: Path, shot: Shot, small_carrier: bytes
) -> None:
    (shot_folder / "photo.jpg").write_bytes(small_carrier)
    restored = rawback.restore(shot_folder / "photo.jpg", overwrite=True)
    assert restored.output == shot_folder / "photo.rawback.dng"
    assert (shot_folder / "photo.dng").read_bytes() == shot[0]


def test_paths_may_be_text(shot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shot_folder)
    rawback.embed("photo.dng", "photo.jpg", "-o.jpg", rate=COARSE)
    rawback.restore("-o.jpg", "--.dng")
    assert names_in(shot_folder) == ["--.dng", "-o.jpg", "photo.dng", "photo.jpg"]


@pytest.mark.parametrize(
    "name", [b"two words", b'it\'s "q" $HOME `x`', b"new\nline", b"-dash", b"\xff\xfe", b"[b]x"]
)
def test_any_name_will_do(tmp_path: Path, shot: Shot, small_carrier: bytes, name: bytes) -> None:
    stem = os.fsdecode(name)
    carrier = tmp_path / f"{stem}.jpg"
    carrier.write_bytes(small_carrier)
    assert rawback.verify(carrier).intact
    assert rawback.restore(carrier).output == tmp_path / f"{stem}.rawback.dng"
    stripped = tmp_path / f"{stem}.rawback.jpg"
    assert rawback.strip(carrier, stripped).output == stripped
    assert stripped.read_bytes() == shot[1]


def test_nothing_that_exists_is_replaced(
    shot_folder: Path, small_carrier: bytes, shot: Shot
) -> None:
    carrier = shot_folder / "carrier.jpg"
    carrier.write_bytes(small_carrier)
    kept = shot_folder / "kept"
    kept.write_bytes(b"kept")
    before = names_in(shot_folder)
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    for use in (
        lambda: rawback.embed(raw, jpeg, kept),
        lambda: rawback.embed(raw, jpeg, sidecar=kept),
        lambda: rawback.restore(carrier, kept),
        lambda: rawback.shrink(carrier, 5_000, kept),
        lambda: rawback.strip(carrier, kept),
    ):
        with pytest.raises(rawback.OutputRefused, match="overwrite"):
            use()
    assert kept.read_bytes() == b"kept"
    assert names_in(shot_folder) == before


def test_inputs_are_not_replaced_even_if_overwriting(
    shot_folder: Path, small_carrier: bytes, shot: Shot
) -> None:
    carrier = shot_folder / "carrier.jpg"
    carrier.write_bytes(small_carrier)
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    for use in (
        lambda: rawback.embed(raw, jpeg, raw, overwrite=True),
        lambda: rawback.embed(raw, jpeg, jpeg, overwrite=True),
        lambda: rawback.restore(carrier, carrier, overwrite=True),
        lambda: rawback.shrink(carrier, 5_000, carrier, overwrite=True),
        lambda: rawback.strip(carrier, carrier, overwrite=True),
    ):
        with pytest.raises(rawback.OutputRefused, match="input"):
            use()
    assert (raw.read_bytes(), jpeg.read_bytes()) == shot
    assert carrier.read_bytes() == small_carrier


def test_in_place_without_a_copy(shot_folder: Path, shot: Shot) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    result = rawback.embed(raw, jpeg, rate=COARSE, in_place=True, keep_original=False)
    assert (result.output, result.original) == (jpeg, None)
    assert rawback.strip_bytes(jpeg.read_bytes()) == shot[1]
    assert {path.name for path in shot_folder.iterdir()} == {"photo.dng", "photo.jpg"}


def test_in_place_keeps_the_first_original(shot_folder: Path, shot: Shot) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    for _ in range(2):
        result = rawback.embed(raw, jpeg, rate=COARSE, in_place=True)
        assert (result.output, result.original) == (jpeg, shot_folder / "photo.jpg_original")
        assert (shot_folder / "photo.jpg_original").read_bytes() == shot[1]
        assert rawback.strip_bytes(jpeg.read_bytes()) == shot[1]
    assert names_in(shot_folder) == ["photo.dng", "photo.jpg", "photo.jpg_original"]


def test_a_sidecar_leaves_the_jpeg_alone(shot_folder: Path, shot: Shot) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    result = rawback.embed(raw, jpeg, rate=COARSE, sidecar=True)
    sidecar = shot_folder / "photo.jpg.rawback"
    assert result.output == sidecar
    assert jpeg.read_bytes() == shot[1]
    assert result.payload_bytes == sidecar.stat().st_size
    assert rawback.inspect(sidecar).payload_bytes == sidecar.stat().st_size
    assert rawback.verify(jpeg, sidecar=sidecar).intact
    with pytest.raises(rawback.PayloadMissing, match=r"\.rawback"):
        rawback.restore(jpeg)
    assert rawback.restore(jpeg, sidecar=sidecar).width == 160
    less = rawback.shrink(sidecar, result.payload_bytes - 1, shot_folder / "less.rawback")
    assert 0 < less.payload_bytes == (shot_folder / "less.rawback").stat().st_size
    assert less.payload_bytes < result.payload_bytes
    assert rawback.verify(jpeg, sidecar=shot_folder / "less.rawback").intact


def test_one_place_at_a_time(shot_folder: Path) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    with pytest.raises(ValueError, match="one of"):
        rawback.embed(raw, jpeg, "x.jpg", in_place=True)
    with pytest.raises(ValueError, match="one of"):
        rawback.embed(raw, jpeg, in_place=True, sidecar=True)


def test_inputs_that_are_not_there(tmp_path: Path, shot_folder: Path) -> None:
    missing = tmp_path / "missing"
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    for use in (
        lambda: rawback.embed(missing, jpeg),
        lambda: rawback.embed(raw, missing),
        lambda: rawback.restore(missing),
        lambda: rawback.inspect(missing),
        lambda: rawback.verify(missing),
        lambda: rawback.shrink(missing, 1000, tmp_path / "x"),
        lambda: rawback.strip(missing, tmp_path / "x"),
    ):
        with pytest.raises(rawback.RawbackError, match="missing cannot be read"):
            use()
    assert names_in(shot_folder) == ["photo.dng", "photo.jpg"]
