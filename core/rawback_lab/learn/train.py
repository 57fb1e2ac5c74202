"""Train the learned layer: ``python -m rawback_lab.learn.train --pack FOLDER --out FOLDER``.

Writes ``state.safetensors`` (weights, and all that resuming takes) and ``log.jsonl`` into its
folder every few minutes; started again on the same material, it goes on where it was, with the same
draws as if it had never stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from rawback.models.config import ModelConfig
from rawback.models.level import STEPS_PER_OCTAVE
from rawback.models.network import Network
from rawback.models.objective import error_left, fitted_readout, residual_bits, theta_of
from rawback_lab.learn.forward import run
from rawback_lab.learn.material import Material

if TYPE_CHECKING:
    from torch import Tensor

    from rawback_lab.learn.forward import Passed
    from rawback_lab.learn.material import Batch

SHIFTS = (0.0, 5.5)
"""Range of the logarithm of the residual layer's step, in standard deviations of the noise."""

_HELD_OUT = 16
"""Every so many shards one is kept for validation."""

_BARE_SHARE, _ALL_SHARE, _WASTEFUL = 0.15, 0.5, 0.5
_CROPS_AT_ONCE = 4
_WARM_UP = 200
_CHEAP = 800


class Draws:
    """What a step is trained on; depends on the seed and the step's number alone."""

    def __init__(self, config: ModelConfig, seed: int, number: int) -> None:
        self.random = torch.Generator().manual_seed(seed * 1_000_003 + number)
        self.config = config

    def shift(self, count: int) -> Tensor:
        low, high = SHIFTS if self.config.variable else (2.5, 2.5)
        shift = torch.empty(count, 1, 1, 1).uniform_(low, high, generator=self.random)
        return torch.round(shift * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE

    def waste(self, count: int) -> Tensor:
        share = torch.rand(count, 1, 1, 1, generator=self.random)
        return torch.where(share < _WASTEFUL, 16.0, 1.0)

    def sent(self) -> tuple[int, bool]:
        """Groups that are sent, and whether none at all."""
        share = float(torch.rand((), generator=self.random))
        if not self.config.variable or share < _ALL_SHARE:
            return self.config.groups, False
        if share > 1 - _BARE_SHARE:
            return 0, True
        return int(torch.randint(self.config.groups, (), generator=self.random)), False


def cost(
    network: Network,
    batch: Batch,
    passed: Passed,
    shift: Tensor,
    *,
    crops: int = 1,
    fitted: bool = True,
    price: float = 1.0,
    waste: Tensor | float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Bits per pixel with the learned layer and without it, each ``[B]``.

    The readout is fitted to as many `crops` of a shot at once, or is the network's own.

    Latents' own bits count `price` times: less at first, or they would be given up before the
    synthesis has learned what to do with them.
    """
    theta = theta_of(torch.exp2(shift))
    features = passed.features
    gain, worth = batch.gain, batch.worth
    readout = network.readout[None]
    if fitted:
        # One readout serves all crops of a shot, as it does in a payload.
        parts = (batch.residual, features.detach(), gain, worth)
        residuals, seen, gains, worths = (_joined(part, crops) for part in parts)
        found = fitted_readout(residuals, seen, gains, worths, theta[::crops], readout[0].detach())
        readout = found.repeat_interleave(crops, dim=0)
    error = error_left(batch.residual, features, gain, readout)
    without = residual_bits(batch.residual * worth, theta, waste)
    return residual_bits(error * worth, theta, waste) + price * passed.bits / batch.base[
        0
    ].numel(), without


def _joined(parts: Tensor, crops: int) -> Tensor:
    """Crops of a shot above one another: ``[B, C, h, w]`` to ``[B / crops, C, crops h, w]``."""
    count, channels, height, width = parts.shape
    apart = parts.reshape(count // crops, crops, channels, height, width)
    return apart.transpose(1, 2).reshape(count // crops, channels, crops * height, width)


def train(options: argparse.Namespace, config: ModelConfig) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    shards = sorted(options.pack.glob("*.safetensors"))
    material = Material([s for i, s in enumerate(shards) if i % _HELD_OUT])
    held_out = Material(shards[::_HELD_OUT])
    print(f"{len(material)} crops, {len(held_out)} held out", flush=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = Network(config)
    optimiser = torch.optim.Adam(network.parameters(), lr=options.rate)
    first = _resume(options.out, network, optimiser)
    saved = time.monotonic()
    totals: list[tuple[float, float]] = []
    for number in range(first, options.steps):
        draws = Draws(config, options.seed, number)
        torch.manual_seed(options.seed * 7_919 + number)
        rows = material.rows(options.shots, options.crops, draws.random)
        batch = material.batch(rows, transpose=bool(number % 2))
        shift = draws.shift(options.shots).repeat_interleave(options.crops, dim=0)
        sent, bare = draws.sent()
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _schedule(number, options.steps)
        network.train()
        passed = run(network, batch, shift, sent, bare=bare)
        price = min(1.0, 0.1 + number / _CHEAP)
        waste = draws.waste(options.shots).repeat_interleave(options.crops, dim=0)
        loss = torch.zeros(())
        for fitted in (True, False):
            ours, without = cost(
                network,
                batch,
                passed,
                shift,
                crops=options.crops,
                fitted=fitted,
                price=price,
                waste=waste,
            )
            loss = loss + (ours / (without + 0.002)).mean() / 2
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        totals.append(
            (float(loss.detach()), float(passed.bits.detach().mean()) / batch.base[0].numel())
        )
        if (number + 1) % 100 == 0 or number + 1 == options.steps:
            loss_mean, bits_mean = (sum(t) / len(t) for t in zip(*totals, strict=True))
            totals.clear()
            entry = {
                "step": number + 1,
                "loss": round(loss_mean, 4),
                "latent_bpp": round(bits_mean, 5),
                "groups": [round(float(g), 3) for g in passed.groups],
            }
            if (number + 1) % 500 == 0 or number + 1 == options.steps:
                entry |= validate(network, held_out)
            with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
            print(json.dumps(entry), flush=True)
        if time.monotonic() - saved > 180 or number + 1 == options.steps:
            _save(options.out, network, optimiser, number + 1)
            saved = time.monotonic()


@torch.no_grad()
def validate(network: Network, held_out: Material) -> dict[str, Any]:
    """Bits with the learned layer relative to those without it, with and without latents."""
    network.eval()
    rows = held_out.rows(12, _CROPS_AT_ONCE, torch.Generator().manual_seed(0))
    found: dict[str, Any] = {}
    for level in (0.0, 2.0, 4.0, 5.0):
        for bare in (True, False):
            sums = torch.zeros(3)
            for part in torch.split(rows, _CROPS_AT_ONCE):
                batch = held_out.batch(part)
                shift = torch.full((len(part), 1, 1, 1), level)
                passed = run(network, batch, shift, network.config.groups, bare=bare)
                ours, without = cost(network, batch, passed, shift, crops=_CROPS_AT_ONCE)
                spent = passed.bits.sum() / batch.base[0].numel()
                sums += torch.stack([ours.sum(), without.sum(), spent])
            name = f"{'bare' if bare else 'full'}_{level:g}"
            found[name] = round(float(sums[0] / sums[1]), 4)
            if not bare:
                found[f"bpp_{level:g}"] = round(float(sums[2]) / len(rows), 5)
    return found


def _schedule(number: int, steps: int) -> float:
    """Warm-up, then half a cosine."""
    warm = min(1.0, (number + 1) / _WARM_UP)
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * number / steps)))


def _save(folder: Path, network: Network, optimiser: torch.optim.Optimizer, number: int) -> None:
    held = {f"weight.{name}": value for name, value in network.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        held |= {f"adam.{index}.{name}": value for name, value in state.items()}
    held = {name: value.contiguous() for name, value in held.items()}
    facts = {"step": str(number), "config": json.dumps(asdict(network.config))}
    part = folder / "state.part"
    save_file(held, part, facts)
    part.rename(folder / "state.safetensors")


def _resume(folder: Path, network: Network, optimiser: torch.optim.Optimizer) -> int:
    file = folder / "state.safetensors"
    if not file.exists():
        return 0
    with safe_open(file, "pt") as held:
        number = int(held.metadata()["step"])
        weights: dict[str, Tensor] = {}
        moments: dict[int, dict[str, Tensor]] = {}
        for key in held.keys():  # noqa: SIM118 - no mapping
            kind, name = key.split(".", 1)
            if kind == "weight":
                weights[name] = held.get_tensor(key)
            else:
                index, entry = name.split(".", 1)
                moments.setdefault(int(index), {})[entry] = held.get_tensor(key)
    network.load_state_dict(weights)
    optimiser.load_state_dict(
        {"state": moments, "param_groups": optimiser.state_dict()["param_groups"]}
    )
    print(f"goes on at step {number}", flush=True)
    return number


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description="Train the learned layer.")
    found.add_argument("--pack", type=Path, required=True)
    found.add_argument("--out", type=Path, required=True)
    found.add_argument("--steps", type=int, default=6000)
    found.add_argument("--shots", type=int, default=2, help="in each step")
    found.add_argument("--crops", type=int, default=4, help="of each shot")
    found.add_argument("--rate", type=float, default=1e-3)
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--threads", type=int, default=1)
    for part in fields(ModelConfig):
        if isinstance(part.default, bool):
            flag = "--without-" + part.name.replace("_", "-")
            found.add_argument(flag, dest=part.name, action="store_false")
        else:
            found.add_argument("--" + part.name, type=int, default=part.default)
    return found


def main() -> None:
    options = parser().parse_args()
    config = ModelConfig(**{part.name: getattr(options, part.name) for part in fields(ModelConfig)})
    train(options, config)


if __name__ == "__main__":
    main()
