"""Train the paper's network.

::

    python -m rawback_lab.paper.train --protocol p1 --real FOLDER --photos FOLDER --out FILE

The loss is rate + lambda x distortion, for many rates at once: each step draws a shift gamma of
all quantisers and how many groups are coded, and a step coarser by 2**gamma weighs distortion less
by 4**gamma. What a step draws hangs on the seed and its number alone, so a run that was stopped
goes on from ``--out`` as if it had not been. Progress goes to a log beside it, one JSON object a
line.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback_lab.course import Course
from rawback_lab.paper.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from rawback_lab.paper.config import PaperConfig, Protocol
from rawback_lab.paper.data import Pairs, make_pairs
from rawback_lab.paper.network import PaperNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Settings", "StepLog", "begin", "train"]

_GAMMA = (-2.0, 2.5)
_ALL_GROUPS = 0.7
"""How often all groups are coded."""

_WARM_UP = 50
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training is asked for; two of equal settings end alike.

    Attributes:
        steps: In all; the learning rate falls to 0 over them.
        batch: Patches a step.
        side: Pixels of a patch's side, a multiple of 16.
        rate: Learning rate at its highest.
        trade: Lambda: bits per position that a mean squared error of 1 is worth at gamma 0.
        seed: Of the weights and of all that is drawn.
        low_precision: Whether convolutions run in bfloat16.
    """

    steps: int = 20_000
    batch: int = 8
    side: int = 128
    rate: float = 4e-4
    trade: float = 20_000.0
    seed: int = 0
    low_precision: bool = True


@dataclass(frozen=True, slots=True)
class StepLog:
    """What a step says of itself.

    Attributes:
        step: Its number, from 1.
        loss: Rate + lambda x distortion.
        bpp: Bits per position at the gamma that was drawn.
        psnr: Of the raw, in dB.
        gamma: What was drawn.
        kept: Groups that were coded.
        seconds: Wall clock.
    """

    step: int
    loss: float
    bpp: float
    psnr: float
    gamma: float
    kept: int
    seconds: float


def begin(config: PaperConfig, settings: Settings) -> Checkpoint:
    """A network that has learned nothing yet."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = PaperNetwork(config)
    return Checkpoint(network, {}, 0, asdict(settings))


def train(
    start: Checkpoint,
    settings: Settings,
    pairs: Pairs,
    until: int,
    out: Path,
    every: int = 200,
    device: str = "cpu",
    minutes: float | None = None,
) -> Iterator[StepLog]:
    """Train from a checkpoint up to a step, saving now and then and at the end.

    Args:
        start: Where to begin; its network is trained in place.
        settings: The same as at its beginning.
        pairs: What to train on.
        until: The last step.
        out: The checkpoint to write.
        every: Steps between two writes.
        device: Where to train: ``cpu`` or ``cuda``.
        minutes: After so many it ends, if it has not yet; then how hangs on the machine's speed.

    Yields:
        What each step says of itself.

    Raises:
        ValueError: The checkpoint was trained with other settings.
    """
    if start.settings != asdict(settings):
        message = f"the checkpoint was trained with {start.settings}, not {asdict(settings)}"
        raise ValueError(message)
    network = start.network.to(device)
    adam = start.optimiser()
    course = Course(settings.steps, minutes, _WARM_UP)
    for step in range(start.step + 1, until + 1):
        for group in adam.param_groups:
            group["lr"] = settings.rate * course.rate(step - 1)
        yield _step(network, adam, settings, pairs, step)
        last = step == until or course.share(step) == 1
        if step % every == 0 or last:
            save_checkpoint(out, network, adam, step, asdict(settings))
        if last:
            break


def _step(
    network: PaperNetwork, adam: torch.optim.Adam, settings: Settings, pairs: Pairs, step: int
) -> StepLog:
    started = time.perf_counter()
    rng = np.random.default_rng((settings.seed, step))
    device = next(network.parameters()).device
    noise = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
    gamma = float(rng.uniform(*_GAMMA))
    steps = network.config.steps
    kept = steps if rng.random() < _ALL_GROUPS else int(rng.integers(steps))
    raw, guide = (part.to(device) for part in pairs.batch(rng, settings.batch, settings.side))
    with torch.autocast(device.type, torch.bfloat16, enabled=settings.low_precision):
        main, hyper = network.analyse(raw, guide)
        found = network.restore(main, hyper, guide, gamma, kept, noise)
    bpp = (found.main_bits + found.hyper_bits).mean() / settings.side**2
    error = torch.square(found.raw - raw).mean()
    loss = bpp + settings.trade * 4**-gamma * error
    adam.zero_grad()
    torch.autograd.backward(loss)
    # Fine steps weigh distortion up to 16 times as much, and would drown what coarse ones teach.
    torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
    adam.step()
    mean = max(float(error.detach()), 1e-12)
    return StepLog(
        step,
        float(loss.detach()),
        float(bpp.detach()),
        -10 * math.log10(mean),
        gamma,
        kept,
        round(time.perf_counter() - started, 3),
    )


def _pairs(options: argparse.Namespace, protocol: Protocol) -> Pairs:
    kept = options.pairs or options.out.with_name(f"paper-{protocol}-pairs.safetensors")
    if not kept.exists():
        pairs = make_pairs(protocol, options.real, options.photos, options.photo_count)
        pairs.save(kept)
    return Pairs.load(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the paper's network.")
    parser.add_argument("--protocol", choices=["p1", "p2"], default="p1")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--photo-count", type=int, default=120)
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint; taken up if there")
    parser.add_argument("--pairs", type=Path, help="where pairs are kept; beside --out by default")
    plain = Settings()
    parser.add_argument("--steps", type=int, default=plain.steps, help="in all")
    parser.add_argument("--until", type=int, help="stop after this step, to be taken up later")
    parser.add_argument("--batch", type=int, default=plain.batch)
    parser.add_argument("--side", type=int, default=plain.side)
    parser.add_argument("--rate", type=float, default=plain.rate)
    parser.add_argument("--trade", type=float, default=plain.trade, help="lambda")
    parser.add_argument("--seed", type=int, default=plain.seed)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--minutes", type=float, help="end after so long, if steps are not done")
    options = parser.parse_args()
    settings = Settings(
        options.steps,
        options.batch,
        options.side,
        options.rate,
        options.trade,
        options.seed,
    )
    config = PaperConfig.of(options.protocol)
    pairs = _pairs(options, options.protocol)
    start = load_checkpoint(options.out) if options.out.exists() else begin(config, settings)
    print(f"{len(pairs.raws)} pairs, from step {start.step}", flush=True)
    log = options.out.with_suffix(".jsonl")
    with log.open("a", encoding="utf-8") as lines:
        for done in train(
            start,
            settings,
            pairs,
            options.until or options.steps,
            options.out,
            device=options.device,
            minutes=options.minutes,
        ):
            lines.write(json.dumps(asdict(done)) + "\n")
            lines.flush()
            if done.step % 20 == 0:
                print(done, flush=True)


if __name__ == "__main__":
    main()
