"""Where a training stands: weights, the optimiser's moments, and the step, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import safe_open
from safetensors.torch import save_file

from rawback.models import ModelConfig, Network
from rawback.weights import MEMBERS, weights

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_NAME = "state.safetensors"


@dataclass(frozen=True, slots=True)
class _State:
    """What a file holds.

    Attributes:
        config: Of the network.
        step: That was reached.
        weights: By the names of the network's parts.
        moments: The optimiser's, by number and name.
    """

    config: ModelConfig
    step: int
    weights: dict[str, Tensor]
    moments: dict[int, dict[str, Tensor]]

    @classmethod
    def read(cls, file: Path) -> _State:
        weights: dict[str, Tensor] = {}
        moments: dict[int, dict[str, Tensor]] = {}
        with safe_open(file, "pt") as held:
            facts = held.metadata()
            for key in held.keys():  # noqa: SIM118 - no mapping
                kind, name = key.split(".", 1)
                if kind == "weight":
                    weights[name] = held.get_tensor(key)
                else:
                    index, entry = name.split(".", 1)
                    moments.setdefault(int(index), {})[entry] = held.get_tensor(key)
        return cls(ModelConfig(**json.loads(facts["config"])), int(facts["step"]), weights, moments)


def write_state(
    folder: Path, network: Network, optimiser: torch.optim.Optimizer, step: int
) -> None:
    """Keep all that resuming takes; a file that is there is replaced as a whole."""
    held = {f"weight.{name}": value for name, value in network.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        held |= {f"adam.{index}.{name}": value for name, value in state.items()}
    held = {name: value.contiguous() for name, value in held.items()}
    facts = {"step": str(step), "config": json.dumps(asdict(network.config))}
    part = (folder / _NAME).with_suffix(".part")
    save_file(held, part, facts)
    part.rename(folder / _NAME)


def resumed(folder: Path, network: Network, optimiser: torch.optim.Optimizer) -> int:
    """Go on where the folder's training stood: its step, 0 where there is none."""
    file = folder / _NAME
    if not file.exists():
        return 0
    state = _State.read(file)
    network.load_state_dict(state.weights)
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state.moments, "param_groups": groups})
    print(f"goes on at step {state.step}", flush=True)
    return state.step


def take_weights(start: str, network: Network, anew: tuple[str, ...] = ()) -> None:
    """Begin with the weights of another network, as far as they fit.

    Args:
        start: A training's state, or the name of a member that the package carries.
        network: Is changed.
        anew: Beginnings of the names of parts that keep the weights they have.
    """
    found = (
        weights(start).network.state_dict()
        if start in MEMBERS
        else _State.read(Path(start)).weights
    )
    own = network.state_dict()
    fitting = {
        name: value
        for name, value in found.items()
        if name in own and value.shape == own[name].shape and not name.startswith(anew)
    }
    network.load_state_dict(own | fitting)


def trained(file: Path) -> tuple[Network, int]:
    """The network in a training's state, in evaluation mode, and the step it reached."""
    state = _State.read(file)
    network = Network(state.config)
    network.load_state_dict(state.weights)
    return network.eval(), state.step
