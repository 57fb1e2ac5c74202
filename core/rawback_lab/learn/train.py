"""Train the learned layer: ``python -m rawback_lab.learn.train --pack FOLDER --out FOLDER``.

Writes ``state.safetensors`` (weights, and all that resuming takes) and ``log.jsonl`` into its
folder every few minutes; started again on the same material, it goes on where it was, with the same
draws as if it had never stopped. With ``--device cuda`` it trains on a GPU, with ``--minutes`` for
as long, and with ``--follow`` it takes in shots that are packed meanwhile.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rawback.models.config import ModelConfig
from rawback.models.context_model import STEPS_PER_OCTAVE
from rawback.models.network import Network
from rawback.models.objective import EYE, error_left, fitted_readout, residual_bits, theta_of
from rawback_lab.course import Course
from rawback_lab.learn.forward import run
from rawback_lab.learn.material import Material
from rawback_lab.learn.shards import packed
from rawback_lab.learn.states import resumed, take_weights, write_state

if TYPE_CHECKING:
    from torch import Tensor

    from rawback.models.objective import Emphasis
    from rawback_lab.learn.forward import Passed
    from rawback_lab.learn.material import Batch

SHIFTS = (0.0, 5.5)
"""Range of the logarithm of the residual layer's step, in standard deviations of the noise."""

COARSE = 2.0
"""Latents are for steps of so many octaves above the noise and more: below, they code noise."""

FIXED = 4.0
"""What networks for one rate are trained with."""

_BARE_SHARE, _ALL_SHARE, _FITTED_SHARE = 0.3, 0.8, 0.4
_CROPS_AT_ONCE = 4
_CHEAP = 1500
_FIRST_SHOTS = 64
_LOOKS = 30.0
"""Seconds after which shots that were packed meanwhile are taken in."""

_SAVES = 180.0


