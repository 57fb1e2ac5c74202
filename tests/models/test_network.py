"""The networks' promises: orders that cover everything, views both sides share, files that last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rawback.models import (
    CELL,
    LATENT,
    LATENT_VIEW,
    ModelConfig,
    Network,
    cell_view,
    conditioning,
    flipped_pixels,
    flipped_planes,
    latent_view,
    scale_of,
)
from rawback.models.context_model import ContextModel
from rawback.models.exact import LIMIT, UNIT
from rawback.models.network import Views, code_level
from rawback.weights import read_weights, weights, write_weights
from rawback_lab.learn.export import tables_of

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from rawback.models import GroupCoder
    from rawback.types import BayerPattern

SIDE = 2 * CELL * LATENT * LATENT


def _tables() -> NDArray[np.uint16]:
    return tables_of(np.zeros((64, 33)))


def _network(**changes: Any) -> Network:
    torch.manual_seed(0)
    network = Network(replace(ModelConfig(), **changes)).eval()
    with torch.no_grad():
        network.synthesis.out.weight.normal_(std=0.05)
    return network.requires_grad_(requires_grad=False)


def _views(config: ModelConfig, seed: int = 0) -> Views:
    rng = np.random.default_rng(seed)
    sites = SIDE // CELL * config.samples_per_cell_side
    guide = torch.from_numpy(rng.integers(0, 256, (1, 3, SIDE, SIDE)).astype(np.float32))
    flags = torch.from_numpy((rng.random((1, 2, sites, sites)) < 0.1).astype(np.float32))
    base = rng.integers(-200, 16384, (1, config.planes, sites, sites)).astype(np.float32)
    return Views.of(config, guide, flags, torch.from_numpy(base))


MEMBERS = [ModelConfig(), ModelConfig(planes=3, samples_per_cell_side=4, features=6)]


@pytest.mark.parametrize("config", MEMBERS, ids=["bayer", "linear"])
def test_views_are_whole_numbers_in_range(config: ModelConfig) -> None:
    views = _views(config)
    assert views.cells.shape == (1, config.inputs, SIDE // CELL, SIDE // CELL)
    assert views.latents.shape[1] == LATENT_VIEW
    for view in (views.cells, views.latents):
        assert torch.equal(view * UNIT, torch.round(view * UNIT))
        assert float(view.abs().max()) <= LIMIT


def test_a_latent_view_is_the_same_cell_by_cell() -> None:
    config = ModelConfig()
    views = _views(config)
    part = latent_view(views.cells[..., :LATENT, LATENT : 2 * LATENT], config.planes)
    assert torch.equal(part, views.latents[..., :1, 1:2])


def test_a_cell_sees_only_its_own_pixels() -> None:
    guide, flags = torch.zeros(1, 3, 16, 16), torch.zeros(1, 2, 8, 8)
    base = torch.zeros(1, 4, 8, 8)
    before = cell_view(guide, flags, base, 2)
    guide[..., 5, 6], base[..., 2, 3], flags[..., 2, 3] = 200, 4000, 1
    changed = (cell_view(guide, flags, base, 2) != before).any(dim=1)[0]
    assert changed[1, 1]
    assert int(changed.sum()) == 1


@pytest.mark.parametrize("learned", [True, False])
@given(seed=st.integers(0, 100))
def test_every_position_is_in_exactly_one_group(seed: int, learned: bool) -> None:
    torch.manual_seed(seed)
    level = ContextModel(3, 5, 4, learned_order=learned, adaptive=True).eval()
    state = torch.randn(1, 5, 6, 9)
    known = torch.zeros(1, 1, 6, 9)
    for number in range(4):
        group = level.next_group(state, known, number)
        assert torch.equal(group * known, torch.zeros_like(known))
        assert bool(((group == 0) | (group == 1)).all())
        known = known + group
    assert torch.equal(known, torch.ones_like(known))


def test_the_masked_context_does_not_depend_on_what_is_not_known() -> None:
    torch.manual_seed(1)
    level = ContextModel(3, 5, 4, learned_order=True, adaptive=True).eval()
    state, known = torch.rand(1, 5, 8, 8), (torch.rand(1, 1, 8, 8) < 0.4).float()
    decoded = torch.rand(1, 3, 8, 8)
    other = torch.where(known > 0, decoded, torch.rand(1, 3, 8, 8))
    first, second = level.expected(state, decoded, known), level.expected(state, other, known)
    assert torch.equal(first.mean, second.mean)
    assert torch.equal(first.table, second.table)
    assert torch.equal(first.step, second.step)


@pytest.mark.parametrize("sent", range(5))
def test_what_is_written_is_read(sent: int) -> None:
    torch.manual_seed(sent)
    level = ContextModel(3, 5, 4, learned_order=True, adaptive=True).eval()
    state, latents = torch.rand(1, 5, 8, 8), torch.randn(1, 3, 8, 8)
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []

    def write(tables: torch.Tensor, symbols: torch.Tensor | None) -> torch.Tensor:
        assert symbols is not None
        kept.append((tables, symbols))
        return symbols

    with torch.no_grad():
        written, _ = code_level(level, state, latents, [write] * sent)
    stored = iter(kept)

    def read(tables: torch.Tensor, symbols: torch.Tensor | None) -> torch.Tensor:
        expected, found = next(stored)
        assert symbols is None
        assert torch.equal(tables, expected)
        return found

    with torch.no_grad():
        assert torch.equal(code_level(level, state, None, [read] * sent)[0], written)
    assert next(stored, None) is None


@pytest.mark.parametrize("config", MEMBERS, ids=["bayer", "linear"])
def test_a_network_read_from_its_file_is_the_same(config: ModelConfig) -> None:
    network = _network(
        planes=config.planes,
        samples_per_cell_side=config.samples_per_cell_side,
        features=config.features,
    )
    held = read_weights(write_weights(network, _tables())).network
    views = _views(config)
    shift = conditioning(torch.full((1, 1, 1, 1), 2.0), torch.arange(3.0).reshape(1, 3, 1, 1))
    for view in (views.latents, views.latents.contiguous(memory_format=torch.channels_last)):
        assert torch.equal(held.guide_state(view, shift), network.guide_state(view, shift))
    state, latents = torch.rand(1, 96, 8, 8), torch.rand(1, config.main, 8, 8)
    state, latents = (torch.round(part * UNIT) / UNIT for part in (state, latents))
    scale = scale_of(torch.full((1, 1, 1, 1), 3.375))
    first = network.features(views.cells, state, latents, scale)
    assert torch.equal(held.features(views.cells, state, latents, scale), first)
    bare = network.features(views.cells, None, None, scale)
    assert torch.equal(held.features(views.cells, None, None, scale), bare)
    assert not torch.equal(first, bare)


@pytest.mark.parametrize("part", ["latents", "hybrid", "order_masks", "adaptive", "variable"])
def test_each_of_the_five_parts_can_be_left_out(part: str) -> None:
    network = _network(**{part: False})
    views = _views(network.config)
    scale = torch.ones(1, 1, 1, 1)
    state = latents = None
    if network.config.latents:
        guide = network.guide_state(views.latents, torch.zeros(1, 4, 1, 1))
        state, latents, _ = network.code(guide, None, ([], []))
    features = network.features(views.cells, state, latents, scale)
    assert features.shape == (1, 12, SIDE // 2, SIDE // 2)
    assert float(features.abs().max()) > 0


def test_scales_are_whole_and_rise() -> None:
    octaves = torch.arange(57).reshape(-1, 1, 1, 1) / 8
    scales = scale_of(octaves) * 64
    assert torch.equal(scales, torch.round(scales))
    assert bool((scales[1:] > scales[:-1]).all())
    # Far enough from halves that no machine's power function rounds another way.
    apart = (64 * 2 ** octaves.double()) % 1 - 0.5
    assert float(apart.abs().min()) > 1e-3


def test_weights_whose_sums_could_be_inexact_are_not_written() -> None:
    network = _network()
    with torch.no_grad():
        network.synthesis.out.bias[0] = 1e6
    with pytest.raises(ValueError, match="too large to be exact"):
        write_weights(network, _tables())


@pytest.mark.parametrize("member", ["bayer", "linear"])
def test_the_weights_of_the_package_are_small_and_cheap(member: str) -> None:
    network = weights(member).network
    assert 4 * sum(p.numel() for p in network.parameters()) < 8 << 20
    assert multiplications(network) <= 25_000


def multiplications(network: Network) -> float:
    """Multiplications and additions that decoding takes for each raw pixel."""
    views = _views(network.config)
    total = 0

    def count(module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, torch.Tensor)
        total += output[0, 0].numel() * weight.numel()

    def symbols(tables: torch.Tensor, _given: torch.Tensor | None) -> torch.Tensor:
        return torch.zeros_like(tables)

    hooks = [
        part.register_forward_hook(count)
        for part in network.modules()
        if isinstance(part, torch.nn.Conv2d) or type(part).__name__ == "ExactConv"
    ]
    guide = network.guide_state(views.latents, torch.zeros(1, 4, 1, 1))
    coders: list[GroupCoder] = [symbols] * network.config.groups
    state, latents, _ = network.code(guide, None, (coders, coders))
    network.features(views.cells, state, latents, torch.ones(1, 1, 1, 1))
    for hook in hooks:
        hook.remove()
    return total / SIDE**2


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_every_pattern_is_rggb_in_the_mirror(pattern: BayerPattern) -> None:
    mosaic = np.tile(np.array([ord(c) for c in pattern]).reshape(2, 2), (3, 4))
    mosaic = mosaic * 100 + np.arange(mosaic.size).reshape(mosaic.shape)
    planes = np.stack([mosaic[p // 2 :: 2, p % 2 :: 2] for p in range(4)])
    seen = flipped_pixels(mosaic, pattern)
    assert "".join(chr(v // 100) for v in seen[:2, :2].ravel()) == "RGGB"
    split = np.stack([seen[p // 2 :: 2, p % 2 :: 2] for p in range(4)])
    assert np.array_equal(flipped_planes(planes, pattern), split)
    assert np.array_equal(flipped_planes(split, pattern), planes)
    assert np.array_equal(flipped_pixels(seen, pattern), mosaic)
