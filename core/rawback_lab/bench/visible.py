"""What is seen of errors: ``python -m rawback_lab.bench visible FOLDER... --against PYTHON``.

A folder stands for the raws that its ``manifest.csv`` lists under ``--split``, with LibRaw's
rendering of each as its JPEG, or the camera's own JPEG where the manifest names one. Each is
embedded by this version, tuned for the eye and for PSNR, and by the version of another interpreter,
at the same sizes; carriers are restored and compared as pictures lifted by two stops:

- mean and 95th percentile of CIEDE2000 after a Gaussian blur of 3 and of 8 pixels;
- the same of S-CIELAB at 1:1 and at fit, see :mod:`rawback.metrics.visible`.

Figures of the other version are kept in ``--scratch`` and not measured again. ``--what peers``
measures codecs tuned for the eye, at the sizes that are in ``--json``, see
:mod:`rawback_lab.visual_peers`; ``--what cuts`` payloads of the highest rate that were cut, those
of the other version likewise; ``--what clipped`` how much of what is seen at quality 60 lies where
noise clips in the lifted picture, at either end of any of its colours, and what is seen with grain.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

import rawback
from rawback import container, decoder, encoder, jpegio, metrics, rawio
from rawback.bitstream import unpack
from rawback.metrics import delta_e_2000, lab_from_linear
from rawback.rendering import balanced_signal, camera_to_srgb, demosaic, exposed
from rawback_lab.bd import NoOverlap, Point, bd_rate
from rawback_lab.bench.carriers import carrier_file, digest
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.versions import OtherVersion, OwnVersion, Version
from rawback_lab.visual_peers import VISUAL_PEERS, CodedBaseShot

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence

    from rawback.rate import Tune
    from rawback.types import RawFrame

__all__ = ["blurred_differences", "compared", "pairs_of"]

_STOPS = 2.0
_RATES = ("0.02", "0.05", "0.1", "0.2", "0.5")
_SHOWN = ("0.02", "0.1", "0.5")
_BLURS = (3, 8)
_CUT_FROM, _CUT_TO = "0.5", 0.2
"""A payload of the one rate is cut to at most this part of its size."""

_CUTS = (0.6, 0.3, 0.15)
"""Parts of its size that a payload is cut to, with ``--what cuts``."""

_TUNES: tuple[Tune, ...] = ("visual", "psnr")


def pairs_of(folder: Path, split: str, scratch: Path) -> Iterator[tuple[Path, Path]]:
    """Raws of a folder and their JPEGs."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["split"] != split:
                continue
            if row.get("jpeg"):
                yield folder / row["raw"], folder / row["jpeg"]
            else:
                yield folder / row["file"], carrier_file(folder / row["file"], scratch / "carriers")


def blurred_differences(original: RawFrame, restored: RawFrame) -> dict[str, list[float]]:
    """Mean and 95th percentile of CIEDE2000 of both lifted by two stops and blurred."""
    matrix = camera_to_srgb(original)
    lights = [
        exposed(demosaic(balanced_signal(frame), frame.pattern), matrix, _STOPS)
        for frame in (original, restored)
    ]
    found = {}
    for sigma in _BLURS:
        soft = [np.asarray(cv2.GaussianBlur(light, (0, 0), sigma), np.float32) for light in lights]
        differences = np.concatenate(
            [
                delta_e_2000(*(lab_from_linear(part) for part in parts)).ravel()
                for parts in zip(*(np.array_split(one, 16) for one in soft), strict=True)
            ]
        )
        found[f"{sigma} px"] = [float(differences.mean()), float(np.quantile(differences, 0.95))]
    return found


def compared(original: RawFrame, restored: RawFrame, size: int) -> dict[str, Any]:
    """All figures of a payload of some size."""
    seen = metrics.visible_errors(original, restored, exposures=[_STOPS])
    figures = blurred_differences(original, restored)
    figures |= {str(error.view): [error.mean, error.p95] for error in seen}
    return {
        "bytes": size,
        "bpp": round(metrics.bits_per_pixel(size, original), 5),
        "psnr": round(metrics.raw_psnr(original, restored), 4),
        **{name: [round(value, 4) for value in values] for name, values in figures.items()},
    }


