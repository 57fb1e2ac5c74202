"""The rate-distortion benchmark measures, remembers, tells and draws."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from rawback import rawio
from rawback_lab.bench import __main__ as listing
from rawback_lab.bench import rd
from rawback_lab.bench.rd_plots import draw
from rawback_lab.bench.rd_tables import deltas, print_tables
from rawback_lab.camera import CameraSpec
from rawback_lab.scenes import made_up_picture
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHES = Path(listing.__file__).parent


def point(bpp: float, psnr: float | None) -> dict[str, Any]:
    edits = {"+2 EV": {"psnr": 31.25, "delta_e": 1.5}}
    return {"bytes": 100, "bpp": bpp, "psnr": psnr, "seconds": 1.0, "edits": edits}


RESULTS: dict[str, Any] = {
    "protocol": "p2",
    "case": "q92-420",
    "edit_rate": 0.02,
    "frames": {
        name: {
            "methods": {
                "rawback": {"0.02": point(0.01, 40 + more), "0.1": point(0.05, 44 + more)},
                "base": {"any": point(0.015, 37.0)},
                "base+jpeg2000": {"0.02": point(0.02, 40 + more), "0.1": point(0.1, 44 + more)},
                "sam": {"0.02": None, "0.1": point(0.1, 30.0)},
                "miniraw": {"any": point(7.0, None)},
            }
        }
        for name, more in (("one", 0), ("two", 3))
    },
}
RESULTS["bd"] = deltas(RESULTS["frames"])


def test_deltas_are_those_of_each_raw_and_their_mean() -> None:
    against = RESULTS["bd"]["base+jpeg2000"]
    assert set(against) == {"one", "two", "mean"}
    assert against["one"]["rate_percent"] == pytest.approx(-50)
    assert against["mean"]["rate_percent"] == pytest.approx(-50)
    assert against["mean"]["psnr_db"] > 0
    assert set(RESULTS["bd"]) == {"base+jpeg2000", "sam"}
    assert RESULTS["bd"]["sam"]["one"] == {"rate_percent": None, "psnr_db": None}


def test_tables_show_every_method_once_a_raw(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(RESULTS)
    shown = capsys.readouterr().out
    assert "| one | 0.02 | 0.1 |" in shown
    assert "| base+jpeg2000 | 43.00 | 47.00 |" in shown
    assert "| sam | - | 30.00 |" in shown
    assert "| miniraw | 7.0000 bpp, lossless | 7.0000 bpp, lossless |" in shown
    assert "+2 EV: 31.25 dB, dE 1.50" in shown
    assert "-50.0 %" in shown


def test_curves_are_drawn(tmp_path: Path) -> None:
    path = draw(RESULTS, tmp_path)
    assert path.name == "rd_p2_q92-420.png"
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    red = (np.abs(pixels.astype(int) - (0xD6, 0x27, 0x28)).max(axis=2) < 8).sum()
    assert red > 100


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    frame = simulate(made_up_picture(96, 128), CameraSpec(), np.random.default_rng(0))
    file = tmp_path / "shot.dng"
    file.write_bytes(rawio.write_dng(frame))
    return file


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def called(*arguments: str) -> dict[str, Any]:
        kept = tmp_path / "figures.json"
        more = ["--json", str(kept), "--scratch", str(tmp_path / "scratch")]
        monkeypatch.setattr(sys, "argv", ["bench", "rd", *arguments, *more])
        listing.main()
        found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return found

    return called


def test_a_raw_is_measured_and_peers_are_not_measured_twice(
    raw: Path, tmp_path: Path, call: Callable[..., dict[str, Any]]
) -> None:
    asked = [str(raw), "--peers", "base", "jpegxl", "ljpeg-dng", "--rates", "3.0"]
    found = call(*asked, "6.0", "--plots", str(tmp_path))
    methods = found["frames"]["shot"]["methods"]
    for method in ("rawback", "jpegxl"):
        small, large = methods[method]["3.0"], methods[method]["6.0"]
        assert small["bpp"] <= 3 < large["bpp"] <= 6
        assert small["psnr"] < large["psnr"]
    assert methods["rawback-lossless"]["any"]["psnr"] is None
    assert methods["ljpeg-dng"]["any"]["bpp"] > methods["rawback-lossless"]["any"]["bpp"]
    assert set(methods["base"]["any"]["edits"]) == {"+2 EV", "+4 EV"}
    assert (tmp_path / "rd_p2_q92-420.png").exists()

    store = tmp_path / "scratch" / "rd-p2-q92-420.json"
    kept = json.loads(store.read_text("utf-8"))
    (figures,) = kept.values()
    figures["jpegxl"]["3.0"]["psnr"] = 12.5
    store.write_text(json.dumps(kept))
    again = call(*asked)["frames"]["shot"]["methods"]
    assert again["jpegxl"]["3.0"]["psnr"] == 12.5
    assert again["rawback"]["3.0"]["psnr"] == methods["rawback"]["3.0"]["psnr"]


def test_pictures_are_measured_too(raw: Path, call: Callable[..., dict[str, Any]]) -> None:
    found = call(str(raw), "--protocol", "p1", "--rates", "9", "20", "--peers", "sam")
    frame = found["frames"]["shot"]
    assert frame["pixels"] == 24 * 32
    assert frame["methods"]["rawback"]["9.0"]["psnr"] < frame["methods"]["rawback"]["20.0"]["psnr"]
    assert frame["methods"]["sam"]["20.0"]["bpp"] <= 20


def test_benches_are_listed_with_what_they_say_of_themselves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = listing.benchmarks()
    assert {"main_job", "geometry", "speed", "summary", "peers", "rd", "rd_plots"} <= set(names)
    assert not {"carriers", "materials", "rd_tables"} & set(names)
    assert all(len(about) > 20 for about in names.values())
    monkeypatch.setattr(sys, "argv", ["bench"])
    with pytest.raises(SystemExit) as left:
        listing.main()
    assert left.value.code is False
    assert "rd" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["bench", "nothing"])
    with pytest.raises(SystemExit) as left:
        listing.main()
    assert left.value.code


def test_figures_survive_a_broken_run(tmp_path: Path) -> None:
    store = rd.Kept(tmp_path / "kept.json")
    store.of("raw", "peer")["0.1"] = None
    store.save()
    assert rd.Kept(tmp_path / "kept.json").of("raw", "peer") == {"0.1": None}
