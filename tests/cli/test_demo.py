"""The demo does the main job on a fresh machine, and does it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rawback import rawio
from rawback.cli import demo, main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_demo(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    trips = document["trips"]
    sizes = [trip["embed"]["payload_bytes"] for trip in trips]
    assert sizes == sorted(sizes)
    assert sizes[0] <= 20_000
    assert sizes[1] <= 100_000
    assert [trip["restore"]["exact"] for trip in trips] == [False, False, True]
    assert 40 < trips[0]["embed"]["psnr_db"] < trips[1]["embed"]["psnr_db"]
    for trip in trips:
        assert rawio.read_raw(there / trip["restore"]["output"]).cfa.shape == (768, 1024)
    with Image.open(there / document["picture"]) as picture:
        assert picture.format == "PNG"
        right_bottom = np.asarray(picture)[-300:-70, -370:-40]
    assert right_bottom.max() == 0, "the picture shows an error where there is none"


def test_the_demo_runs_again(
    there: Path,
    shot_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    monkeypatch.setattr(demo, "_sample", lambda: small)
    monkeypatch.setattr(demo, "_SIZES", (5_000,))
    names = [
        "comparison.png",
        "sample-5kB.dng",
        "sample-5kB.jpg",
        "sample-lossless.dng",
        "sample-lossless.jpg",
    ]
    (there / "again").mkdir()
    for name in names:
        (there / "again" / name).write_bytes(b"of an earlier run")
    assert main(["demo", "again"]) == 0
    told = capsys.readouterr().out
    assert "lossless" in told
    assert "comparison.png" in told
    assert sorted(path.name for path in (there / "again").iterdir()) == names
    assert all((there / "again" / name).stat().st_size > 1000 for name in names)
