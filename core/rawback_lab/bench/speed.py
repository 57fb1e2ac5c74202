"""Time and memory of the main job on 24 megapixels: ``python -m rawback_lab.bench.speed RAW...``.

Each raw's mosaic is repeated to 6000 x 4000 samples, and so is LibRaw's rendering of it. Encode and
restore run as the command line does, each in a process of its own, which reports its own figures.
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
from pathlib import Path
from typing import Any

import numpy as np

from rawback import jpegio, rawio
from rawback_lab.bench.carriers import carrier_file
from rawback_lab.bench.peers import write_json
from rawback_lab.orient import to_sensor
from rawback_lab.render import encode_jpeg

_HEIGHT, _WIDTH = 4000, 6000
_RATES = (("--bpp", "0.02"), ("--bpp", "0.1"), ("--bpp", "0.5"), ("--lossless",))


def tiled(
    raw_file: Path, scratch: Path, wanted: tuple[int, int] = (_HEIGHT, _WIDTH)
) -> tuple[bytes, bytes]:
    """A DNG of some height and width, 24 megapixels by default, and its JPEG."""
    frame = rawio.read_raw(raw_file)
    pixels = to_sensor(
        jpegio.decode_jpeg(carrier_file(raw_file, scratch).read_bytes()).pixels, frame.orientation
    )
    height, width = (side & ~1 for side in frame.cfa.shape)
    times = (-(-wanted[0] // height), -(-wanted[1] // width))
    cfa = np.tile(frame.cfa[:height, :width], times)[: wanted[0], : wanted[1]]
    picture = np.tile(pixels[:height, :width], (*times, 1))[: wanted[0], : wanted[1]]
    large = replace(frame, cfa=np.ascontiguousarray(cfa), orientation=1)
    return rawio.write_dng(large), encode_jpeg(np.ascontiguousarray(picture), 92, "4:2:0")


def called(*arguments: str | Path) -> dict[str, Any]:
    """What a command reports, and its wall-clock seconds, start of the process included."""
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this very interpreter, no shell
        [sys.executable, "-m", "rawback", *map(str, arguments), "--json"],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report | {"wall_seconds": round(time.perf_counter() - started, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the main job on 24 megapixels.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    results: dict[str, Any] = {"pixels": _HEIGHT * _WIDTH, "cores": os.cpu_count(), "raws": {}}
    for raw in options.raws:
        results["raws"][raw.stem] = timed(raw, options.scratch)
        write_json(options.json, results)


def timed(raw_file: Path, scratch: Path) -> list[dict[str, Any]]:
    """Figures of one raw at each rate."""
    keys = ("payload_bytes", "bpp", "psnr_db", "seconds", "wall_seconds", "peak_memory_bytes")
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        raw, jpeg = Path(folder, "large.dng"), Path(folder, "large.jpg")
        for path, data in zip((raw, jpeg), tiled(raw_file, scratch), strict=True):
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
