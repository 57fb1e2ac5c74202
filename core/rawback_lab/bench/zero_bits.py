"""What the synthesis tells at no bits: ``python -m rawback_lab.bench.zero_bits FOLDER``.

Quality 0 is what precedes the residual: the base of each raw alone, and the same base with the
learned layer that sends no latents, only its head: the networks' name, the step, and the readout
where a fitted one pays. A folder stands for
the raws that its ``manifest.csv`` lists as ``test``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rawback import jpegio, metrics, rawio
from rawback.rate import Rate
from rawback_lab.bench.carriers import carrier_file
from rawback_lab.bench.peers import write_json
from rawback_lab.protocols import listed_raws
from rawback_lab.scenes import comparable_session

if TYPE_CHECKING:
    from rawback.encoder.learned_layer import Use


def told(raw_file: Path, scratch: Path) -> dict[str, float]:
    """PSNR in dB and payload bytes of the base, and of the base with the synthesis."""
    frame = rawio.read_raw(raw_file)
    carrier = jpegio.decode_jpeg(carrier_file(raw_file, scratch).read_bytes())
    found: dict[str, float] = {}
    uses: tuple[tuple[str, Use], ...] = (("base", "never"), ("synthesis", "auto"))
    for name, use in uses:
        encoded = comparable_session(frame, carrier, use=use).encode(Rate.quality(0))
        found[f"{name}_psnr"] = round(metrics.raw_psnr(frame, encoded.restored), 4)
        found[f"{name}_bytes"] = len(encoded.payload)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare base and synthesis at no latent bits.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files, or folders with a manifest")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    files = [
        file
        for path in options.raws
        for file in (listed_raws(path, "test") if path.is_dir() else [path])
    ]
    results: dict[str, Any] = {"carrier": "LibRaw, JPEG quality 92, 4:2:0", "raws": {}}
    print("| raw | base | with synthesis | bytes |\n|---|---|---|---|")
    for file in files:
        row = told(file, options.scratch)
        results["raws"][file.stem] = row
        write_json(options.json, results)
        bytes_more = row["synthesis_bytes"] - row["base_bytes"]
        print(
            f"| {file.stem} | {row['base_psnr']:.2f} | {row['synthesis_psnr']:.2f} "
            f"| +{bytes_more:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
