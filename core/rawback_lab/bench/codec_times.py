"""Time and bytes beside other codecs: ``python -m rawback_lab.bench codec_times RAW --json FILE``.

The raw is repeated to 24 megapixels as in :mod:`.speed`. The commands of rawback run as processes,
their start included; JPEG XL and JPEG 2000 are called in this process on the mosaic's four planes,
lossless JPEG on the whole; darktable exports the same raw. Medians of some runs, taken in turns.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

from rawback import rawio
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.speed import called, tiled
from rawback_lab.darktable import render_darktable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Encoding = Callable[[NDArray[np.uint16]], bytes]
    Decoding = Callable[[bytes], NDArray[np.generic]]

_THREADS = os.cpu_count() or 1
_RATES = (("-q", "60"), ("--bpp", "0.1"), ("--lossless",))


def _jpegxl(plane: NDArray[np.uint16], effort: int) -> bytes:
    stream = imagecodecs.jpegxl_encode(plane, lossless=True, effort=effort, numthreads=_THREADS)
    return bytes(stream)


def _jpeg2000(plane: NDArray[np.uint16]) -> bytes:
    stream = imagecodecs.jpeg2k_encode(
        plane, reversible=True, level=0, codecformat="j2k", numthreads=_THREADS
    )
    return bytes(stream)


_CODECS: dict[str, tuple[Encoding, Decoding]] = {
    "JPEG XL lossless, effort 3": (partial(_jpegxl, effort=3), imagecodecs.jpegxl_decode),
    "JPEG XL lossless, effort 7": (partial(_jpegxl, effort=7), imagecodecs.jpegxl_decode),
    "JPEG 2000 lossless": (
        _jpeg2000,
        partial(imagecodecs.jpeg2k_decode, numthreads=_THREADS),
    ),
}
"""How each lossless codec encodes and decodes a plane."""


def _taken(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _planes(name: str, cfa: NDArray[np.uint16]) -> tuple[float, float, int]:
    """Seconds to encode and to decode, and bytes, of a codec on a Bayer mosaic's four planes."""
    encode, decode = _CODECS[name]
    planes = [np.ascontiguousarray(cfa[y::2, x::2]) for y, x in np.ndindex(2, 2)]
    forth, streams = _taken(lambda: [encode(plane) for plane in planes])
    back, again = _taken(lambda: [decode(stream) for stream in streams])
    if any(not np.array_equal(a, b) for a, b in zip(planes, again, strict=True)):
        message = f"{name} is not lossless."
        raise SystemExit(message)
    return forth, back, sum(map(len, streams))


def _rawback(raw: Path, jpeg: Path, rate: tuple[str, ...]) -> tuple[float, float, int]:
    """Seconds to embed and to restore, and bytes of the payload."""
    carrier, restored = raw.with_name("carrier.jpg"), raw.with_name("restored.dng")
    there = called("embed", raw, jpeg, "-o", carrier, "--overwrite", *rate)
    back = called("restore", carrier, "-o", restored, "--overwrite")
    return there["wall_seconds"], back["wall_seconds"], there["payload_bytes"]


def measured(raw_file: Path, scratch: Path, count: int) -> dict[str, Any]:
    """Medians of seconds each way, None where there is no way, and bytes, by name."""
    runs: dict[str, list[tuple[float, float | None, int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        raw, jpeg = Path(folder, "large.dng"), Path(folder, "large.jpg")
        for path, data in zip((raw, jpeg), tiled(raw_file, scratch), strict=True):
            path.write_bytes(data)
        frame = rawio.read_raw(raw)
        for _ in range(count):
            for rate in _RATES:
                found = _rawback(raw, jpeg, rate)
                runs.setdefault(f"rawback {' '.join(rate)}", []).append(found)
            for name in _CODECS:
                runs.setdefault(name, []).append(_planes(name, frame.cfa))
            seconds, dng = _taken(lambda: rawio.write_dng(frame, compression="ljpeg"))
            back, _ = _taken(partial(rawio.read_raw, dng))
            runs.setdefault("lossless JPEG, as DNG", []).append((seconds, back, len(dng)))
            seconds, exported = _taken(lambda: render_darktable(raw.read_bytes(), 92))
            if exported is not None:
                runs.setdefault("darktable's export", []).append((seconds, None, len(exported)))
            print(f"{len(runs)} ways", flush=True)
    return {
        name: {
            "encode_seconds": round(median(run[0] for run in found), 2),
            "decode_seconds": None
            if found[0][1] is None
            else round(median(run[1] or 0.0 for run in found), 2),
            "bytes": found[0][2],
        }
        for name, found in runs.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Time other codecs beside rawback.")
    parser.add_argument("raw", type=Path, help="a Bayer raw")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    found = measured(options.raw, options.scratch, options.runs)
    write_json(options.json, {"raw": options.raw.stem, "cores": _THREADS, "ways": found})
    print("| | encode | decode | bytes |\n|---|---|---|---|")
    for name, figures in found.items():
        back = figures["decode_seconds"]
        shown = "-" if back is None else f"{back:.1f} s"
        size = f"{figures['bytes'] / 1e6:.2f} MB"
        print(f"| {name} | {figures['encode_seconds']:.1f} s | {shown} | {size} |")


if __name__ == "__main__":
    main()