def measured(
    version: Version, raw: Path, jpeg: Path, scratch: Path, rates: Sequence[str] = _RATES
) -> dict[str, Any]:
    """Figures at rates, at quality 60, and of a payload that was cut."""
    frame = rawio.read_raw(raw)
    carrier = scratch / "trial.jpg"
    found: dict[str, Any] = {}
    for rate in rates:
        size = version.embed(raw, jpeg, carrier, "--bpp", rate)
        found[rate] = compared(frame, version.restored(carrier, frame), size)
        if rate == _CUT_FROM:
            small, size = version.cut(carrier, int(_CUT_TO * size))
            found["cut"] = compared(frame, version.restored(small, frame), size)
    size = version.embed(raw, jpeg, carrier, "--quality", "60")
    found["quality 60"] = compared(frame, version.restored(carrier, frame), size)
    return found


def measured_cuts(version: Version, raw: Path, jpeg: Path, scratch: Path) -> list[dict[str, Any]]:
    """Figures of a payload of the highest rate, whole and cut."""
    frame = rawio.read_raw(raw)
    carrier = scratch / "trial.jpg"
    whole = version.embed(raw, jpeg, carrier, "--bpp", _CUT_FROM)
    found = [compared(frame, version.restored(carrier, frame), whole)]
    for part in _CUTS:
        small, size = version.cut(carrier, int(part * whole))
        found.append(compared(frame, version.restored(small, frame), size))
    return found


def measured_clipped(raw: Path, jpeg: Path) -> dict[str, Any]:
    """Errors at quality 60 after 3 pixels, where noise clips in the lifted picture and elsewhere.

    Returns:
        Part of the picture where 3 to 97 % of the pixels around clip; how much of the worst 5 % of
        the errors lies there; the 95th percentile there and elsewhere; and mean and 95th percentile
        after the blurs, plain and with grain.
    """
    frame = rawio.read_raw(raw)
    data, _ = rawback.embed_bytes(
        raw.read_bytes(), jpeg.read_bytes(), rate=rawback.Rate.quality(60)
    )
    file = container.CarrierFile.parse(data)
    payload, pixels = unpack(file.payload()), jpegio.decode_jpeg(file.bare)
    restored, grained = (
        replace(frame, cfa=decoder.restore(payload, pixels, grain=grain).frame.cfa)
        for grain in (False, True)
    )
    matrix = camera_to_srgb(frame)
    camera = [
        demosaic(balanced_signal(replace(frame, cfa=cfa)), frame.pattern)
        for cfa in (frame.cfa, restored.cfa)
    ]
    light = camera[0] @ (matrix * 2.0**_STOPS).T.astype(np.float32)
    clips = ((light < 0) | (light > 1)).any(axis=2).astype(np.float32)
    around = cv2.GaussianBlur(clips, (0, 0), _BLURS[0])
    soft = [cv2.GaussianBlur(exposed(one, matrix, _STOPS), (0, 0), _BLURS[0]) for one in camera]
    errors = delta_e_2000(*(lab_from_linear(np.asarray(one, np.float32)) for one in soft))
    mixed = (around > 0.03) & (around < 0.97)
    worst = errors > np.quantile(errors, 0.95)
    return {
        "part": float(mixed.mean()),
        "of the worst": float(mixed[worst].mean()),
        "there": float(np.quantile(errors[mixed], 0.95)) if mixed.any() else 0.0,
        "elsewhere": float(np.quantile(errors[~mixed], 0.95)),
        "plain": blurred_differences(frame, restored),
        "grain": blurred_differences(frame, grained),
    }


def measured_peers(raw: Path, jpeg: Path, own: dict[str, Any]) -> dict[str, Any]:
    """Figures of the peers at the sizes of our own payloads; None where a peer takes more."""
    frame = rawio.read_raw(raw)
    guide = encoder.prepare(frame, jpegio.decode_jpeg(jpeg.read_bytes()), use="never").guide
    shot = CodedBaseShot(frame, guide)
    found: dict[str, Any] = {}
    for name, peer in VISUAL_PEERS.items():
        found[name] = {}
        for rate in _SHOWN:
            coded = peer(shot, own[rate]["bytes"])
            found[name][rate] = (
                None
                if coded is None
                else compared(frame, replace(frame, cfa=coded.samples), coded.size)
            )
    return found


