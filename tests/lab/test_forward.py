"""Rates in training: bits of rounded indices, with gradients that keep silent latents silent."""

from __future__ import annotations

import pytest
import torch

from rawback.models.context_model import quantised
from rawback_lab.learn.forward import code_length, rate


def test_indices_are_those_that_are_nearest_or_one_nearer_to_zero() -> None:
    place = torch.linspace(-4, 4, 801)
    index, nearest = quantised(place), torch.round(place)
    assert torch.equal(index, -quantised(-place))
    assert float((nearest.abs() - index.abs()).min()) == 0
    assert float((nearest.abs() - index.abs()).max()) == 1
    assert torch.equal(index[place.abs() < 0.64], torch.zeros_like(index)[place.abs() < 0.64])


@pytest.mark.parametrize("place", [-1.4, -0.6, -0.3, 0.3, 0.6, 1.4])
def test_places_are_pulled_to_zero_whatever_they_are_rounded_to(place: float) -> None:
    at = torch.tensor(place, requires_grad=True)
    spread = torch.tensor(0.12, requires_grad=True)
    index = at + (quantised(at) - at).detach()
    spent = rate(at, index, spread)
    torch.autograd.backward(spent)
    assert torch.equal(spent.detach(), code_length(index, spread).detach())
    assert at.grad is not None
    assert float(at.grad) * place > 0
    assert spread.grad is not None
    # A silent latent is cheaper the narrower it is expected, one that speaks the wider.
    assert float(spread.grad) * (1 if float(index.detach()) == 0 else -1) > 0
