"""From a trained model to the package: ``python -m rawback_lab.learn.export --state S --pack P``.

Counts the probability tables on the packed crops, checks that no sum can leave the range in which
float32 is exact, and writes ``NAME.safetensors`` and its model card, ``NAME.md``.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from rawback.entropy import quantise_counts
from rawback.models import TABLES, ExactConv, conditioning, scale_of
from rawback.models.context_model import spread_of
from rawback.models.network import Views, code_level
from rawback.models.objective import energies, side_information
from rawback.weights import write_weights
from rawback_lab.learn.material import Material
from rawback_lab.learn.shards import packed
from rawback_lab.learn.states import trained
from rawback_lab.learn.train import COARSE, SHIFTS, validate
from rawback_lab.sums import write_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.models import GroupCoder, Network
    from rawback_lab.learn.material import Batch

FAR = 16
"""Indices of this magnitude or more are escapes."""

_PRIOR = 200.0

_SOURCES = """photographs shot with simulated cameras, and the training part of a set of real
  frames"""

_MATERIAL = {
    4: f"""{_SOURCES}, rendered in eight styles and saved as JPEG of quality 70 to 98
  (`rawback_lab.learn.pack`). No image is in the weights.""",
    3: f"""{_SOURCES}, as cameras of three samples a pixel and converters give them, rendered
  with and without sharpening, noise reduction, local contrast and smoothed colours, and saved as
  JPEG of quality 80 to 97; some demosaiced, scaled down by 4 and rendered without JPEG
  (`rawback_lab.learn.pack --member linear`). No image is in the weights.""",
}
"""By the number of planes."""


@torch.no_grad()
def counted(network: Network, material: Material, crops: int) -> NDArray[np.float64]:
    """How often each index came under each table, ``[TABLES, 2 FAR + 1]``."""
    counts = np.zeros((TABLES, 2 * FAR + 1))

    def count(tables: torch.Tensor, symbols: torch.Tensor | None) -> torch.Tensor:
        if symbols is None:
            message = "there is nothing to read from"
            raise ValueError(message)
        seen = np.clip(symbols.numpy(), -FAR, FAR) + FAR
        np.add.at(counts, (tables.numpy(), seen), 1)
        return symbols

    rows = torch.linspace(0, len(material) - 1, crops).long()
    for number, part in enumerate(torch.split(rows, 1)):
        low, high = round(8 * COARSE), round(8 * SHIFTS[1])
        shift = low + (number * 7) % (high - low + 1)
        pass_latents(network, material.batch(part), shift, count)
    return counts


def pass_latents(network: Network, batch: Batch, shift: int, coder: GroupCoder) -> None:
    """Code both levels of a crop with one coder."""
    config = network.config
    views = Views.of(config, batch.guide, batch.flags, batch.base)
    octaves = torch.full((1, 1, 1, 1), shift / 8)
    residual = batch.residual / (batch.gain * scale_of(octaves))
    hints = side_information(energies(residual, batch.gain))
    guide = network.guide_state(views.latents, conditioning(octaves, hints))
    main = network.analysis.main_latents(views.cells, residual)
    auxiliary = network.analysis.auxiliary_latents(main, guide)
    coders = [coder] * config.groups
    coarse = network.auxiliary_state(guide)
    decoded, _ = code_level(network.auxiliary, coarse, auxiliary, coders)
    code_level(network.main, network.main_state(guide, coarse, decoded), main, coders)


def tables_of(counts: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Frequencies: counts, symmetric, on top of the logistic distribution trained with."""
    spread = spread_of(torch.arange(TABLES, dtype=torch.float64)).numpy()[:, None]
    edges = np.arange(-FAR, FAR) + 0.5
    below = 1 / (1 + np.exp(-np.clip(edges / spread, -500, 500)))
    ends = np.zeros((TABLES, 1)), np.ones((TABLES, 1))
    prior = np.diff(np.concatenate([ends[0], below, ends[1]], axis=1), axis=1)
    return quantise_counts((counts + counts[:, ::-1]) / 2 + _PRIOR * prior)


def card(network: Network, steps: int, data: bytes, figures: dict[str, float], recipe: str) -> str:
    """The model card."""
    bounds = {
        name: part.bound() for name, part in network.named_modules() if isinstance(part, ExactConv)
    }
    worst = max(bounds, key=lambda name: bounds[name])
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures.items())
    return f"""# Weights of the learned layer

SHA-256 `{hashlib.sha256(data).hexdigest()}`, {len(data)} bytes.

* Configuration: `{network.config}`
* Material: {_MATERIAL[network.config.planes]}
* Recipe: `{recipe}`, {steps} steps.
* Exactness: the largest sum that any convolution can reach is {max(bounds.values())} of
  {1 << 24} (`{worst}`).

What coding costs with the layer relative to without it, in bits and in errors at the slope of the
step (`rawback.models.objective`), on shots of photographs that nothing was trained on: `full` sends
all latents, `bare` none; the number is the logarithm of the residual layer's step in standard
deviations of the noise; `bpp` is what latents take, per sample.

| figure | value |
|---|---|
{rows}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Export trained weights.")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--crops", type=int, default=400)
    parser.add_argument("--recipe", default="", help="the command that trained it")
    parser.add_argument("--out", type=Path, required=True, help="NAME.safetensors")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, steps = trained(options.state)
    shards = packed(options.pack, held_out=False)
    counts = counted(network, Material(shards[:: max(1, len(shards) // 40)]), options.crops)
    data = write_weights(network, tables_of(counts))
    options.out.write_bytes(data)
    write_sums(options.out.parent)
    figures = validate(network, Material(packed(options.pack, held_out=True)))
    options.out.with_suffix(".md").write_text(
        card(network, steps, data, figures, options.recipe), encoding="utf-8"
    )
    print(f"{len(data)} bytes, {figures}", flush=True)


if __name__ == "__main__":
    main()
