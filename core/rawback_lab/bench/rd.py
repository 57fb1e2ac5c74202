"""Rate-distortion curves beside the peers: ``python -m rawback_lab.bench rd FOLDER --json FILE``.

A folder stands for the raws that its ``manifest.csv`` lists as ``test``. Every method gets the same
budget of bytes. Peers' figures are kept in ``--scratch`` and not measured again; those of rawback
always are. Beside the figures stand Bjontegaard's deltas of rawback against each peer, per raw and
on average, and the likeness of edited renderings at one rate. ``--plots`` draws the curves.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rawback_lab.bench.carriers import digest
from rawback_lab.bench.materials import PictureMaterial, RawMaterial
from rawback_lab.bench.peers import ANY_RATE, write_json
from rawback_lab.bench.rd_tables import OWN, deltas, print_progress, print_tables
from rawback_lab.peers import FIXED_SIZE, PEERS, PICTURE_PEERS
from rawback_lab.protocols import P1_CASES, P1_RATES, P2_CASES, P2_RATES, listed_raws

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawback_lab.bench.materials import Material, Measured
    from rawback_lab.peers import Coded, Subject

__all__ = ["Kept", "Protocol", "curves"]

_PAPER = "paper"
_P1_EDIT_RATE, _P2_EDIT_RATE = 0.376, 0.02
_LOSSLESS = ("jpegxl-lossless", "ljpeg-dng", "miniraw")

_P2_PEERS = (
    *("base", "base+jpeg2000", "base+jpeg2000-linear", "base+jpegxl", "jpegxl", "sam"),
    *_LOSSLESS,
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a run of the benchmark asks for.

    Attributes:
        name: ``p1`` or ``p2``.
        case: Name of the case.
        rates: Bits per pixel.
        edit_rate: At which edited renderings are compared.
        peers: Names.
        paper: Checkpoint of the paper's network, where one is compared.
    """

    name: str
    case: str
    rates: tuple[float, ...]
    edit_rate: float
    peers: tuple[str, ...]
    paper: Path | None = None

    def material(self, raw_file: Path, kept_in: Path) -> Material | None:
        """What is coded of a raw; None where its carrier cannot be made here."""
        more: dict[str, Callable[[Subject, int], Coded | None]] = {}
        if self.paper is not None:
            from rawback_lab.paper.peer import load_peer

            more[_PAPER] = load_peer(self.paper)
        if self.name == "p1":
            (picture_case,) = (case for case in P1_CASES if case.name == self.case)
            return PictureMaterial.of(picture_case, raw_file, more)
        (case,) = (case for case in P2_CASES if case.name == self.case)
        return RawMaterial.of(case, raw_file, kept_in, more)

    def kept_as(self, peer: str) -> str:
        """The name that a peer's figures are kept under: networks differ by their weights."""
        return f"{peer} {digest(self.paper)}" if peer == _PAPER and self.paper else peer


