"""What errors cost: the same by any orthonormal components, more where they are seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rawback.models.objective import EYE, residual_bits, theta_of

THETA = theta_of(torch.full((1, 1, 1, 1), 4.0))


def test_components_are_orthonormal() -> None:
    mix = torch.tensor(EYE.mix)
    assert torch.allclose(mix @ mix.T, torch.eye(4), atol=1e-6)


def test_an_emphasis_of_nothing_changes_nothing_for_an_error_that_is_alike_in_all_planes() -> None:
    light = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)).repeat(1, 4, 1, 1)
    even = replace(EYE, octaves=(0.0,) * 4)
    assert torch.allclose(residual_bits(light, THETA, even), residual_bits(light, THETA))


@pytest.mark.parametrize("component", range(4))
def test_what_is_seen_from_afar_costs_more(component: int) -> None:
    direction = torch.tensor(EYE.mix[component])[None, :, None, None]
    plane = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    coarse = torch.nn.functional.interpolate(plane[..., :4, :4], (64, 64))
    fine = plane - torch.nn.functional.avg_pool2d(plane, 2).repeat_interleave(
        2, 2
    ).repeat_interleave(2, 3)
    even = replace(EYE, octaves=(0.0,) * 4)
    for error, least in ((coarse * direction, 1.2), (fine * direction, 1.0)):
        ratio = float(residual_bits(error, THETA, EYE) / residual_bits(error, THETA, even))
        assert ratio >= least - 1e-3
        if least == 1.0:
            assert ratio == pytest.approx(1, abs=1e-3)
