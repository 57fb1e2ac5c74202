"""Time and memory of the main job on 24 megapixels: ``python -m rawback_lab.bench.speed RAW...``.

Each raw's mosaic is repeated to 6000 x 4000 samples, and so is LibRaw's rendering of it. Encode and
restore run as the command line does, each in a process of its own, which reports its own figures.
``--linear`` names mosaics that are timed as the linear RGB of 16 bits, with its noise, that LibRaw
makes of them.

``--against PYTHON`` runs another version as well, that of the environment of that interpreter, turn
by turn with this one ``--runs`` times, and reports medians of each and how many times as long the
other takes, by the clock and in seconds of the processor. ``--unverified`` lets this version not
verify what it embeds, as versions before 2.0 did not; ``--rates`` names the rates.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import cache
from math import lcm
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from rawback import jpegio, rawio
from rawback_lab.bench.carriers import carrier_file
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.sensors import demosaiced
from rawback_lab.orient import to_sensor
from rawback_lab.render import encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEIGHT, _WIDTH = 4000, 6000
_RATES = (("--bpp", "0.02"), ("--bpp", "0.1"), ("--bpp", "0.5"), ("--lossless",))


def tiled(
    raw_file: Path,
    scratch: Path,
    wanted: tuple[int, int] = (_HEIGHT, _WIDTH),
    *,
    linear: bool = False,
) -> tuple[bytes, bytes]:
    """A DNG of some height and width, 24 megapixels by default, and its JPEG.

    Args:
        raw_file: What is repeated.
        scratch: Where renderings are kept.
        wanted: Height and width.
        linear: Whether the DNG is of linear RGB that the raw is demosaiced to.
    """
    frame = rawio.read_raw(raw_file)
    pixels = to_sensor(
        jpegio.decode_jpeg(carrier_file(raw_file, scratch).read_bytes()).pixels, frame.orientation
    )
    if linear:
        frame = demosaiced(raw_file, max(frame.height, frame.width))
    # Whole periods of the mosaic, and whole blocks of the JPEG's chroma.
    height, width = (
        side - side % lcm(2, period)
        for side, period in zip((frame.height, frame.width), frame.mosaic.period, strict=True)
    )
    times = (-(-wanted[0] // height), -(-wanted[1] // width))
    samples = frame.cfa[:height, :width]
    cfa = np.tile(samples, times if samples.ndim == 2 else (*times, 1))[: wanted[0], : wanted[1]]
    picture = np.tile(pixels[:height, :width], (*times, 1))[: wanted[0], : wanted[1]]
    large = replace(frame.excerpt(np.ascontiguousarray(cfa)), orientation=1)
    return rawio.write_dng(large), encode_jpeg(np.ascontiguousarray(picture), 92, "4:2:0")


def called(*arguments: str | Path, python: str = sys.executable) -> dict[str, Any]:
    """What a command reports, and its seconds of clock and processor, the process's start included.

    With `python`, the command of another environment, which finds its own modules.
    """
    environment = _compiled(python)
    before, started = _processor_seconds(), time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this very interpreter, no shell
        [python, "-m", "rawback", *map(str, arguments), "--json"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report | {
        "wall_seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(_processor_seconds() - before, 2),
    }


@cache
def _compiled(python: str) -> dict[str, str]:
    """The environment of commands of an interpreter, whose modules are compiled as pip leaves them.

    Otherwise each process would compile those of a checkout anew, if it may not keep what it makes.
    """
    left_out = {"PYTHONDONTWRITEBYTECODE"} | ({"PYTHONPATH"} if python != sys.executable else set())
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    program = "import compileall, rawback; compileall.compile_dir(rawback.__path__[0], quiet=2)"
    subprocess.run([python, "-c", program], env=environment, check=True)  # noqa: S603
    return environment


def _processor_seconds() -> float:
    """User and system time of all processes that were started here and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def compared(
    raw_file: Path, scratch: Path, other: str, count: int, rates: Sequence[str], flags: list[str]
) -> list[dict[str, Any]]:
    """Medians of this version and of another at each rate, and their ratios.

    This version embeds with `flags` besides.
    """
    runs: list[dict[str, Any]] = []
    none: list[str] = []
    sides = (("other", other, none), ("this", sys.executable, flags))
    with tempfile.TemporaryDirectory() as folder:
        raw, jpeg = Path(folder, "large.dng"), Path(folder, "large.jpg")
        for path, data in zip((raw, jpeg), tiled(raw_file, scratch), strict=True):
            path.write_bytes(data)
        for rate in map(str.split, rates):
            figures: dict[str, list[float]] = {}
            for _ in range(count):
                for name, python, more in sides:
                    carrier, restored = Path(folder, f"{name}.jpg"), Path(folder, f"{name}.dng")
                    embed: list[str | Path] = [raw, jpeg, "-o", carrier, "--overwrite"]
                    restore: list[str | Path] = [carrier, "-o", restored, "--overwrite"]
                    for verb, arguments in (
                        ("embed", [*embed, *rate, *more]),
                        ("restore", restore),
                    ):
                        report = called(verb, *arguments, python=python)
                        for kind in ("wall_seconds", "processor_seconds"):
                            figures.setdefault(f"{verb} {kind} {name}", []).append(report[kind])
            medians = {key: round(median(values), 2) for key, values in figures.items()}
            ratios = {
                f"{key.removesuffix(' this')} ratio": round(
                    medians[key.replace(" this", " other")] / value, 2
                )
                for key, value in medians.items()
                if key.endswith(" this")
            }
            runs.append({"rate": " ".join(rate), **medians, **ratios})
            print(raw_file.stem, json.dumps(runs[-1]), flush=True)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the main job on 24 megapixels.")
    parser.add_argument("raws", type=Path, nargs="*", help="raw files")
    parser.add_argument("--linear", type=Path, nargs="*", default=[], help="raws to be demosaiced")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    parser.add_argument("--against", help="the interpreter of another version's environment")
    parser.add_argument("--runs", type=int, default=3, help="of each version")
    parser.add_argument("--unverified", action="store_true", help="this version, beside another")
    rates = ["-q 60", *map(" ".join, _RATES)]
    parser.add_argument("--rates", nargs="+", default=rates, help="beside another version")
    options = parser.parse_args()
    flags = ["--no-verify"] if options.unverified else []
    results: dict[str, Any] = {"pixels": _HEIGHT * _WIDTH, "cores": os.cpu_count(), "raws": {}}
    for raw in options.raws:
        results["raws"][raw.stem] = (
            compared(*(raw, options.scratch, options.against, options.runs, options.rates, flags))
            if options.against
            else timed(raw, options.scratch)
        )
        write_json(options.json, results)
    for raw in options.linear:
        results["raws"][f"{raw.stem}, linear RGB"] = timed(raw, options.scratch, linear=True)
        write_json(options.json, results)


def timed(raw_file: Path, scratch: Path, *, linear: bool = False) -> list[dict[str, Any]]:
    """Figures of one raw at each rate, as it is or demosaiced to linear RGB."""
    keys = (
        *("payload_bytes", "bpp", "psnr_db", "seconds", "wall_seconds", "processor_seconds"),
        "peak_memory_bytes",
    )
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        raw, jpeg = Path(folder, "large.dng"), Path(folder, "large.jpg")
        for path, data in zip((raw, jpeg), tiled(raw_file, scratch, linear=linear), strict=True):
            path.write_bytes(data)
        for rate in _RATES:
            carrier, restored = Path(folder, "carrier.jpg"), Path(folder, "restored.dng")
            embed = called("embed", raw, jpeg, "-o", carrier, "--overwrite", *rate)
            restore = called("restore", carrier, "-o", restored, "--overwrite")
            runs.append(
                {
                    "rate": " ".join(rate),
                    "embed": {key: embed[key] for key in keys},
                    "restore": {key: restore[key] for key in keys if key in restore},
                }
            )
            print(raw_file.stem, json.dumps(runs[-1]), flush=True)
    return runs


if __name__ == "__main__":
    main()
