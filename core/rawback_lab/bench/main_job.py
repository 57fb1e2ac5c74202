"""The main job on real raws, beside the peers: ``python -m rawback_lab.bench.main_job FOLDER``.

Each raw is embedded at the peers' rates and without loss. Every byte that the carrier grows by is
counted. Peers come from :mod:`rawback_lab.bench.peers` and are measured first where their figures
are not there yet; figures of rawback are always measured anew.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from rawback import container, decoder, jpegio, rawio
from rawback._api.packaging import payload_room
from rawback.bitstream import unpack
from rawback.rate import Rate
from rawback_lab.bench.carriers import carrier_file, darktable_file, digest
from rawback_lab.bench.peers import ANY_RATE, RATES, load_results, measure, run
from rawback_lab.peers import PEERS, Coded, Shot
from rawback_lab.scenes import comparable_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.encoder import Session
    from rawback_lab.bench.peers import Figures

_CARRIERS = {
    "libraw": "LibRaw (rawpy), camera white balance, JPEG quality 92, 4:2:0",
    "darktable": "darktable, its defaults, JPEG quality 92",
}

_RIVALS = ("base+jpeg2000", "jpegxl-lossless", "jpegxl")
"""Peers that must be there; others are shown where their figures are kept."""


def embedded(session: Session, jpeg: bytes, rate: Rate) -> tuple[Figures, bool]:
    """Embed at a rate, restore from the carrier's bytes; figures, and whether all is exact."""
    started = time.perf_counter()
    encoded = session.encode(rate)
    seconds = time.perf_counter() - started
    carrier = container.embed_payload(jpeg, encoded.payload)
    decoded = decoder.decode(
        unpack(container.extract_payload(carrier)), jpegio.decode_jpeg(carrier)
    )
    shot = Shot(session.frame, session.guide)
    figures = measure(shot, Coded(len(carrier) - len(jpeg), decoded.cfa), seconds)
    return figures, bool(np.array_equal(decoded.cfa, session.frame.cfa))


def job(raw_file: Path, carrier: Path, rivals: Sequence[str]) -> dict[str, Any]:
    """All rates and lossless for one raw, and the given peers with the guide that was found."""
    frame, jpeg = rawio.read_raw(raw_file), carrier.read_bytes()
    started = time.perf_counter()
    session = comparable_session(frame, jpegio.decode_jpeg(jpeg))
    prepared = time.perf_counter() - started
    found: dict[str, Any] = {
        "digest": digest(raw_file),
        "pixels": frame.cfa.size,
        "prepare_seconds": round(prepared, 2),
        "rates": {},
        "peers": {peer: {} for peer in rivals},
    }
    for rate in RATES:
        budget = int(rate * frame.cfa.size / 8)
        found["rates"][str(rate)], _ = embedded(session, jpeg, Rate.size(payload_room(budget)))
        for peer in rivals:
            coded = PEERS[peer](Shot(frame, session.guide), budget)
            figures = None if coded is None else measure(Shot(frame, session.guide), coded, 0.0)
            found["peers"][peer][str(rate)] = figures
    found["lossless"], found["exact"] = embedded(session, jpeg, Rate.lossless())
    return found


def lossless_job(raw_file: Path, carrier: Path) -> tuple[Figures, bool]:
    """The lossless payload of one raw, and whether all of it comes back."""
    jpeg = carrier.read_bytes()
    session = comparable_session(rawio.read_raw(raw_file), jpegio.decode_jpeg(jpeg))
    return embedded(session, jpeg, Rate.lossless())


def table(results: dict[str, Any]) -> Table:
    """Raw PSNR beside the peers at equal rates, and lossless sizes."""
    columns = [f"{rate} bpp: rawback, J2K, JXL" for rate in RATES]
    grid = Table("raw", *columns, "lossless / JXL", "exact")
    ratio = [0, 0]
    for name, found in results["frames"].items():
        peers = found["peers"]
        cells = []
        for rate in map(str, RATES):
            own = [found["rates"][rate], *(peers[p][rate] for p in ("base+jpeg2000", "jpegxl"))]
            cells.append("  ".join("-" if f is None else f"{f['raw_psnr']:.2f}" for f in own))
        sizes = found["lossless"]["bytes"], peers["jpegxl-lossless"][ANY_RATE]["bytes"]
        ratio = [total + size for total, size in zip(ratio, sizes, strict=True)]
        grid.add_row(name, *cells, f"{sizes[0] / sizes[1]:.3f}", str(found["exact"]))
    grid.add_row("all", *("" for _ in RATES), f"{ratio[0] / max(ratio[1], 1):.3f}", "")
    return grid


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the main job on real raws.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files, or folders of DNGs")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--renderer", choices=list(_CARRIERS), default="libraw")
    parser.add_argument("--peers", type=Path, default=Path(".scratch/peers.json"))
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    parser.add_argument(
        "--lossless", action="store_true", help="measure that alone of raws measured before"
    )
    options = parser.parse_args()
    files = [
        file
        for path in options.raws
        for file in (sorted(path.glob("*.dng")) if path.is_dir() else [path])
    ]
    files.sort(key=lambda file: file.stat().st_size)
    results: dict[str, Any] = {"carrier": _CARRIERS[options.renderer], "frames": {}}
    if options.json.exists():
        # Raws that are not asked for keep their figures.
        results["frames"] = json.loads(options.json.read_text("utf-8"))["frames"]
    if options.lossless:
        for file in files:
            found = results["frames"][file.stem]
            carrier = carrier_file(file, options.scratch)
            found["lossless"], found["exact"] = lossless_job(file, carrier)
            options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
            print(file.name, flush=True)
        Console(width=160).print(table(results))
        return
    run(files, options.peers, options.scratch, RATES, _RIVALS)
    peers = load_results(options.peers)
    for file in files:
        found = _found(file, options.renderer, options.scratch, peers[file.name]["peers"])
        if found is None:
            continue
        results["frames"][file.stem] = found
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        print(file.name, flush=True)
    Console(width=160).print(table(results))


def _found(
    file: Path, renderer: str, scratch: Path, peers: dict[str, dict[str, Figures | None]]
) -> dict[str, Any] | None:
    """Figures of one raw; None where its carrier cannot be made."""
    if renderer == "libraw":
        found = job(file, carrier_file(file, scratch), ())
        found["peers"] = peers
        return found
    carrier = darktable_file(file, scratch)
    if carrier is None:
        return None
    found = job(file, carrier, ("base+jpeg2000",))
    # These know nothing of the carrier.
    found["peers"] |= {name: peers[name] for name in ("jpegxl", "jpegxl-lossless")}
    return found


if __name__ == "__main__":
    main()
