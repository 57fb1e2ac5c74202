"""CPU seconds of decoding networks, ours and the paper's: ``python -m rawback_lab.bench.networks``.

Both decode the same megapixel, in turn, several times in one process and on one thread: medians of
CPU seconds, and multiplications a pixel; of linear pictures, as the paper has them, and of mosaics.
Ours, with and without latents, are those of the package; the paper's has the paper's size and
random weights, which do not change the time. Entropy coding is left out on both sides.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from rawback.models import CELL, Network, conditioning, scale_of
from rawback.models.network import Views
from rawback.weights import weights
from rawback_lab.bench.peers import write_json
from rawback_lab.paper.config import PaperConfig
from rawback_lab.paper.macs import count_macs
from rawback_lab.paper.network import PaperNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback.models import GroupCoder
    from rawback_lab.paper.config import Protocol

SIDE = 1024

_KINDS: tuple[tuple[str, str, Protocol], ...] = (
    ("linear picture", "linear", "p1"),
    ("mosaic", "bayer", "p2"),
)


def our_decoder(network: Network, *, latents: bool) -> Callable[[], object]:
    """Decode one megapixel of a raw."""
    config = network.config
    random = torch.Generator().manual_seed(0)
    sites = SIDE // CELL * config.samples_per_cell_side
    guide = torch.randint(0, 256, (1, 3, SIDE, SIDE), generator=random).float()
    base = torch.randint(0, 4096, (1, config.planes, sites, sites), generator=random).float()
    flags = torch.zeros(1, 2, sites, sites)
    octaves = torch.full((1, 1, 1, 1), 3.0)

    def silent(tables: torch.Tensor, _symbols: torch.Tensor | None) -> torch.Tensor:
        return torch.zeros_like(tables)

    def decode() -> object:
        views = Views.of(config, guide, flags, base)
        if not latents:
            return network.features(views.cells, None, None, scale_of(octaves))
        state = network.guide_state(views.latents, conditioning(octaves, torch.zeros(1, 3, 1, 1)))
        coders: list[GroupCoder] = [silent] * config.groups
        main_state, decoded, _ = network.code(state, None, (coders, coders))
        return network.features(views.cells, main_state, decoded, scale_of(octaves))

    return decode


def paper_decoder(network: PaperNetwork) -> Callable[[], object]:
    """Decode the same megapixel; of a mosaic that is four planes of half its sides."""
    config = network.config
    side = SIDE if config.raw_channels == 3 else SIDE // 2
    guide = torch.rand(1, config.guide_channels, side, side)
    main, hyper = network.analyse(torch.rand(1, config.raw_channels, side, side), guide)
    return lambda: network.restore(main, hyper, guide)


def seconds(run: Callable[[], object]) -> float:
    """CPU seconds of one run."""
    before = time.process_time()
    run()
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description="Time decoding networks on one megapixel.")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    results: dict[str, Any] = {}
    with torch.inference_mode():
        for kind, member, protocol in _KINDS:
            ours, paper = weights(member).network, PaperNetwork(PaperConfig.of(protocol)).eval()
            rows = compared(
                {
                    "rawback, no latents": (ours, our_decoder(ours, latents=False)),
                    "rawback": (ours, our_decoder(ours, latents=True)),
                    "paper": (paper, paper_decoder(paper)),
                },
                options.repeat,
            )
            results[kind] = rows
            write_json(options.json, results)
            print(
                f"\n| {kind} | CPU s per MP | paper's over it | kMAC per pixel |\n|---|---|---|---|"
            )
            for name, row in rows.items():
                taken, macs = row["cpu_seconds_per_megapixel"], row["kmac_per_pixel"]
                ratio = rows["paper"]["cpu_seconds_per_megapixel"] / taken
                print(f"| {name} | {taken} | {ratio:.1f} | {macs} |", flush=True)


def compared(
    runs: dict[str, tuple[torch.nn.Module, Callable[[], object]]], repeat: int
) -> dict[str, dict[str, float]]:
    """Medians of CPU seconds, the runs in turn, and multiplications."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _, run in runs.values():
        run()
    for _ in range(repeat):
        for name, (_, run) in runs.items():
            taken[name].append(seconds(run))
    return {
        name: {
            "cpu_seconds_per_megapixel": round(median(taken[name]) / SIDE**2 * 1e6, 3),
            "kmac_per_pixel": round(count_macs(module, run) / SIDE**2 / 1000, 2),
        }
        for name, (module, run) in runs.items()
    }


if __name__ == "__main__":
    main()
