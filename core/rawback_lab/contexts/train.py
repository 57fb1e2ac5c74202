"""Train the quality layers' weights and tables.

::

    python -m rawback_lab.contexts.train --real FOLDER --photos FOLDER --out tables.safetensors

All shots are coded twice, at steps drawn at random: weights are fitted to what is seen in the first
round, tables are counted in the second. Nothing of the shots enters the result but some rows of
weights and probabilities.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from rawback_lab.contexts.fit import fit_weights
from rawback_lab.contexts.material import shots
from rawback_lab.contexts.tables import blank_model, counted_tables, rank_tables
from rawback_lab.contexts.trials import Key, Seen, code_at_random_steps
from rawback_lab.sums import write_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the residual layer's weights and tables.")
    parser.add_argument("--real", type=Path, required=True, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--photo-count", type=int, default=90)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    material = []
    seen: dict[Key, Seen] = defaultdict(Seen)
    model = blank_model()
    for prepared in shots(options.real, options.photos, options.photo_count, rng):
        material.append(prepared)
        code_at_random_steps(prepared, model, rng, seen)
        print(f"{len(material)} shots", flush=True)
    weights = fit_weights(seen)
    model = replace(model, weights=weights)
    total: dict[str, NDArray[np.float64]] = {}
    shares = 0.0
    for prepared in material:
        counts, share = code_at_random_steps(prepared, model, rng, None)
        total = {name: total.get(name, 0) + part for name, part in counts.items()}
        shares += share
    tables = counted_tables({name: part / shares for name, part in total.items()})
    tables |= {"exact": rank_tables()}
    save_file({"magnitude": weights.magnitude, "noise": weights.noise, **tables}, options.out)
    write_sums(options.out.parent)
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    main()