def _bd(anchor: dict[str, Any], test: dict[str, Any]) -> float | None:
    before, after = (
        [Point(figures[rate]["bytes"], figures[rate]["psnr"]) for rate in _RATES if rate in test]
        for figures in (anchor, test)
    )
    try:
        return round(bd_rate(before, after), 2)
    except NoOverlap:
        return None


def _percent(test: float, anchor: float) -> float:
    return 100 * (test / anchor - 1)


def print_rates(frames: dict[str, Any]) -> None:
    """For the documents: errors of the eye's tuning beside the other version's, then all else."""
    print("| raw | bpp | other: dB, 3 px, 8 px | visual: dB, 3 px, 8 px | change |")
    print("|---|---|---|---|---|")
    changes: dict[str, list[list[float]]] = {rate: [] for rate in _SHOWN}
    for name, found in frames.items():
        for rate in _SHOWN:
            other, own = found["other"][rate], found["visual"][rate]
            cells = [
                f"{figures['psnr']:.2f}, {figures['3 px'][0]:.2f}, {figures['8 px'][0]:.2f}"
                for figures in (other, own)
            ]
            change = [
                own["psnr"] - other["psnr"],
                *(_percent(own[blur][0], other[blur][0]) for blur in ("3 px", "8 px")),
            ]
            changes[rate].append(change)
            told = f"{change[0]:+.2f} dB, {change[1]:+.0f} %, {change[2]:+.0f} %"
            print(f"| {name} | {rate} | {' | '.join(cells)} | {told} |")
    for rate, rows in changes.items():
        decibels, three, eight = np.mean(rows, axis=0)
        print(f"| mean | {rate} | | | {decibels:+.2f} dB, {three:+.0f} %, {eight:+.0f} % |")
    print("\n| raw | BD-rate of psnr | quality 60: bytes | dB | 3 px, 95 % | cut: bytes | 3 px |")
    print("|---|---|---|---|---|---|---|")
    for name, found in frames.items():
        other, own = (found[version]["quality 60"] for version in ("other", "visual"))
        before, after = (found[version]["cut"] for version in ("other", "visual"))
        print(
            f"| {name} | {found['bd_rate']} % | {_percent(own['bytes'], other['bytes']):+.0f} % "
            f"| {own['psnr'] - other['psnr']:+.2f} | {own['3 px'][1]:.2f} (was "
            f"{other['3 px'][1]:.2f}) | {_percent(after['bytes'], before['bytes']):+.0f} % | "
            f"{_percent(after['3 px'][0], before['3 px'][0]):+.0f} % |"
        )


def print_peers(frames: dict[str, Any]) -> None:
    """For the documents: mean errors after the blurs, ours and the peers' at equal bytes."""
    print("| raw | bpp | ours: 3 px, 8 px | " + " | ".join(VISUAL_PEERS) + " |")
    print("|---|---|---|" + "---|" * len(VISUAL_PEERS))
    for name, found in frames.items():
        for rate in _SHOWN if "peers" in found else ():
            every = [found["visual"], *(found["peers"][peer] for peer in VISUAL_PEERS)]
            cells = [
                "-"
                if figures[rate] is None
                else f"{figures[rate]['3 px'][0]:.2f}, {figures[rate]['8 px'][0]:.2f}"
                for figures in every
            ]
            print(f"| {name} | {rate} | {' | '.join(cells)} |")


def print_clipped(frames: dict[str, Any]) -> None:
    """For the documents: where errors at quality 60 are seen."""
    print("| raw | noise clips in | of the worst errors | 95 % there | elsewhere | all | grain |")
    print("|---|---|---|---|---|---|---|")
    for name, found in frames.items():
        if "clipped" in found:
            part, worst, there, elsewhere, *both = found["clipped"].values()
            figures = f"{100 * worst:.0f} % | {there:.2f} | {elsewhere:.2f}"
            blurred = (", ".join(f"{figure[1]:.2f}" for figure in one.values()) for one in both)
            cells = [f"{100 * part:.0f} % of the picture", figures, *blurred]
            print(f"| {name} | {' | '.join(cells)} |")