class Kept:
    """Peers' figures in a JSON file, by raw, peer and rate.

    Args:
        path: The file; it is made with the first figures.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._figures: dict[str, dict[str, dict[str, Measured | None]]] = {}
        if path.exists():
            self._figures = json.loads(path.read_text("utf-8"))

    def of(self, raw: str, peer: str) -> dict[str, Measured | None]:
        """By rate; what is not there has not been measured."""
        return self._figures.setdefault(raw, {}).setdefault(peer, {})

    def save(self) -> None:
        """Write the file."""
        write_json(self._path, self._figures)


def curves(protocol: Protocol, raw_file: Path, scratch: Path) -> dict[str, Any] | None:
    """All figures of one raw.

    Args:
        protocol: What to measure.
        raw_file: The raw.
        scratch: The folder for carriers and for the peers' figures.

    Returns:
        ``methods`` by name and rate, beside what the raw is; None where it has no carrier.
    """
    material = protocol.material(raw_file, scratch / "carriers")
    if material is None:
        return None
    name = digest(raw_file)
    kept = Kept(scratch / f"rd-{protocol.name}-{protocol.case}.json")
    methods: dict[str, dict[str, Measured | None]] = {OWN: {}}
    for peer in protocol.peers:
        figures = kept.of(name, protocol.kept_as(peer))
        rates = [ANY_RATE] if peer in FIXED_SIZE else [str(rate) for rate in protocol.rates]
        for rate in rates:
            if rate not in figures:
                budget = 2 * material.pixels if rate == ANY_RATE else _bytes(material, rate)
                code = partial(material.peer, peer, budget)
                edits = rate in {ANY_RATE, str(protocol.edit_rate)}
                figures[rate] = _timed(material, code, edits=edits)
                kept.save()
                print(raw_file.stem, peer, rate, _said(figures[rate]), flush=True)
        methods[peer] = {rate: figures[rate] for rate in rates}
    for rate in map(str, protocol.rates):
        code = partial(material.own, _bytes(material, rate))
        methods[OWN][rate] = _timed(material, code, edits=rate == str(protocol.edit_rate))
        print(raw_file.stem, OWN, rate, _said(methods[OWN][rate]), flush=True)
    if any(peer in _LOSSLESS for peer in protocol.peers):
        methods[f"{OWN}-lossless"] = {ANY_RATE: _timed(material, material.lossless, edits=False)}
    return {"digest": name, "pixels": material.pixels, "methods": methods}


def _bytes(material: Material, rate: str) -> int:
    return int(float(rate) * material.pixels / 8)


def _timed(material: Material, code: Callable[[], Coded | None], *, edits: bool) -> Measured | None:
    started = time.perf_counter()
    coded = code()
    seconds = time.perf_counter() - started
    return None if coded is None else material.measured(coded, seconds, edits=edits)


def _said(found: Measured | None) -> str:
    if found is None:
        return "nothing fits"
    psnr = "lossless" if found["psnr"] is None else f"{found['psnr']:.2f} dB"
    return f"{psnr} at {found['bpp']:.4f} bpp in {found['seconds']:.1f} s"


def _files(paths: Sequence[Path]) -> list[Path]:
    return [
        file for path in paths for file in (listed_raws(path, "test") if path.is_dir() else [path])
    ]


def _protocol(options: argparse.Namespace) -> Protocol:
    first = options.protocol == "p1"
    peers = tuple(options.peers or (PICTURE_PEERS if first else _P2_PEERS))
    return Protocol(
        options.protocol,
        options.case or (P1_CASES[0].name if first else P2_CASES[0].name),
        tuple(options.rates or (P1_RATES if first else P2_RATES)),
        _P1_EDIT_RATE if first else _P2_EDIT_RATE,
        (*peers, _PAPER) if options.paper else peers,
        options.paper,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw rate-distortion curves beside the peers.")
    parser.add_argument("raws", type=Path, nargs="*", help="raw files, or folders with a manifest")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--protocol", choices=["p1", "p2"], default="p2")
    names = sorted({case.name for case in (*P1_CASES, *P2_CASES)})
    parser.add_argument("--case", choices=names, help="another case than the protocol's first")
    parser.add_argument("--rates", type=float, nargs="+", help="bits per pixel")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), help="the usual ones by default")
    parser.add_argument("--paper", type=Path, help="a checkpoint of the paper's network to compare")
    parser.add_argument("--plots", type=Path, help="a folder to draw the curves into")
    parser.add_argument("--against", type=Path, help="figures of an earlier version")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch"))
    options = parser.parse_args()
    protocol = _protocol(options)
    results: dict[str, Any] = {"protocol": protocol.name, "case": protocol.case, "frames": {}}
    if options.json.exists():
        # Raws and peers that are not asked for keep their figures.
        results["frames"] = json.loads(options.json.read_text("utf-8"))["frames"]
    results["edit_rate"] = protocol.edit_rate
    for file in _files(options.raws):
        found = curves(protocol, file, options.scratch)
        if found is None:
            print(f"{file.name} has no carrier in this case", flush=True)
            continue
        before = results["frames"].get(file.stem, {})
        if before.get("digest") == found["digest"]:
            found["methods"] = before["methods"] | found["methods"]
        results["frames"][file.stem] = found
        results["bd"] = deltas(results["frames"])
        write_json(options.json, results)
    results["bd"] = deltas(results["frames"])
    print_tables(results)
    if options.against:
        print_progress(results["frames"], json.loads(options.against.read_text("utf-8"))["frames"])
    if options.plots:
        from rawback_lab.bench.rd_plots import draw

        draw(results, options.plots)


if __name__ == "__main__":
    main()
