"""The demo does the main job on a fresh machine, and does it again."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rawback import rawio
from rawback.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    trips = document["trips"]
    sizes = [trip["embed"]["payload_bytes"] for trip in trips]
    assert sizes[0] <= 20_000
    assert sizes[1] <= 100_000
    assert sizes == sorted(sizes)
    assert [trip["restore"]["exact"] for trip in trips] == [False, False, True]
    assert trips[0]["embed"]["psnr_db"] < trips[1]["embed"]["psnr_db"]
    frames = [rawio.read_raw(trip["restore"]["output"]).cfa for trip in trips]
    assert all(frame.shape == frames[0].shape for frame in frames)
    with Image.open(io.BytesIO((tmp_path / document["picture"]).read_bytes())) as picture:
        assert picture.format == "PNG"
        assert np.asarray(picture).std() > 20
    before = sorted(path.name for path in (tmp_path / "rawback-demo").iterdir())
    assert len(before) == 7

    assert main(["demo"]) == 0
    told = capsys.readouterr().out
    assert "lossless" in told
    assert "comparison.png" in told
    assert sorted(path.name for path in (tmp_path / "rawback-demo").iterdir()) == before
