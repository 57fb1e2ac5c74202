"""What the learned layer saves of linear frames: ``python -m rawback_lab.bench.linear PHOTOS``.

The frames are of photographs that nothing was trained on, by simulated cameras, and the renderings
those of :mod:`rawback_lab.learn.renderings`. Each is coded with the layer where the encoder takes
it, and without, at several sizes; how many bytes it saves at equal raw PSNR is Bjontegaard's delta
rate over the qualities that both reach.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from rawback import decoder, encoder
from rawback.bitstream import SectionKind, unpack
from rawback.errors import RateUnreachable, RawbackError
from rawback.jpegio import decode_jpeg
from rawback.metrics import raw_psnr
from rawback.rate import Rate
from rawback_lab.bench.layer_gain import bytes_saved
from rawback_lab.learn.pack import Sources, linear_shot_of
from rawback_lab.learn.renderings import linear_jpeg

if TYPE_CHECKING:
    from rawback.types import RawFrame

__all__ = ["RATES", "Coded", "curves"]

RATES = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Bits per pixel."""


class Coded(TypedDict):
    """What one payload took and restored; ``layer`` is whether it has the learned layer."""

    bytes: int
    psnr: float
    layer: bool


def curves(frame: RawFrame, jpeg: bytes) -> dict[str, list[Coded]]:
    """Payloads of rising size with the layer where it pays (``auto``), and without (``never``)."""
    carrier, found = decode_jpeg(jpeg), {}
    for use in ("auto", "never"):
        session = encoder.prepare(frame, carrier, tune="psnr", use=use)
        points: list[Coded] = []
        for rate in RATES:
            size = int(rate * frame.width * frame.height / 8)
            try:
                payload = session.encode(Rate.size(size)).payload
            except RateUnreachable:
                continue
            parts = unpack(payload)
            points.append(
                {
                    "bytes": len(payload),
                    "psnr": raw_psnr(frame, decoder.decode(parts, carrier)),
                    "layer": any(part.kind == SectionKind.LATENTS for part in parts.sections),
                }
            )
        found[use] = points
    return found


def main() -> None:
    """Print a row for each shot, and the mean."""
    parser = argparse.ArgumentParser(description="What the learned layer saves of linear frames.")
    parser.add_argument("photos", type=Path, help="folder of JPEG XL photographs")
    parser.add_argument("--shots", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=512, help="pixels that frames are cut to")
    parser.add_argument("--json", type=Path, help="where figures go")
    options = parser.parse_args()
    sources = Sources.of(options.photos, None)
    results = {}
    for number in range(options.shots):
        rng = np.random.default_rng((options.seed, number))
        frame = linear_shot_of(sources, rng, options.side, held_out=True)
        try:
            found = curves(frame, linear_jpeg(frame, rng))
        except RawbackError as error:
            # A shrunk rendering of a flat scene may not be found on its raw.
            print(number, error, flush=True)
            continue
        results[str(number)] = found
        taken = sum(payload["layer"] for payload in found["auto"])
        percent = bytes_saved(found["auto"], found["never"])
        shown = "-" if percent is None else f"{percent:.1f} %"
        print(f"{number}: taken {taken} times, saved {shown}", flush=True)
    percents = [bytes_saved(found["auto"], found["never"]) for found in results.values()]
    print(f"mean: saved {fmean(p for p in percents if p is not None):.1f} %")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
