"""What the learned layer gives at small sizes: ``python -m rawback_lab.bench learned FOLDER...``.

A folder stands for the raws that its ``manifest.csv`` lists under ``--split``, as for ``visible``;
``--photos`` adds shots of photographs that nothing was trained on, by simulated cameras, with a
JPEG as somebody might export it. Each is coded without the layer and with the encoder's own choice,
tuned for the eye, at the same sizes: whether it took the layer, and what is seen of errors then.
Of each shot at which it was taken, the bytes it saves at equal visible error are worked out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rawback import encoder, jpegio, rawio
from rawback.bitstream import SectionKind, unpack
from rawback.errors import RateUnreachable
from rawback.rate import Rate
from rawback_lab.bd import NoOverlap, Point, bd_rate
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.visible import compared, pairs_of
from rawback_lab.learn.pack import Sources, jpeg_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawback.jpegio import DecodedJpeg
    from rawback.types import RawFrame

_RATES = ("0.005", "0.01", "0.02", "0.05")
_SEED = 17


def measured(frame: RawFrame, carrier: DecodedJpeg) -> dict[str, Any]:
    """Figures of a shot at each rate, without the layer and as the encoder chooses."""
    found: dict[str, Any] = {"never": {}, "auto": {}}
    geometry = None
    for use, figures in found.items():
        # "never" and "auto" are the names of both the keys and the encoder's choices.
        session = encoder.prepare(
            frame, carrier, geometry=geometry, use="never" if use == "never" else "auto"
        )
        geometry = session.geometry
        for rate in _RATES:
            try:
                encoded = session.encode(Rate.bpp(float(rate)))
            except RateUnreachable:
                continue
            sections = unpack(encoded.payload).sections
            figures[rate] = compared(frame, encoded.restored, len(encoded.payload)) | {
                "latents": sum(len(s.data) for s in sections if s.kind == SectionKind.LATENTS)
            }
    return found


def saved(found: dict[str, Any]) -> float | None:
    """Percent of the bytes that the layer saves at equal visible error after 3 pixels."""
    without, chosen = (
        [Point(f["bytes"], -10 * float(np.log10(f["3 px"][0]))) for f in found[use].values()]
        for use in ("never", "auto")
    )
    try:
        return round(bd_rate(without, chosen), 1)
    except NoOverlap:
        return None


def _shots(options: argparse.Namespace) -> Iterator[tuple[str, RawFrame, DecodedJpeg]]:
    for folder in options.folders:
        for raw, jpeg in pairs_of(folder, options.split, options.scratch):
            if not options.only or raw.stem in options.only:
                yield raw.stem, rawio.read_raw(raw), jpegio.decode_jpeg(jpeg.read_bytes())
    if options.photos:
        sources = Sources.of(options.photos, None)
        for number in range(options.count):
            rng = np.random.default_rng((_SEED, number))
            frame = sources.frame(rng, held_out=True)
            yield f"photograph {number + 1}", frame, jpegio.decode_jpeg(jpeg_of(frame, rng))


def print_table(frames: dict[str, Any]) -> None:
    """For the documents: where the layer was taken, and what changed by it."""
    print("| shot | " + " | ".join(f"{rate} bpp" for rate in _RATES) + " | bytes |")
    print("|---|" + "---|" * (len(_RATES) + 1))
    for name, found in frames.items():
        cells = []
        for rate in _RATES:
            without, own = (found[use].get(rate) for use in ("never", "auto"))
            if without is None or own is None:
                cells.append("-")
            elif not own["latents"]:
                cells.append("not taken")
            else:
                changes = [100 * (own[blur][0] / without[blur][0] - 1) for blur in ("3 px", "8 px")]
                told = f"{changes[0]:+.1f} %, {changes[1]:+.1f} %"
                cells.append(f"{told}, {own['psnr'] - without['psnr']:+.2f} dB")
        taken = any(figures["latents"] for figures in found["auto"].values())
        percent = found["bd_rate"] if taken else None
        cells.append("" if percent is None else f"{percent:+.1f} %")
        print(f"| {name} | {' | '.join(cells)} |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure raws of folders, and photographs."""
    parser = argparse.ArgumentParser(description="Measure what the learned layer gives.")
    parser.add_argument("folders", type=Path, nargs="*", help="of raws, with a manifest.csv")
    parser.add_argument("--photos", type=Path, help="folder of JPEG XL photographs")
    parser.add_argument("--count", type=int, default=6, help="shots of photographs")
    parser.add_argument("--split", default="test")
    parser.add_argument("--only", nargs="*", help="names of raws")
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.scratch.mkdir(parents=True, exist_ok=True)
    frames: dict[str, Any] = {}
    if options.json.exists():
        frames = json.loads(options.json.read_text("utf-8"))["frames"]
    for name, frame, carrier in _shots(options):
        if name in frames:
            continue
        frames[name] = measured(frame, carrier)
        frames[name]["bd_rate"] = saved(frames[name])
        write_json(options.json, {"rates": _RATES, "frames": frames})
        print(f"{name} done", file=sys.stderr, flush=True)
    print_table(frames)


if __name__ == "__main__":
    main()
