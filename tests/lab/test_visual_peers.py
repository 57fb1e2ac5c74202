"""Peers that are tuned for the eye keep to their budgets, and their weights can be undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rawback.metrics import raw_psnr
from rawback.residual import bands
from rawback.types import Guide
from rawback_lab.camera import CameraSpec
from rawback_lab.peers import BASE_BYTES, Shot
from rawback_lab.render import render_filmic
from rawback_lab.simulate import simulate
from rawback_lab.visual_peers import VISUAL_PEERS, CodedBaseShot, band_weights, reweighted


def shot() -> Shot:
    """A smooth, colourful scene."""
    y, x = np.mgrid[:160, :240] / np.array([160, 240])[:, None, None]
    scene = np.stack([x, y, 1 - (x + y) / 2], axis=2).astype(np.float32)
    frame = simulate(scene, CameraSpec(iso=100), np.random.default_rng(0))
    return Shot(frame, Guide(render_filmic(frame), np.ones(frame.cfa.shape, np.uint8)))


SHOT = shot()


@pytest.mark.parametrize("name", VISUAL_PEERS)
def test_budgets_are_kept_and_more_bytes_are_better(name: str) -> None:
    found = [VISUAL_PEERS[name](SHOT, budget) for budget in (BASE_BYTES + 500, 14_000)]
    figures = []
    for coded, budget in zip(found, (BASE_BYTES + 500, 14_000), strict=True):
        assert coded is not None
        assert 0.5 * budget < coded.size <= budget
        figures.append(raw_psnr(SHOT.frame, replace(SHOT.frame, cfa=coded.samples)))
    assert figures[1] > figures[0] + 1
    assert figures[1] > 40


@pytest.mark.parametrize("component", range(4))
def test_weights_are_undone(component: int) -> None:
    plane = np.random.default_rng(component).uniform(-0.3, 0.3, (77, 90)).astype(np.float32)
    weights = band_weights(component)
    inverse = {band: 1 / weight for band, weight in weights.items()}
    weighted = reweighted(plane, weights)
    assert np.abs(weighted - plane).max() > 0.02
    assert reweighted(weighted, inverse) == pytest.approx(plane, abs=1e-4)


def test_fine_bands_and_colours_count_least() -> None:
    light, blue, red, _ = (band_weights(component) for component in range(4))
    for band in bands():
        assert blue[band] <= red[band] <= light[band] <= 1
    coarse, fine = bands()[0], bands()[-1]
    for weights in (light, blue, red):
        assert weights[fine] < weights[coarse] == 1


def test_the_peers_base_is_coarser_than_one_that_is_never_coded() -> None:
    coded = CodedBaseShot(SHOT.frame, SHOT.guide)
    root = np.sqrt(coded.signal + 0.001)
    free, paid = (float(np.square(root - one.base).mean()) for one in (SHOT, coded))
    assert free < paid < 4 * free
