"""Arithmetic of the networks: whole numbers, whatever the order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from rawback.models import ExactConv, exact, int8_conv
from rawback.models.exact import LIMIT, UNIT, positive, rounded, signed
from rawback.models.int8_conv import Int8Conv


def _conv(
    seed: int, inputs: int = 24, outputs: int = 8, side: int = 3, stride: int = 1
) -> ExactConv:
    torch.manual_seed(seed)
    conv = ExactConv(inputs, outputs, side, stride)
    with torch.no_grad():
        conv.weight.mul_(torch.exp2(torch.randint(-6, 4, (outputs, 1, 1, 1)).float()))
        conv.bias.normal_()
    return conv.requires_grad_(requires_grad=False).eval()


def _input(seed: int, *shape: int) -> torch.Tensor:
    whole = torch.randint(-255, 256, shape, generator=torch.Generator().manual_seed(seed))
    return whole / UNIT


@given(st.integers(0, 1000), st.sampled_from([1, 3, 5]), st.sampled_from([1, 2]))
def test_a_convolution_equals_the_same_one_in_integers(seed: int, side: int, stride: int) -> None:
    conv = _conv(seed, side=side, stride=stride)
    values = _input(seed, 1, 24, 9, 11)
    weight, bias, shifts = conv.integers()
    whole = functional.conv2d(
        torch.round(values * UNIT).double(),
        weight.double(),
        bias.double(),
        stride,
        side // 2,
    )
    expected = whole / (torch.exp2(shifts.double()) * UNIT)[:, None, None]
    assert torch.equal(conv(values).double(), expected)


@given(st.integers(0, 1000))
def test_the_order_of_inputs_does_not_matter(seed: int) -> None:
    conv, values = _conv(seed), _input(seed, 2, 24, 8, 8)
    order = torch.randperm(24)
    shuffled = _conv(seed)
    shuffled.weight.copy_(conv.weight[:, order])
    assert torch.equal(conv(values), shuffled(values[:, order]))


def test_no_sum_exceeds_its_bound() -> None:
    conv = _conv(3)
    weight, _, shifts = conv.integers()
    worst = torch.sign(weight[2].float()) * LIMIT
    reached = conv(worst[None])[0, 2, 1, 1] * torch.exp2(shifts[2].float()) * UNIT
    assert 0 < reached <= conv.bound()


def test_weights_use_all_of_their_eight_bits() -> None:
    weight, _, _ = _conv(4).integers()
    largest = weight.abs().amax(dim=(1, 2, 3))
    assert largest.max() <= 127
    assert largest.min() >= 63


def test_a_frozen_convolution_is_the_one_it_was_taken_from() -> None:
    conv, copy, values = _conv(5), _conv(6), _input(5, 1, 24, 7, 7)
    copy.freeze(*conv.integers())
    assert torch.equal(copy(values), conv(values))


@given(st.integers(0, 1000), st.booleans(), st.sampled_from([1, 3]))
def test_bytes_give_what_floats_give(seed: int, has_signs: bool, side: int) -> None:
    torch.manual_seed(seed)
    conv = ExactConv(21, 13, side, skips=True, signed=has_signs)
    conv.freeze(*conv.integers())
    conv.requires_grad_(requires_grad=False)
    values = _input(seed, 2, 21, 9, 11) * 1.01
    added = _input(seed + 1, 2, 13, 9, 11).abs()

    def results() -> list[torch.Tensor]:
        taken = conv.taken(values)
        more = (added * UNIT).to(torch.uint8) if taken.dtype == torch.uint8 else added
        active = [conv(taken, active=True), conv(taken, more, active=True)]
        return [conv(taken)] + [a / UNIT if a.dtype == torch.uint8 else a for a in active]

    expected = _in_integers(conv, values, added)
    with pytest.MonkeyPatch.context() as patch:
        for bytes_are_exact in {int8_conv.int8_is_exact(), False}:
            patch.setattr(exact, "int8_is_exact", lambda exact=bytes_are_exact: exact)
            pairs = zip(results(), expected, strict=True)
            assert all(torch.equal(one.double(), other) for one, other in pairs)


def _in_integers(conv: ExactConv, values: torch.Tensor, added: torch.Tensor) -> list[torch.Tensor]:
    """Sums, activations, and activations of the sums with more added; all as whole numbers do."""
    weight, bias, shifts = conv.integers()
    least = -LIMIT if conv.signed else 0
    whole = torch.round(values.double() * UNIT).clamp(least * UNIT, LIMIT * UNIT)
    padding = weight.shape[-1] // 2
    sums = functional.conv2d(whole, weight.double(), bias.double(), padding=padding)
    sums /= torch.exp2(shifts.double())[:, None, None]
    active = [
        torch.round(total).clamp(0, LIMIT * UNIT) for total in (sums, sums + added.double() * UNIT)
    ]
    return [part / UNIT for part in (sums, *active)]


def test_bytes_are_not_trusted_where_their_sums_are_clipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As older processors clip the sums of pairs, in 16 bits."""

    def clipped(conv: Int8Conv, values: torch.Tensor) -> torch.Tensor:
        return true_sums(conv, values).clamp(max=float(values.max()))

    true_sums = Int8Conv.sums
    monkeypatch.setattr(Int8Conv, "sums", clipped)
    assert not int8_conv.int8_is_exact.__wrapped__()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_matter(threads: int) -> None:
    conv, values = _conv(7, 64, 48), _input(7, 1, 64, 40, 40)
    before = torch.get_num_threads()
    alone = conv(values)
    try:
        torch.set_num_threads(threads)
        assert torch.equal(conv(values), alone)
        last = values.contiguous(memory_format=torch.channels_last)
        assert torch.equal(conv(last), alone)
    finally:
        torch.set_num_threads(before)


def test_activations_are_bounded_multiples() -> None:
    values = torch.linspace(-9, 9, 1001)
    for found, low in ((positive(values), 0.0), (signed(values), -LIMIT)):
        assert torch.equal(found * UNIT, torch.round(found * UNIT))
        assert float(found.min()) == low
        assert float(found.max()) == LIMIT


def test_rounding_passes_gradients_as_if_it_were_not_there() -> None:
    values = torch.linspace(-1, 1, 33, requires_grad=True)
    torch.autograd.backward((rounded(values, 2, 4) * torch.arange(33)).sum())
    assert values.grad is not None
    assert np.array_equal(values.grad.numpy(), np.arange(33))
