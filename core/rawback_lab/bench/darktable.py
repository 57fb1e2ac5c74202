"""Carriers as darktable's modules make them: ``python -m rawback_lab.bench.darktable RAW...``.

Each raw is exported by the real darktable once for each edit, embedded at the quality that the
export hook has by default, and restored. What counts is whether the raw was found in the carrier,
the raw PSNR inside the area that the carrier covers, beside the same area of the default export's
result, and the bytes. Where the raw was not found, the figures are those of the raw coded on its
own.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rawback import decoder, jpegio, metrics, rawio
from rawback.bitstream import unpack
from rawback.errors import ShotMismatch
from rawback.geometry import Aligned
from rawback.geometry.registration import MATCH, register
from rawback.rate import Rate
from rawback_lab.bench.carriers import digest
from rawback_lab.darktable import render_darktable
from rawback_lab.darktable_edits import EDITS, xmp
from rawback_lab.scenes import comparable_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.types import RawFrame
    from rawback_lab.darktable_edits import Edit

_RATE = Rate.quality(60)
_JPEG_QUALITY = 92


def carrier(raw_file: Path, frame: RawFrame, name: str, edit: Edit, scratch: Path) -> bytes:
    """Darktable's export of a raw with an edit, kept between runs."""
    stem = "".join(c if c.isalnum() else "-" for c in name)
    kept = scratch / f"{raw_file.stem}-{digest(raw_file)}-darktable-{stem}-q{_JPEG_QUALITY}.jpg"
    if not kept.exists():
        width = round(edit.width * max(frame.cfa.shape))
        jpeg = render_darktable(rawio.write_dng(frame), _JPEG_QUALITY, xmp=xmp(edit), width=width)
        if jpeg is None:
            message = f"darktable exports nothing of {raw_file.name} with {name}"
            raise SystemExit(message)
        scratch.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(jpeg)
    return kept.read_bytes()


def measured(frame: RawFrame, jpeg: bytes) -> tuple[RawFrame, NDArray[np.uint8], dict[str, Any]]:
    """What comes back, where the carrier covers it, and what is known of it."""
    pixels = jpegio.decode_jpeg(jpeg)
    try:
        found = register(frame, pixels.pixels)
    except ShotMismatch:
        how: dict[str, Any] = {"found": False}
    else:
        kind = "whole pixels" if isinstance(found.geometry.transform, Aligned) else "warped"
        how = {
            "found": True,
            "correlation": round(found.correlation, 3),
            "transform": kind,
            "geometry_bytes": len(found.geometry.to_bytes()),
        }
    session = comparable_session(frame, pixels, unguided=True)
    encoded = session.encode(_RATE)
    how["bytes"] = len(encoded.payload)
    restored = decoder.decode(unpack(encoded.payload), pixels)
    return restored, session.guide.mask, how


def figures(
    raw_file: Path, names: list[str], scratch: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """How each edit of one raw comes back, by its name, as they are measured."""
    frame = rawio.read_raw(raw_file)
    default = measured(frame, carrier(raw_file, frame, "default", EDITS["default"], scratch))
    plain = default[0]
    for name in names:
        jpeg = carrier(raw_file, frame, name, EDITS[name], scratch)
        restored, mask, how = default if name == "default" else measured(frame, jpeg)
        area = mask if mask.any() else np.ones_like(mask)
        found = how | {
            "covered": float(mask.mean()),
            "psnr_db": _decibels(metrics.raw_psnr(frame, restored, area)),
            "plain_psnr_db": _decibels(metrics.raw_psnr(frame, plain, area)),
            "whole_psnr_db": _decibels(metrics.raw_psnr(frame, restored)),
        }
        print(raw_file.name, name, found, flush=True)
        yield name, found


def _decibels(psnr: float) -> float | None:
    return round(psnr, 3) if math.isfinite(psnr) else None


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure carriers as darktable makes them.")
    parser.add_argument("raws", type=Path, nargs="+", help="raw files")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--edits", nargs="+", choices=list(EDITS), default=list(EDITS))
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    results: dict[str, Any] = {"rate": "quality 60", "match": MATCH, "frames": {}}
    if options.json.exists():
        # What is not asked for keeps its figures.
        results["frames"] = json.loads(options.json.read_text("utf-8"))["frames"]
    for raw_file in options.raws:
        kept = results["frames"].setdefault(raw_file.stem, {})
        for name, found in figures(raw_file, options.edits, options.scratch):
            kept[name] = found
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
