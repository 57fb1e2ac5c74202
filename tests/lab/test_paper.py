"""The paper's network: what decodes equals what was encoded, and training can be stopped."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from rawback.types import Guide
from rawback_lab.camera import CameraSpec
from rawback_lab.paper import peer as paper_peer
from rawback_lab.paper.checkpoints import load_checkpoint
from rawback_lab.paper.config import PaperConfig
from rawback_lab.paper.data import Pairs, make_pairs, to_quads
from rawback_lab.paper.macs import count_macs, decoder_macs_per_position
from rawback_lab.paper.ordering import MaskedContext, OrderedContext
from rawback_lab.paper.train import Settings, begin, train
from rawback_lab.peers import Shot
from rawback_lab.protocols import P1Case
from rawback_lab.render import render_filmic
from rawback_lab.scenes import made_up_picture
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

    from rawback_lab.paper.network import PaperNetwork
SMALL = PaperConfig.of("p1").smaller()
FRAME = simulate(made_up_picture(192, 288), CameraSpec(), np.random.default_rng(0))
PICTURE = P1Case(factor=2).picture(FRAME)
PAIRS = Pairs([PICTURE.linear], [PICTURE.guide])
SHORT = Settings(steps=30, batch=2, side=32, rate=4e-3, low_precision=False)


def network(config: PaperConfig = SMALL) -> PaperNetwork:
    return begin(config, SHORT).network


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_published_sizes_take_about_800_thousand_multiplications_a_pixel() -> None:
    for protocol in ("p1", "p2"):
        taken = decoder_macs_per_position(PaperConfig.of(protocol))
        assert 750e3 < taken < 850e3


def test_multiplications_by_hand() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2, padding=1), nn.Conv2d(5, 5, 1, groups=5))
    taken = count_macs(layers, lambda: layers(torch.zeros(1, 3, 8, 8)))
    assert taken == 16 * 5 * 27 + 16 * 5 * 1
    line = nn.Linear(7, 2)
    assert count_macs(line, lambda: line(torch.zeros(3, 7))) == 3 * 2 * 7


def test_every_position_is_in_one_group_and_coding_draws_nothing() -> None:
    level = OrderedContext(3, 6, 8, 4)
    latents, prior = torch.randn(2, 3, 9, 14), torch.randn(2, 6, 9, 14)
    with torch.no_grad():
        one, same = (level(latents, prior, 0.5, 4) for _ in range(2))
        drawn = level(latents, prior, 0.5, 4, torch.Generator().manual_seed(0))
    for found in (one, drawn):
        assert set(found.groups.unique().tolist()) <= {0.0, 1.0}
        assert (found.groups.sum(0) == 1).all()
        assert all(0 < group.mean() < 1 for group in found.groups)
    assert torch.equal(one.values, same.values)
    assert torch.equal(one.bits, same.bits)


def test_a_group_does_not_see_itself_or_what_comes_after() -> None:
    """So a decoder that knows only the groups before finds the same mean, scale and step."""
    level = OrderedContext(3, 6, 8, 4)
    latents, prior = torch.randn(1, 3, 8, 8), torch.randn(1, 6, 8, 8)
    with torch.no_grad():
        whole = level(latents, prior, 0.0, 4)
        for step in range(4):
            before = whole.groups[:step].sum(0)
            cut = level(torch.where(before == 1, latents, 99.0), prior, 0.0, step)
            part = level(latents, prior, 0.0, step)
            assert torch.equal(cut.values, part.values)
            assert torch.equal(whole.values * before, part.values * before)
            assert torch.equal(cut.bits, part.bits)
            assert part.bits < whole.bits


def test_steps_halve_errors_and_cost_bits() -> None:
    level = OrderedContext(3, 6, 8, 4)
    latents, prior = 5 * torch.randn(1, 3, 16, 16), torch.randn(1, 6, 16, 16)
    with torch.no_grad():
        coarse, fine = (level(latents, prior, gamma, 4) for gamma in (0.0, -3.0))
    errors = [float((found.values - latents).abs().mean()) for found in (coarse, fine)]
    assert errors[1] == pytest.approx(errors[0] / 8, rel=0.15)
    # An untrained network guesses spreads a little wrong, so three octaves are about three bits.
    assert float(fine.bits - coarse.bits) == pytest.approx(3 * latents.numel(), rel=0.25)


def test_known_neighbours_are_averaged_and_unknown_ones_ignored() -> None:
    context = MaskedContext(1, 1, size=3)
    nn.init.constant_(context.spread.weight, 1 / 9)
    known = torch.zeros(1, 1, 5, 5)
    known[..., 2, 1] = known[..., 2, 3] = 1
    values = torch.full((1, 1, 5, 5), 50.0)
    values[..., 2, 1], values[..., 2, 3] = 4.0, 8.0
    with torch.no_grad():
        found = context(values, known)
    assert found[0, 0, 2, 2] == pytest.approx(6)
    assert found[0, 0, 2, 0] == pytest.approx(4)
    assert context(values, torch.zeros_like(known)).abs().max() == 0


@pytest.mark.parametrize("steps_before", [0, 3])
def test_training_goes_on_exactly_where_it_stopped(tmp_path: Path, steps_before: int) -> None:
    through, stopped = tmp_path / "through.safetensors", tmp_path / "stopped.safetensors"
    logs = [*train(begin(SMALL, SHORT), SHORT, PAIRS, 6, through)]
    first = [*train(begin(SMALL, SHORT), SHORT, PAIRS, max(steps_before, 1), stopped)]
    second = [*train(load_checkpoint(stopped), SHORT, PAIRS, 6, stopped)]
    timeless = [dataclasses.replace(log, seconds=0) for log in logs]
    assert [dataclasses.replace(log, seconds=0) for log in first + second] == timeless
    assert through.read_bytes() == stopped.read_bytes()


def test_other_settings_are_refused(tmp_path: Path) -> None:
    other = dataclasses.replace(SHORT, rate=1e-3)
    with pytest.raises(ValueError, match="was trained with"):
        next(train(begin(SMALL, SHORT), other, PAIRS, 2, tmp_path / "none"))


def test_training_lowers_the_error(tmp_path: Path) -> None:
    start = begin(SMALL, SHORT)
    raw, guide = PAIRS.batch(np.random.default_rng(5), 4, 48)

    def error() -> float:
        with torch.no_grad():
            found = start.network.restore(*start.network.analyse(raw, guide), guide)
        return float(torch.square(found.raw - raw).mean())

    before = error()
    logs = [*train(start, SHORT, PAIRS, SHORT.steps, tmp_path / "kept.safetensors")]
    assert error() < before / 2
    assert [log.step for log in logs] == [*range(1, SHORT.steps + 1)]


def test_a_network_is_a_peer_that_keeps_to_its_budget() -> None:
    code = paper_peer.network_peer(network())
    sizes = []
    for budget in (400, 1_000, 3_000):
        coded = code(PICTURE, budget)
        assert coded is not None
        assert coded.size <= budget
        assert coded.samples.shape == PICTURE.linear.shape
        sizes.append(coded.size)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] > 0.8 * 3_000
    assert code(PICTURE, 10) is None


def test_quads_of_a_mosaic_are_coded_too_and_wrong_guides_refused() -> None:
    shot = Shot(FRAME, Guide(render_filmic(FRAME), np.ones(FRAME.cfa.shape, np.uint8)))
    config = PaperConfig.of("p2").smaller()
    coded = paper_peer.network_peer(network(config))(shot, 3_000)
    assert coded is not None
    assert coded.samples.shape == FRAME.cfa.shape
    with pytest.raises(ValueError, match="codes 3 planes, not 4"):
        paper_peer.network_peer(network())(shot, 3_000)


def test_tiles_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    code = paper_peer.network_peer(network())
    whole = code(PICTURE, 2_000)
    monkeypatch.setattr(paper_peer, "_TILE", 64)
    tiled = code(PICTURE, 2_000)
    assert whole is not None
    assert tiled is not None
    assert np.abs(whole.samples.astype(int) - tiled.samples).max() <= 1


@pytest.mark.parametrize(("protocol", "channels"), [("p1", (3, 3)), ("p2", (4, 12))])
def test_pairs_are_made_of_frames_for_training_only(
    real_data: Path, tmp_path: Path, protocol: str, channels: tuple[int, int]
) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    rows = ["split,file"]
    for split, name in (("train", "canon_300d_crop.dng"), ("test", "phone_night.dng")):
        (folder / name).write_bytes((real_data / "real" / name).read_bytes())
        rows.append(f"{split},{name}")
    (folder / "manifest.csv").write_text("\n".join(rows))
    assert protocol in ("p1", "p2")
    pairs = make_pairs("p1" if protocol == "p1" else "p2", folder, real_data / "photos", 0)
    assert len(pairs.raws) == 3
    for raw, guide in zip(pairs.raws, pairs.guides, strict=True):
        assert (raw.shape[2], guide.shape[2]) == channels
        assert raw.shape[:2] == guide.shape[:2]
        assert raw.shape[0] < 300
    kept = tmp_path / "pairs.safetensors"
    pairs.save(kept)
    drawn = [p.batch(np.random.default_rng(1), 2, 32) for p in (pairs, Pairs.load(kept))]
    assert all(torch.equal(a, b) for a, b in zip(*drawn, strict=True))
    assert drawn[0][0].max() <= 1


def test_the_pixels_of_a_quad_lie_side_by_side() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert to_quads(image)[0, 1].tolist() == [6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23]