def print_cuts(frames: dict[str, Any]) -> None:
    """For the documents: by how much cut payloads are better than the other version's."""
    print("| raw | bpp: errors after 3 px and PSNR, beside the other version at these bytes |")
    print("|---|---|")
    for name, found in frames.items():
        cells = []
        for own, exact in zip(*(found.get("cuts", {}).get(t, []) for t in _TUNES), strict=True):
            errors = _at(found["cuts"]["other"], own["bytes"], lambda f: float(f["3 px"][0]))
            decibels = _at(found["cuts"]["other"], exact["bytes"], lambda f: float(f["psnr"]))
            change = _percent(own["3 px"][0], errors)
            cells.append(f"{own['bpp']:.2f}: {change:+.0f} %, {exact['psnr'] - decibels:+.2f} dB")
        if cells:
            print(f"| {name} | {'; '.join(cells)} |")


def _at(
    figures: Sequence[dict[str, Any]], size: int, read: Callable[[dict[str, Any]], float]
) -> float:
    """A figure at a size, between those at the sizes nearest to it."""
    known = sorted(figures, key=lambda figure: int(figure["bytes"]))
    sizes = [np.log(figure["bytes"]) for figure in known]
    return float(np.interp(np.log(size), sizes, [read(figure) for figure in known]))


def _add(what: str, found: dict[str, Any], raw: Path, jpeg: Path, options: Namespace) -> None:
    """Measure something of a raw, and put it to its figures."""
    ours: dict[str, Version] = {tune: OwnVersion(tune) for tune in _TUNES}
    if what == "peers":
        found["peers"] = measured_peers(raw, jpeg, found["visual"])
        return
    if what == "clipped":
        found["clipped"] = measured_clipped(raw, jpeg)
        return
    other = OtherVersion(options.against)
    if what == "cuts":
        found["cuts"] = {
            name: measured_cuts(version, raw, jpeg, options.scratch)
            for name, version in {"other": other, **ours}.items()
        }
        return
    kept_path = options.scratch / "other.json"
    kept = json.loads(kept_path.read_text("utf-8")) if kept_path.exists() else {}
    key = f"{digest(raw)} {digest(jpeg)}"
    if key not in kept:
        kept[key] = measured(other, raw, jpeg, options.scratch)
        write_json(kept_path, kept)
    found["other"] = kept[key]
    for name, version in ours.items():
        found[name] = measured(version, raw, jpeg, options.scratch, options.rates)
    found["bd_rate"] = _bd(found["other"], found["psnr"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the raws of folders."""
    parser = argparse.ArgumentParser(description="Measure what is seen of errors.")
    parser.add_argument("folders", type=Path, nargs="+", help="of raws, with a manifest.csv")
    parser.add_argument("--what", choices=list(_PRINTED), default="rates")
    parser.add_argument("--split", default="test")
    parser.add_argument("--only", nargs="*", help="names of raws")
    parser.add_argument(
        "--rates", nargs="+", choices=_RATES, default=_RATES, help="of this version's payloads"
    )
    parser.add_argument("--against", help="interpreter of the other version")
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.what in {"rates", "cuts"} and options.against is None:
        parser.error("--against is missing")
    options.scratch.mkdir(parents=True, exist_ok=True)
    frames: dict[str, Any] = {}
    if options.json.exists():
        frames = json.loads(options.json.read_text("utf-8"))["frames"]
    for folder in options.folders:
        for raw, jpeg in pairs_of(folder, options.split, options.scratch):
            if options.only and raw.stem not in options.only:
                continue
            _add(options.what, frames.setdefault(raw.stem, {}), raw, jpeg, options)
            write_json(options.json, {"rates": _RATES, "frames": frames})
            print(f"{raw.stem} done", file=sys.stderr, flush=True)
    _PRINTED[options.what](frames)


_PRINTED = {
    "rates": print_rates,
    "peers": print_peers,
    "cuts": print_cuts,
    "clipped": print_clipped,
}

if __name__ == "__main__":
    main()
