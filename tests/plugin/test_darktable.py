"""The script in the real darktable: what is exported carries its raw, or is a JPEG as before."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import rawback
from rawback import jpegio
from rawback.metrics import delta_e_2000, lab_from_linear
from rawback.rendering import from_srgb
from rawback_lab.darktable import render_darktable
from rawback_lab.darktable_window import NEEDED, drive

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.skipif(shutil.which("darktable-cli") is None, reason="no darktable"),
    pytest.mark.usefixtures("no_service"),
]

ROOT = Path(__file__).parents[2]
LOAD = f"package.path='{ROOT}/plugin_darktable/?.lua;'..package.path require 'rawback'"
HOSTILE = (
    "plain",
    "with space",
    'it\'s "quoted"',
    "`touch x` $(touch x) $HOME; touch x",
    "line\nend",
    "Grüße 日本 🦝",
    "-leading",
    "back\\slash & | < > * ? % !",
)
"""Names without their extension; none of them may run anything or lose its raw."""


@pytest.fixture
def export(helper: Path, tmp_path: Path) -> Callable[..., str]:
    """Export ``tmp_path/in`` (or what is given) with the script; what darktable says."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()

    def run(source: str = "in", executable: Path | str = helper, **preferences: str) -> str:
        settings = {"executable": str(executable), "rate": "quality 40", **preferences}
        command = ["darktable-cli", source, "out/$(FILE_NAME)", "--out-ext", "jpg"]
        command += ["--apply-custom-presets", "false", "--core", "--library", ":memory:"]
        command += ["--configdir", f"{tmp_path}/config", "--cachedir", f"{tmp_path}/cache"]
        command += ["--disable-opencl", "-d", "lua", "--luacmd", LOAD]
        for name, value in settings.items():
            command += ["--conf", f"lua/rawback/{name}={value}"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            check=True,
            timeout=600,
        )
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    return run


@pytest.fixture
def one(tmp_path: Path, export: Callable[..., str], shot: tuple[bytes, bytes]) -> Path:
    """The JPEG that exporting the one small raw of the folder makes."""
    (tmp_path / "in" / "one.dng").write_bytes(shot[0])
    return tmp_path / "out" / "one.jpg"


def is_bare(jpeg: Path) -> bool:
    """Whether it is a whole JPEG that carries nothing, with nothing left beside it."""
    with Image.open(jpeg) as image:
        image.load()
    return (
        rawback.verify(jpeg).status == "payload missing"
        and [path.name for path in jpeg.parent.iterdir()] == [jpeg.name]
    )  # fmt: skip


def program(folder: Path, *lines: str) -> Path:
    path = folder / "helper of mine"
    path.write_text("\n".join(("#!/bin/sh", *lines)) + "\n", "utf-8")
    path.chmod(0o755)
    return path


def developed(raw: bytes, carrier: Path) -> tuple[bytes, bytes]:
    """What darktable makes of a raw, and of the one restored from its carrier."""
    dng, _ = rawback.restore_bytes(carrier.read_bytes())
    original, restored = (render_darktable(data, 98) for data in (raw, dng))
    assert original is not None
    assert restored is not None
    return original, restored


def likeness(one: bytes, other: bytes) -> tuple[float, float]:
    """PSNR in dB and mean CIEDE2000 of two JPEGs."""
    first, second = (jpegio.decode_jpeg(data).pixels for data in (one, other))
    error = np.square((first - second.astype(np.float64)) / 255).mean()
    psnr = -10 * np.log10(error) if error else np.inf
    difference = delta_e_2000(*(lab_from_linear(from_srgb(p)) for p in (first, second)))
    return float(psnr), float(difference.mean())


