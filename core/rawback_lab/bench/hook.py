"""What darktable waits for beyond the encode: ``python -m rawback_lab.bench.hook``.

The sample and its JPEG are repeated to 12 megapixels. The helper is called as the script in
darktable calls it, by the shell: first with no service running, then with the service warm, then
without one. What counts is the wall-clock time less the time that the embedding itself reports.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from rawback import jpegio, rawio
from rawback_lab.darktable_window import write_programs
from rawback_lab.render import encode_jpeg

_TIMES = 4
_ASSETS = Path(__file__).parents[3] / "assets"


def large_shot() -> tuple[bytes, bytes]:
    """A DNG of 4096 x 3072 and its JPEG."""
    frame = rawio.read_raw(_ASSETS / "sample.dng")
    pixels = jpegio.decode_jpeg((_ASSETS / "sample.jpg").read_bytes()).pixels
    large = frame.excerpt(np.tile(frame.cfa, (_TIMES, _TIMES)))
    return rawio.write_dng(large), encode_jpeg(np.tile(pixels, (_TIMES, _TIMES, 1)), 92, "4:2:0")


def called(helper: Path, *arguments: str) -> dict[str, float]:
    """Seconds of one call, of the embedding in it, and what is left."""
    line = " ".join(shlex.quote(word) for word in (str(helper), *arguments))
    started = time.perf_counter()
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)  # noqa: S603, S607
    wall = time.perf_counter() - started
    (field,) = (word for word in done.stdout.split("\t") if word.startswith("seconds="))
    inside = float(field.partition("=")[2])
    return {
        name: round(value, 3)
        for name, value in (("wall_s", wall), ("embedding_s", inside), ("beyond_s", wall - inside))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the export hook on 12 megapixels.")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--runs", type=int, default=3, help="with the service warm")
    options = parser.parse_args()
    results: dict[str, Any] = {"cores": os.cpu_count(), "runs": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["RAWBACK_DARKTABLE_RUNTIME"] = f"{name}/service"
        helper = write_programs(folder)
        raw, jpeg = folder / "large.dng", folder / "large.jpg"
        data = large_shot()
        raw.write_bytes(data[0])
        results["bytes"] = [len(part) for part in data]
        plan = [("service starts", ())] + [("service warm", ())] * options.runs
        for kind, extra in [*plan, ("no service", ("--alone",))]:
            jpeg.write_bytes(data[1])
            found = called(helper, *extra, "--", str(raw), str(jpeg))
            results["runs"].append({"kind": kind} | found)
            print(f"{kind:15}" + "  ".join(f"{k} {v:7.3f}" for k, v in found.items()), flush=True)
        subprocess.run([helper, "--stop"], check=True)  # noqa: S603
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
