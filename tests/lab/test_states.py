"""Trainings go on where they stood, and begin with the weights of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from rawback.models import ModelConfig, Network
from rawback.weights import weights
from rawback_lab.learn.states import resumed, take_weights, trained, write_state

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = ModelConfig(main=4, auxiliary=2, groups=2, width=8)


def stepped(seed: int) -> tuple[Network, torch.optim.Adam]:
    """A network, and its optimiser after a step."""
    torch.manual_seed(seed)
    network = Network(CONFIG)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss = torch.stack([parameter.square().sum() for parameter in network.parameters()]).sum()
    torch.autograd.backward(loss)
    optimiser.step()
    return network, optimiser


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_goes_on_where_it_stood(tmp_path: Path) -> None:
    network, optimiser = stepped(0)
    write_state(tmp_path, network, optimiser, 7)
    again, its = stepped(1)
    assert resumed(tmp_path, again, its) == 7
    assert same(again.state_dict(), network.state_dict())
    moments, its_moments = (o.state_dict()["state"] for o in (optimiser, its))
    assert all(same(moments[index], its_moments[index]) for index in moments)
    found, step = trained(tmp_path / "state.safetensors")
    assert (found.config, step, found.training) == (CONFIG, 7, False)
    assert same(found.state_dict(), network.state_dict())


def test_there_is_nothing_to_go_on_with_in_an_empty_folder(tmp_path: Path) -> None:
    network, optimiser = stepped(0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert resumed(tmp_path, network, optimiser) == 0
    assert same(network.state_dict(), before)


def test_weights_of_the_package_are_a_start() -> None:
    whole = weights("bayer").network
    network = Network(whole.config)
    take_weights("bayer", network)
    assert same(network.state_dict(), whole.state_dict())


@pytest.mark.parametrize("part", ["latents", "hybrid"])
def test_a_network_takes_over_what_fits(part: str, tmp_path: Path) -> None:
    network, optimiser = stepped(0)
    write_state(tmp_path, network, optimiser, 1)
    less = Network(replace(CONFIG, **{part: False}))
    own = {name: value.clone() for name, value in less.state_dict().items()}
    take_weights(str(tmp_path / "state.safetensors"), less)
    whole, found = network.state_dict(), less.state_dict()
    taken = [n for n in own if n in whole and whole[n].shape == own[n].shape]
    assert taken
    for name, value in found.items():
        assert torch.equal(value, whole[name] if name in taken else own[name])