class Draws:
    """What a step is trained on; depends on the seed and the step's number alone."""

    def __init__(
        self, config: ModelConfig, seed: int, number: int, bare_share: float = _BARE_SHARE
    ) -> None:
        self.random = torch.Generator().manual_seed(seed * 1_000_003 + number)
        self.config = config

        # A mirrored synthesis has nothing to say without latents.
        self.bare = (self.share() < bare_share and config.hybrid) or not config.latents
        self.sent = config.groups
        if config.variable and self.share() > _ALL_SHARE:
            self.sent = int(torch.randint(config.groups, (), generator=self.random))
        self.fitted = self.share() < _FITTED_SHARE

    def share(self) -> float:
        return float(torch.rand((), generator=self.random))

    def shift(self, count: int) -> Tensor:
        """Octaves of as many shots."""
        low, high = SHIFTS if self.bare else (COARSE, SHIFTS[1])
        if not self.config.variable:
            low = high = FIXED
        shift = torch.empty(count, 1, 1, 1).uniform_(low, high, generator=self.random)
        return torch.round(shift * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE


def cost(
    network: Network,
    batch: Batch,
    passed: Passed | None,
    shift: Tensor,
    *,
    crops: int = 0,
    price: float = 1.0,
    emphasis: Emphasis | None = None,
) -> tuple[Tensor, Tensor]:
    """Bits per pixel with the learned layer and without it, each ``[B]``.

    With nothing passed both are those without it. The readout is fitted to as many `crops` of a
    shot at once; with 0 it is the network's own. Latents' own bits count `price` times: less at
    first, or they would be given up before the synthesis has learned what to do with them. An
    `emphasis` makes errors count by what is seen of them.
    """
    theta = theta_of(torch.exp2(shift))
    gain, worth = batch.gain, batch.worth
    without = residual_bits(batch.residual * worth, theta, emphasis)
    if passed is None:
        return without, without
    features = passed.features
    readout = network.readout[None]
    if crops:
        # One readout serves all crops of a shot, as it does in a payload.
        parts = (batch.residual, features.detach(), gain, worth)
        residuals, seen, gains, worths = (_joined(part, crops) for part in parts)
        found = fitted_readout(residuals, seen, gains, worths, theta[::crops], readout[0].detach())
        readout = found.repeat_interleave(crops, dim=0)
    error = error_left(batch.residual, features, gain, readout)
    spent = price * passed.bits / batch.base[0].numel()
    return residual_bits(error * worth, theta, emphasis) + spent, without


def _joined(parts: Tensor, crops: int) -> Tensor:
    """Crops of a shot above one another: ``[B, C, h, w]`` to ``[B / crops, C, crops h, w]``."""
    count, channels, height, width = parts.shape
    apart = parts.reshape(count // crops, crops, channels, height, width)
    return apart.transpose(1, 2).reshape(count // crops, channels, crops * height, width)


class _Shots:
    """Shots of a folder, and those that are still to come."""

    def __init__(self, folder: Path, device: str) -> None:
        self._folder = folder
        self._seen: set[Path] = set()
        self.training, self.held_out = Material(device=device), Material(device=device)
        self.look()

    def look(self) -> None:
        """Take in those that were packed since."""
        for material, held_out in ((self.training, False), (self.held_out, True)):
            new = [s for s in packed(self._folder, held_out=held_out) if s not in self._seen]
            material.add(new)
            self._seen.update(new)


class _Log:
    """What training says of itself: means since it last said something."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "log.jsonl"
        self._started = time.monotonic()
        self._seen: dict[str, list[Tensor]] = {}

    def add(self, draws: Draws, loss: Tensor, passed: Passed) -> None:
        kind = "bare" if draws.bare else "full"
        # What a GPU works out is asked for when it is written, lest it be waited for each time.
        spent = passed.bits.detach().mean() / passed.features[0, 0].numel()
        for name, value in ((kind, loss.detach()), (f"{kind}_bits", spent)):
            self._seen.setdefault(name, []).append(value)

    def write(self, number: int, figures: dict[str, float]) -> None:
        entry: dict[str, Any] = {
            "step": number,
            "minutes": round((time.monotonic() - self._started) / 60, 1),
        }
        entry |= {name: round(float(torch.stack(s).mean()), 5) for name, s in self._seen.items()}
        self._seen.clear()
        line = json.dumps(entry | figures)
        with self._path.open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        print(line, flush=True)


def train(options: argparse.Namespace, config: ModelConfig) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    shots = _Shots(options.pack, options.device)
    while options.follow and shots.training.shots < _FIRST_SHOTS:
        time.sleep(1)
        shots.look()
    print(f"{len(shots.training)} crops, {len(shots.held_out)} held out", flush=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    torch.backends.cudnn.benchmark = True
    network = Network(config).to(options.device)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(options.only)))
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(learning, lr=options.rate)
    first = resumed(options.out, network, optimiser)
    log = _Log(options.out)
    if options.start and not first:
        take_weights(options.start, network, tuple(options.anew))
        log.write(0, _figures(network, shots.held_out, options))
    course = Course(options.steps, options.minutes, least=0.02)
    saved = looked = time.monotonic()
    for number in range(first, options.steps):
        draws = Draws(config, options.seed, number, options.bare_share)
        torch.manual_seed(options.seed * 7_919 + number)
        for group in optimiser.param_groups:
            group["lr"] = options.rate * course.rate(number)
        network.train()
        passed, loss = _step(network, shots.training, options, draws, number)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        log.add(draws, loss, passed)
        last = course.share(number + 1) == 1
        if (number + 1) % 100 == 0 or last:
            thorough = (number + 1) % options.validate == 0 or last
            figures = _figures(network, shots.held_out, options) if thorough else {}
            log.write(number + 1, figures | {"crops": len(shots.training)})
        if time.monotonic() - saved > _SAVES or last:
            write_state(options.out, network, optimiser, number + 1)
            saved = time.monotonic()
        if last:
            break
        if options.follow and time.monotonic() - looked > _LOOKS:
            shots.look()
            looked = time.monotonic()


def _step(
    network: Network, material: Material, options: argparse.Namespace, draws: Draws, number: int
) -> tuple[Passed, Tensor]:
    """One pass and its loss."""
    crops = _CROPS_AT_ONCE if draws.fitted else 1
    rows = material.rows(options.shots // crops, crops, draws.random)
    batch = material.batch(rows, int(draws.share() * 8))
    if not options.base:
        batch = batch.without_base()
    shift = draws.shift(options.shots // crops).repeat_interleave(crops, dim=0)
    shift = shift.to(options.device)
    with torch.autocast(options.device, torch.bfloat16, enabled=options.bf16):
        passed = run(network, batch, shift, draws.sent, bare=draws.bare)
    price = 1.0 if options.start else min(1.0, 0.1 + number / _CHEAP)
    fitted = crops if draws.fitted else 0
    emphasis = EYE if options.visual else None
    ours, without = cost(
        network, batch, passed, shift, crops=fitted, price=price, emphasis=emphasis
    )
    loss = (ours / (without + 0.002)).mean()
    return passed, loss


def _figures(network: Network, held_out: Material, options: argparse.Namespace) -> dict[str, float]:
    emphasis = EYE if options.visual else None
    return validate(network, held_out, base=options.base, emphasis=emphasis)


@torch.no_grad()
def validate(
    network: Network, held_out: Material, *, base: bool = True, emphasis: Emphasis | None = None
) -> dict[str, float]:
    """What coding costs with the learned layer relative to without, with and without latents.

    Args:
        network: Is put into evaluation mode.
        held_out: Crops; some are drawn, always the same.
        base: Whether the network has the base to begin with; costs are relative to it even if not.
        emphasis: What is coded finer.
    """
    network.eval()
    device = network.readout.device
    rows = held_out.rows(16, _CROPS_AT_ONCE, torch.Generator().manual_seed(0))
    found: dict[str, float] = {}
    for level in (0.0, 2.0, 3.0, 4.0, 5.0):
        for bare in (True,) if level < COARSE or not network.config.latents else (True, False):
            sums = torch.zeros(3, device=device)
            for part in torch.split(rows, _CROPS_AT_ONCE):
                batch = held_out.batch(part)
                shift = torch.full((len(part), 1, 1, 1), level, device=device)
                _, without = cost(network, batch, None, shift, emphasis=emphasis)
                batch = batch if base else batch.without_base()
                passed = run(network, batch, shift, network.config.groups, bare=bare)
                ours, _ = cost(network, batch, passed, shift, emphasis=emphasis)
                fitted, _ = cost(
                    network, batch, passed, shift, crops=_CROPS_AT_ONCE, emphasis=emphasis
                )
                spent = passed.bits.sum() / batch.base[0].numel()
                least = torch.minimum(ours.sum(), fitted.sum())
                sums += torch.stack([least, without.sum(), spent])
            name = f"{'bare' if bare else 'full'}_{level:g}"
            found[name] = round(float(sums[0] / sums[1]), 4)
            if not bare:
                found[f"bpp_{level:g}"] = round(float(sums[2]) / len(rows), 5)
    return found


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description="Train the learned layer.")
    found.add_argument("--pack", type=Path, required=True)
    found.add_argument("--out", type=Path, required=True)
    found.add_argument("--steps", type=int, default=6000)
    found.add_argument("--shots", type=int, default=8, help="crops in each step")
    found.add_argument("--rate", type=float, default=1e-3)
    found.add_argument("--seed", type=int, default=0)
    found.add_argument(
        "--bare-share", type=float, default=_BARE_SHARE, help="of steps without latents"
    )
    found.add_argument("--threads", type=int, default=1)
    found.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    found.add_argument("--minutes", type=float, help="end after so long, if steps are not done")
    found.add_argument("--follow", action="store_true", help="take in shots packed meanwhile")
    found.add_argument("--validate", type=int, default=500, help="steps between validations")
    found.add_argument("--start", help="a state to take weights from, or a member of the package")
    found.add_argument(
        "--anew", nargs="+", default=[], metavar="NAME", help="parts that do not take them"
    )
    found.add_argument(
        "--only", nargs="+", default=[""], metavar="NAME", help="parts to train; all by default"
    )
    found.add_argument("--without-base", dest="base", action="store_false", help="for comparison")
    found.add_argument("--visual", action="store_true", help="errors count by what is seen of them")
    found.add_argument("--bf16", action="store_true", help="compute in bfloat16 where that is safe")
    for part in fields(ModelConfig):
        if isinstance(part.default, bool):
            flag = "--without-" + part.name.replace("_", "-")
            found.add_argument(flag, dest=part.name, action="store_false")
        else:
            found.add_argument("--" + part.name, type=int, default=part.default)
    return found


def config_of(options: argparse.Namespace) -> ModelConfig:
    """The network that is asked for."""
    return ModelConfig(**{part.name: getattr(options, part.name) for part in fields(ModelConfig)})


def main() -> None:
    options = parser().parse_args()
    train(options, config_of(options))


if __name__ == "__main__":
    main()