def test_there_and_back(
    tmp_path: Path, export: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The restored raw is developed into the picture that the original gives."""
    raw = (ROOT / "assets" / "sample.dng").read_bytes()
    (tmp_path / "in" / "sample.dng").write_bytes(raw)
    said = export(rate="quality 80")
    carrier = tmp_path / "out" / "sample.jpg"
    assert "sample.jpg: raw embedded, +" in said
    assert rawback.verify(carrier).intact
    original, restored = developed(raw, carrier)
    psnr, difference = likeness(original, restored)
    size = rawback.inspect(carrier).payload_bytes
    with capsys.disabled():
        print(  # noqa: T201 -- the log keeps the figures
            f"\n{size} bytes, developed by darktable: {psnr:.2f} dB, Delta E {difference:.3f}"
        )
    assert psnr > 40
    assert difference < 1.5


@pytest.mark.usefixtures("service_folder")
def test_hostile_names_and_many_images(
    tmp_path: Path, export: Callable[..., str], shot: tuple[bytes, bytes]
) -> None:
    """One export job, whose images the warm service does."""
    for name in HOSTILE:
        (tmp_path / "in" / f"{name}.dng").write_bytes(shot[0])
    export()
    assert {path.stem for path in (tmp_path / "out").iterdir()} == set(HOSTILE)
    for name in HOSTILE:
        assert rawback.inspect(tmp_path / "out" / f"{name}.jpg").intact, name
    assert not (tmp_path / "x").exists()
    seen = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert seen == {"in", "out", "config", "cache"}


def test_a_relative_name_with_a_leading_dash(
    tmp_path: Path, export: Callable[..., str], shot: tuple[bytes, bytes]
) -> None:
    (tmp_path / "-raw.dng").write_bytes(shot[0])
    export("./-raw.dng")
    assert rawback.inspect(tmp_path / "out" / "-raw.jpg").intact


def test_a_helper_that_is_missing(one: Path, export: Callable[..., str]) -> None:
    said = export(executable="/none/rawback-darktable")
    assert "one.jpg: raw not embedded: /none/rawback-darktable cannot be run" in said
    assert is_bare(one)


def test_a_helper_that_fails(one: Path, tmp_path: Path, export: Callable[..., str]) -> None:
    said = export(executable=program(tmp_path, "echo rubbish", "exit 3"))
    assert "raw not embedded: " in said
    assert "helper of mine ended with status 3 and said nothing" in said
    assert is_bare(one)


def test_a_helper_that_is_killed_at_work(
    one: Path, tmp_path: Path, helper: Path, export: Callable[..., str]
) -> None:
    lines = (f"'{helper}' --alone \"$@\" &", "sleep 0.4", "kill -9 $!", "kill -9 $$")
    said = export(executable=program(tmp_path, *lines))
    assert "helper of mine ended with status 137 and said nothing" in said
    assert is_bare(one)


def test_a_helper_that_refuses(one: Path, tmp_path: Path, export: Callable[..., str]) -> None:
    """What the helper says is what darktable says."""
    said = export(rate="1 B")
    assert "one.jpg: raw not embedded: " in said
    assert is_bare(one)


def test_a_rate_that_is_none(one: Path, export: Callable[..., str]) -> None:
    assert "'much' is no rate" in export(rate="much")
    assert is_bare(one)


@pytest.mark.parametrize(
    ("preferences", "reason"),
    [
        ({"enabled": "FALSE"}, "switched off"),
        ({"stars": "5"}, "too few stars"),
        ({"tag": "to carry"}, "not tagged to carry"),
    ],
)
def test_exports_that_are_not_wanted(
    one: Path, export: Callable[..., str], preferences: dict[str, str], reason: str
) -> None:
    assert f"one.jpg left alone, {reason}" in export(**preferences)
    assert is_bare(one)


def test_exports_that_are_wanted(
    one: Path, export: Callable[..., str], shot: tuple[bytes, bytes]
) -> None:
    """Darktable tags what it imports by its format; new images have one star.

    Without loss, the restored raw is developed into the same picture, but for what rounding the
    colour data in the payload's header does.
    """
    said = export(tag="darktable|format", stars="1", rate="lossless")
    assert "one.jpg: raw embedded, +" in said
    assert "exact" in said
    assert rawback.inspect(one).exact
    psnr, difference = likeness(*developed(shot[0], one))
    assert psnr > 50
    assert difference < 0.2


@pytest.mark.slow
def test_the_panel_in_the_window(tmp_path: Path) -> None:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)}")
    folder = tmp_path / "pictures"
    folder.mkdir()
    results, failures, label, tooltip = drive(folder, tmp_path / "panel.png").split("\n\n")
    said = results.splitlines()
    assert said[0] == "raccoon 50 kB.jpg: raw restored as raccoon 50 kB.rawback.dng"
    assert [line.partition(":")[0] for line in said[1:]] == [
        "raccoon 350 kB.jpg",
        "raccoon lossless.jpg",
        "raccoon 50 kB.jpg",
    ]
    assert all("raw embedded, +" in line for line in said[1:])
    # A helper that is not there: each failure is told whole, in lines that fit into the panel.
    export, opened = failures.splitlines()
    reason = "cannot be run; install rawback, or set the helper's path in the Lua options"
    assert export.startswith("raccoon missing.jpg: raw not embedded: ")
    assert opened.startswith("raccoon 50 kB.jpg: not opened in rawback: ")
    assert export.endswith(reason)
    assert opened.endswith(reason)
    assert max(map(len, label.splitlines())) <= 40
    assert "".join(failures.split()) in "".join(label.split())
    assert tooltip == f"{export}|{opened}"
    assert rawback.inspect(folder / "raccoon lossless.jpg").exact
    assert (folder / "raccoon 50 kB.rawback.dng").stat().st_size > 500_000
    with Image.open(tmp_path / "panel.png") as picture:
        shown = np.asarray(picture.convert("RGB"))
    assert shown.std() > 20, "an empty screen"
