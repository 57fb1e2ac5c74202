"""A network in training as one file: weights, the optimiser's moments, and how it got there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from rawback_lab.paper.config import PaperConfig
from rawback_lab.paper.network import PaperNetwork

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network and the state of its training.

    Attributes:
        network: The network.
        moments: State of Adam by parameter and moment; empty before the first step.
        step: Steps done.
        settings: What the training was asked for.
    """

    network: PaperNetwork
    moments: dict[str, torch.Tensor]
    step: int
    settings: dict[str, Any]

    def optimiser(self) -> torch.optim.Adam:
        """Adam as it was when the checkpoint was made."""
        adam = torch.optim.Adam(self.network.parameters())
        if self.moments:
            names = [name for name, _ in self.network.named_parameters()]
            state = adam.state_dict()
            state["state"] = {
                index: {
                    "step": torch.tensor(float(self.step)),
                    **{moment: self.moments[f"{moment}.{name}"].clone() for moment in _MOMENTS},
                }
                for index, name in enumerate(names)
            }
            adam.load_state_dict(state)
        return adam


def save_checkpoint(
    path: Path,
    network: PaperNetwork,
    adam: torch.optim.Adam,
    step: int,
    settings: dict[str, Any],
) -> None:
    """Write a safetensors file; a run that is killed meanwhile leaves the old one."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for moment in _MOMENTS:
            tensors[f"{moment}.{name}"] = adam.state[parameter][moment]
    about = {"step": step, "config": asdict(network.config), "settings": settings}
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    save_file(
        {name: value.detach().contiguous() for name, value in tensors.items()},
        new,
        {"about": json.dumps(about)},
    )
    new.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read what `save_checkpoint` wrote."""
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["about"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network = PaperNetwork(PaperConfig(**about["config"]))
    prefix = "network."
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    network.load_state_dict(weights)
    moments = {k: v for k, v in tensors.items() if not k.startswith(prefix)}
    return Checkpoint(network, moments, about["step"], about["settings"])
