"""The peers keep to their budgets, and more bytes buy more decibels."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback import rawio
from rawback.metrics import raw_psnr
from rawback.types import Guide
from rawback_lab.base_lut import apply_lut, fit_lut
from rawback_lab.bench import peers as bench
from rawback_lab.camera import CameraSpec
from rawback_lab.peers import BASE_BYTES, FIXED_SIZE, PEERS, Shot
from rawback_lab.render import render_filmic
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

LOSSY = sorted(set(PEERS) - FIXED_SIZE)


def shot(height: int = 160, width: int = 240) -> Shot:
    """A smooth, colourful scene, whose highlights the carrier clips."""
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    scene = np.stack([x, y, 1 - (x + y) / 2], axis=2) * (1 + 2 * (x > 0.8))[..., None]
    frame = simulate(scene.astype(np.float32), CameraSpec(iso=100), np.random.default_rng(0))
    return Shot(frame, Guide(render_filmic(frame), np.ones(frame.cfa.shape, np.uint8)))


SHOT = shot()


def psnr(cfa: np.ndarray[tuple[int, int], np.dtype[np.uint16]]) -> float:
    return raw_psnr(SHOT.frame, dataclasses.replace(SHOT.frame, cfa=cfa))


@pytest.mark.parametrize("name", LOSSY)
def test_budgets_are_used_but_never_exceeded(name: str) -> None:
    small, large = (PEERS[name](SHOT, budget) for budget in (BASE_BYTES + 500, 12_000))
    assert small is not None
    assert large is not None
    assert small.size <= BASE_BYTES + 500
    assert 0.9 * 12_000 < large.size <= 12_000
    assert psnr(large.samples) > psnr(small.samples) + 2


@pytest.mark.parametrize("name", LOSSY)
def test_a_budget_that_holds_nothing_gets_nothing(name: str) -> None:
    assert PEERS[name](SHOT, 20) is None


def test_a_residual_improves_on_the_base() -> None:
    base = PEERS["base"](SHOT, BASE_BYTES)
    assert base is not None
    assert base.size == BASE_BYTES
    assert psnr(base.samples) > 25
    for name in (name for name in LOSSY if name.startswith("base+")):
        coded = PEERS[name](SHOT, BASE_BYTES + 2_000)
        assert coded is not None
        assert psnr(coded.samples) > psnr(base.samples)


@pytest.mark.parametrize("name", ["jpegxl-lossless", "ljpeg-dng"])
def test_lossless_peers_are_smaller_than_the_samples(name: str) -> None:
    coded = PEERS[name](SHOT, 0)
    assert coded is not None
    assert psnr(coded.samples) == math.inf
    assert coded.size < 2 * SHOT.frame.cfa.size


def test_odd_sides_come_back() -> None:
    frame = dataclasses.replace(SHOT.frame, cfa=SHOT.frame.cfa[:101, :151].copy())
    odd = Shot(frame, Guide(SHOT.guide.pixels[:101, :151], SHOT.guide.mask[:101, :151]))
    for peer in PEERS.values():
        coded = peer(odd, 8_000)
        assert coded is not None
        assert coded.samples.shape == (101, 151)


def test_the_table_learns_a_smooth_map_and_fills_its_gaps() -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 200, (20_000, 3), np.uint8)

    def truth(
        c: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        x = c.astype(np.float32) / 255
        return np.asarray(0.2 + 0.5 * x[:, 0] + 0.2 * x[:, 1] * x[:, 2], np.float32)

    table = fit_lut(colours, truth(colours))
    seen = rng.integers(0, 190, (1_000, 3), np.uint8)
    assert apply_lut(table, seen) == pytest.approx(truth(seen), abs=1e-3)
    unseen = rng.integers(200, 256, (1_000, 3), np.uint8)
    assert apply_lut(table, unseen) == pytest.approx(truth(unseen), abs=0.03)


def test_weights_of_zero_leave_samples_out() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (4_000, 3), np.uint8)
    values = np.where(np.arange(4_000) % 2, 0.5, 0.9).astype(np.float32)
    weights = (np.arange(4_000) % 2).astype(np.float32)
    fitted = apply_lut(fit_lut(colours, values, weights=weights), colours)
    assert fitted == pytest.approx(np.full(4_000, 0.5), abs=1e-4)


def test_the_benchmark_keeps_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "shot.dng"
    raw.write_bytes(rawio.write_dng(SHOT.frame))
    kept = tmp_path / "figures.json"
    asked = ["base", "base+jpeg2000", "ljpeg-dng"]
    first = bench.run([raw], kept, tmp_path, [0.02, 2.0], asked)
    peers = first["shot.dng"]["peers"]
    assert peers["base+jpeg2000"]["0.02"] is None
    coded = peers["base+jpeg2000"]["2.0"]
    assert coded is not None
    assert coded["bpp"] <= 2.0
    lossless = peers["ljpeg-dng"]["any"]
    assert lossless is not None
    assert lossless["raw_psnr"] is None
    assert json.loads(kept.read_text()) == first

    monkeypatch.setattr(bench, "load_shot", lambda *_: pytest.fail("measured twice"))
    assert bench.run([raw], kept, tmp_path, [0.02, 2.0], asked) == first
    assert bench.table(first, [0.02, 2.0]).row_count == 3
