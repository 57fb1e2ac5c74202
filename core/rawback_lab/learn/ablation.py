"""What each part is worth: ``python -m rawback_lab.learn.ablation --pack P --out O --json FILE``.

Trains the whole network, and the network without each of its five parts and without the base, all
equally long from the same seed, and compares what coding held-out crops costs with each. With
``--start`` all of them begin with the weights of a trained network, as far as these fit. Training
is resumed where it stopped, so a broken run goes on. Costs are those of
:mod:`rawback.models.objective`: latents' bits, and bits and errors of what they leave, relative to
those without any learned layer.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from rawback_lab.bench.peers import write_json
from rawback_lab.learn.material import Material
from rawback_lab.learn.shards import packed
from rawback_lab.learn.states import trained
from rawback_lab.learn.train import config_of, parser, train, validate

if TYPE_CHECKING:
    from typing import Any

PARTS = ("latents", "hybrid", "order_masks", "adaptive", "variable", "base")


def main() -> None:
    options_parser = parser()
    options_parser.description = "Train without each part, and compare."
    options_parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    options_parser.add_argument(
        "--without", nargs="+", choices=["nothing", *PARTS], help="some of them"
    )
    options = options_parser.parse_args()
    results: dict[str, Any] = {"networks": {}}
    if options.json.exists():
        results = json.loads(options.json.read_text("utf-8"))
    results |= {
        "started": options.start is not None,
        "steps": options.steps,
        "crops_a_step": options.shots,
        "seed": options.seed,
    }
    folder = options.out
    held_out = Material(packed(options.pack, held_out=True))
    for name in options.without or ("nothing", *PARTS):
        config = config_of(options)
        if name not in {"nothing", "base"}:
            config = replace(config, **{name: False})
        options.out = folder / name
        options.base = name != "base"
        train(options, config)
        network, _ = trained(options.out / "state.safetensors")
        torch.set_num_threads(options.threads)
        results["networks"][name] = validate(network, held_out, base=options.base)
        write_json(options.json, results)
    _print(results["networks"])


def _print(networks: dict[str, dict[str, float]]) -> None:
    columns = [name for name in next(iter(networks.values())) if not name.startswith("bpp")]
    print("| without | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name, figures in networks.items():
        cells = [f"{figures[column]:.4f}" if column in figures else "-" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
