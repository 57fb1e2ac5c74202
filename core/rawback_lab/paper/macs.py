"""Multiplications that a network takes, counted while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from rawback.models import ExactConv
from rawback_lab.paper.network import PaperNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rawback_lab.paper.config import PaperConfig

__all__ = ["count_macs", "decoder_macs_per_position"]


def count_macs(module: nn.Module, run: Callable[[], object]) -> int:
    """Multiply-accumulates of all convolutions and linear maps of `module` while `run` runs."""
    counted = 0

    def count(layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        if isinstance(layer, (nn.Conv2d, ExactConv)):
            counted += output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            counted += output.numel() * layer.in_features

    hooks = [layer.register_forward_hook(count) for layer in module.modules()]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return counted


def decoder_macs_per_position(config: PaperConfig, side: int = 64) -> float:
    """What decoding takes for each position of the guide's grid."""
    network = PaperNetwork(config)
    guide = torch.zeros(1, config.guide_channels, side, side)
    main, hyper = network.analyse(torch.zeros(1, config.raw_channels, side, side), guide)
    return count_macs(network, lambda: network.restore(main, hyper, guide)) / side**2
