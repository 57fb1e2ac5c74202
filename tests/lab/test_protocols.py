"""Both protocols give the material they promise, the same every time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from rawback import jpegio, rawio
from rawback.types import BayerPattern
from rawback_lab.bench.carriers import carrier_file, case_file
from rawback_lab.camera import CameraSpec
from rawback_lab.edit_metrics import picture_edit_metrics
from rawback_lab.peers import PICTURE_PEERS
from rawback_lab.pictures import linear_picture, linear_shot
from rawback_lab.protocols import P1_CASES, P2_CASES, P1Case, P2Case, listed_raws
from rawback_lab.scenes import made_up_picture
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

FRAME = simulate(made_up_picture(256, 384), CameraSpec(), np.random.default_rng(0))
PICTURE = P1Case().picture(FRAME)


@pytest.mark.parametrize("pattern", get_args(BayerPattern))
def test_a_grey_scene_becomes_the_neutral_on_a_white_level_of_65535(pattern: BayerPattern) -> None:
    spec = CameraSpec(pattern=pattern, headroom=0.0, iso=100)
    grey = np.full((64, 98, 3), 0.4, np.float32)
    linear = linear_picture(simulate(grey, spec, np.random.default_rng(0)), 4)
    assert linear.shape == (16, 24, 3)
    expected = 0.4 * np.array(spec.neutral)
    assert linear.mean(axis=(0, 1)) / 65535 == pytest.approx(expected, rel=0.01)


def test_scaling_down_averages_areas() -> None:
    """Of a slope the mean over each area is its middle, and noise falls by the square root."""
    ramp = np.linspace(0.05, 0.5, 256, dtype=np.float32)
    scene = np.repeat(np.repeat(ramp[None, :, None], 64, axis=0), 3, axis=2)
    frame = simulate(scene, CameraSpec(headroom=0.0, iso=800), np.random.default_rng(0))
    green = linear_picture(frame, 4)[2:-2, 2:-2, 1] / 65535
    middles = ramp.reshape(-1, 4).mean(axis=1)[2:-2]
    assert green.mean(axis=0) == pytest.approx(middles, abs=0.01)
    variance = frame.noise.scale * middles + frame.noise.offset
    assert (green - middles).var() < variance.mean() / 4


def test_pictures_are_drawn_the_same_every_time_and_looks_differ() -> None:
    again = P1Case().picture(FRAME)
    assert (again.linear == PICTURE.linear).all()
    assert (again.guide == PICTURE.guide).all()
    guides = [case.picture(FRAME).guide for case in P1_CASES]
    assert all(guide.shape == PICTURE.linear.shape for guide in guides)
    assert len({guide.tobytes() for guide in guides}) == len(P1_CASES)


def test_a_picture_is_a_linear_raw_and_its_rendering() -> None:
    frame, carrier = linear_shot(PICTURE)
    assert str(frame.mosaic) == "R+G+B"
    assert (frame.cfa == PICTURE.linear).all()
    assert (carrier.pixels == PICTURE.guide).all()
    assert (frame.black, frame.white) == ((0.0, 0.0, 0.0), 65535)
    assert 0 < frame.noise.scale < FRAME.noise.scale


@pytest.mark.parametrize("name", sorted(PICTURE_PEERS))
def test_peers_take_pictures_too(name: str) -> None:
    coded = PICTURE_PEERS[name](PICTURE, 4_000)
    assert coded is not None
    assert coded.size <= 4_000
    error = (coded.samples.astype(float) - PICTURE.linear) / 65535
    assert -10 * np.log10(np.square(error).mean()) > 26


def test_edits_of_pictures_show_shadow_errors() -> None:
    same = picture_edit_metrics(PICTURE.linear, PICTURE.linear, FRAME)
    assert all(likeness.delta_e == 0 for likeness in same.values())
    lighter = PICTURE.linear + np.minimum(65535 - PICTURE.linear, 60).astype(np.uint16)
    likeness = picture_edit_metrics(PICTURE.linear, lighter, FRAME)
    assert likeness["+2 EV"].psnr < likeness["+0 EV"].psnr - 3
    assert likeness["+0 EV"].delta_e > 0


def test_cases_have_names_of_their_own_that_files_can_have() -> None:
    names = [case.name for case in P2_CASES]
    assert len({*names, *(case.name for case in P1_CASES)}) == len(names) + len(P1_CASES)
    assert not set("".join(names)) & set(':/ "')
    qualities = {case.quality for case in P2_CASES}
    assert (min(qualities), max(qualities)) == (75, 97)
    assert {case.subsampling for case in P2_CASES} == {"4:2:0", "4:4:4"}


def test_an_unknown_renderer_is_refused() -> None:
    with pytest.raises(ValueError, match="'photoshop' renders nothing"):
        P2Case("photoshop")


@pytest.mark.parametrize("renderer", ["libraw", "filmic"])
def test_carriers_are_upright_and_kept(tmp_path: Path, renderer: str) -> None:
    raw = tmp_path / "shot.dng"
    raw.write_bytes(rawio.write_dng(dataclasses.replace(FRAME, orientation=6)))
    case = P2Case(renderer, 85, "4:4:4")
    carrier = case_file(case, raw, tmp_path / "kept")
    assert carrier is not None
    assert carrier.name.endswith(f"-{case.name}.jpg")
    assert jpegio.decode_jpeg(carrier.read_bytes()).pixels.shape == (384, 256, 3)
    carrier.write_bytes(b"as it was")
    again = case_file(case, raw, tmp_path / "kept")
    assert again is not None
    assert again.read_bytes() == b"as it was"
    if renderer == "libraw":
        assert carrier_file(raw, tmp_path / "kept", 85, "4:4:4") == carrier


def test_raws_are_listed_by_split_and_size(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("split,file\ntest,b\ntrain,c\ntest,a\n")
    for name, size in (("a", 9), ("b", 1), ("c", 1)):
        (tmp_path / name).write_bytes(bytes(size))
    assert [file.name for file in listed_raws(tmp_path, "test")] == ["b", "a"]
    assert [file.name for file in listed_raws(tmp_path, "train")] == ["c"]
