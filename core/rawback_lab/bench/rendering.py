"""Whether restored raws render as the originals: ``python -m rawback_lab.bench rendering RAW ...``.

A raw goes with the JPEG of its name beside it; one without gets the rendering of LibRaw. Each is
embedded losslessly and restored. Then LibRaw and darktable render the original and the restored
DNG, Adobe's SDK reads both, and exiftool lists the tags by which an editor renders either. Where a
reader does not take the original, there is a dash instead of a figure. Darktable dithers samples of
8 bits; of such an original the same samples widened to 16 bits are rendered too, which it takes as
they are. Where renderings differ, the original is rendered once more, as some programs do not
render a file alike twice. ``--photo`` adds a scene as each kind of sensor sees it. With ``--json``
the figures of each raw are kept.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import rawpy

import rawback
from rawback import rawio
from rawback.rate import Rate
from rawback.rawio.tag_kinds import TAG_KINDS, TagKind
from rawback_lab.bench.floats import in_numbers
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.sensors import simulated
from rawback_lab.darktable import render_darktable
from rawback_lab.wide_samples import widened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["compared", "decibels", "rendering_tags", "simulated_raws"]

_Renderer: TypeAlias = "Callable[[bytes], NDArray[Any] | None]"

_JPEG_SUFFIXES = (".jpg", ".JPG", ".jpeg")

# The names that exiftool has for tags of the DNG specification, where they differ from its own.
_EXIFTOOL = {
    "PhotographicSensitivity": "ISO",
    "ExposureBiasValue": "ExposureCompensation",
    "FocalLengthIn35mmFilm": "FocalLengthIn35mmFormat",
    "CameraCalibrationSignature": "CameraCalibrationSig",
    "ProfileCalibrationSignature": "ProfileCalibrationSig",
    "OriginalBestQualityFinalSize": "OriginalBestQualitySize",
}
# Of raws that are not DNG these say what the file is, not how it renders.
_MADE_FOR_DNG = {"DNGVersion", "DNGBackwardVersion"}


def compared(raw: Path, jpeg: Path | None) -> dict[str, Any]:
    """Embed a raw losslessly, restore it, and compare what readers make of both."""
    original = raw.read_bytes()
    carrier = rawback.carrier_for(original) if jpeg is None else jpeg.read_bytes()
    carried, embedded = rawback.embed_bytes(original, carrier, rate=Rate.lossless(), unguided=True)
    restored, result = rawback.restore_bytes(carried)
    told = sum(s.bytes for s in embedded.sections if (s.kind, s.layer) == ("metadata", 0))
    with tempfile.TemporaryDirectory() as name:
        again = Path(name) / "again.dng"
        again.write_bytes(restored)
        differing = _differing(rendering_tags(raw), rendering_tags(again), dng=_is_dng(raw))
        wide = widened(original) if _is_dng(raw) else None
        return {
            "exact": result.exact,
            "rendering_metadata_bytes": told,
            "all_metadata_bytes": embedded.metadata.bytes,
            "libraw": _rendered(_libraw, original, restored),
            "darktable": _rendered(partial(_darktable, suffix=raw.suffix), original, restored),
            "darktable_widened": wide and _rendered(_darktable, wide, restored),
            "adobe_reads": _read_alike(_adobe(raw), _adobe(again)),
            "tags": len(rendering_tags(again)),
            "differing_tags": differing,
        }


def _rendered(render: _Renderer, original: bytes, restored: bytes) -> dict[str, Any]:
    """How a restored raw renders beside the original, and the original rendered once more."""
    first = render(original)
    found = decibels(first, render(restored))
    again = decibels(first, render(original)) if isinstance(found, float) else None
    return {"db": found, "original_again_db": again}


def decibels(before: NDArray[Any] | None, after: NDArray[Any] | None) -> float | str | None:
    """PSNR of two renderings; ``"same"``, both sizes where these differ, None without either."""
    if before is None or after is None:
        return None if before is None else "refused"
    if before.shape != after.shape:
        return f"{before.shape[1]}x{before.shape[0]} to {after.shape[1]}x{after.shape[0]}"
    peak = float(np.iinfo(before.dtype).max)
    error = np.square(before.astype(np.float64) - after).mean()
    return "same" if error == 0 else round(10 * float(np.log10(peak**2 / error)), 1)


def rendering_tags(file: Path) -> dict[str, str]:
    """What exiftool reads of the tags that an editor renders by, by name."""
    program = shutil.which("exiftool")
    if program is None:
        return {}
    # Binary values in full, as base 64.
    run = [program, "-json", "-b", "-n", "-struct", "-api", "largefilesupport=1", str(file)]
    said = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)[0]  # noqa: S603
    names = {name for name, kind in TAG_KINDS.values() if kind is TagKind.RENDERING}
    wanted = {_EXIFTOOL.get(name, name) for name in names}
    return {name: str(value) for name, value in said.items() if name in wanted}


def _differing(before: dict[str, str], after: dict[str, str], *, dng: bool) -> list[str]:
    """Names of tags that differ; of a raw that is not DNG, of those that it has itself."""
    names = before.keys() | after.keys() if dng else before.keys() - _MADE_FOR_DNG
    return sorted(name for name in names if before.get(name) != after.get(name))


def _is_dng(raw: Path) -> bool:
    return raw.suffix.lower() == ".dng"


def _libraw(data: bytes) -> NDArray[np.uint16] | None:
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            return np.asarray(
                raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16)
            )
    except rawpy.LibRawError:
        return None


def _darktable(raw: bytes, suffix: str = ".dng") -> NDArray[np.uint8] | None:
    """Darktable's default rendering at full size; None where it makes none."""
    jpeg = render_darktable(raw, 100, suffix=suffix)
    if jpeg is None:
        return None
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))


def _adobe(raw: Path) -> dict[str, Any] | None:
    """What Adobe's SDK reads of a DNG; None where it is not installed or refuses the file."""
    try:
        import dngpy
    except ImportError:
        return None
    try:
        dng = dngpy.Dng(str(raw))
        gains: object = dng.get_gainmap()
        said: dict[str, Any] = {
            "samples": np.asarray(dng.raw_pixels).tobytes(),
            "white balance": dng.get_white_balance(),
            "baseline exposure": dng.get_baseline_exposure(),
            "pattern": dng.get_bayer_pattern(),
            "gain map": None if gains is None else _fields(gains),
        }
        parts = (dng.metadata, dng.image_info, dng.color_info)
        return said | {
            f"{k}.{name}": v for k, p in enumerate(parts) for name, v in _fields(p).items()
        }
    except (AttributeError, RuntimeError, ValueError, OSError):
        return None


def _fields(thing: object) -> dict[str, str]:
    names = (name for name in dir(thing) if not name.startswith("_"))
    values = ((name, getattr(thing, name)) for name in names)
    return {name: repr(value) for name, value in values if not callable(value)}


def _read_alike(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str | None:
    """Whether a reader reads the same, and what it does not."""
    if before is None or after is None:
        return None if before is None else "refused"
    return ", ".join(name for name in before if before[name] != after.get(name)) or "same"


def simulated_raws(photo: Path, folder: Path) -> list[Path]:
    """A scene as each kind of sensor sees it, with its JPEG: raw files in a folder."""
    raws = []
    for case in simulated(photo):
        kind, frame, jpeg = case.name, case.frame, case.jpeg
        frames = {kind: frame}
        if frame.mosaic.samples == 3:
            numbers = frame.cfa / np.float32(3 * frame.white)
            frames[f"{kind} of 32-bit floats"] = in_numbers(frame, numbers.astype(np.float32))
        for name, written in frames.items():
            raws.append(folder / f"simulated {name}.dng")
            raws[-1].write_bytes(rawio.write_dng(written))
            raws[-1].with_suffix(".jpg").write_bytes(jpeg)
    return raws


def _cell(found: dict[str, Any]) -> str:
    again = found["original_again_db"]
    note = f" (original twice: {_decibels(again)})" if isinstance(again, float) else ""
    return _decibels(found["db"]) + note


def _decibels(value: float | str | None) -> str:
    return "-" if value is None else f"{value} dB" if isinstance(value, float) else value


def table(results: dict[str, Any]) -> list[str]:
    """The table of the documentation."""
    lines = [
        "| raw | LibRaw | darktable | Adobe's SDK reads | tags | that differ | metadata |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        cells = [_cell(row["libraw"]), _cell(row["darktable"]), row["adobe_reads"] or "-"]
        if wide := row["darktable_widened"]:
            cells[1] += f", widened: {_cell(wide)}"
        differing = ", ".join(row["differing_tags"]) or "none"
        told = f"{row['rendering_metadata_bytes']:,} / {row['all_metadata_bytes']:,} bytes"
        lines.append(f"| {name} | {' | '.join(cells)} | {row['tags']} | {differing} | {told} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare renderings of originals and restored.")
    parser.add_argument("raws", type=Path, nargs="*", help="raw files, or folders of them")
    parser.add_argument("--photo", type=Path, help="a JPEG XL photograph for every kind of sensor")
    parser.add_argument("--json", type=Path, help="where the figures go; what is there is kept")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    if options.json and options.json.exists():
        results = json.loads(options.json.read_text("utf-8"))
    suffixes = {suffix.lower() for suffix in rawback.RAW_SUFFIXES}
    files = [
        file
        for path in options.raws
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.suffix.lower() in suffixes
    ]
    with tempfile.TemporaryDirectory() as name:
        if options.photo:
            files += simulated_raws(options.photo, Path(name))
        _measure(files, results, options.json)
    print("\n".join(table(results)))


def _measure(files: Sequence[Path], results: dict[str, Any], kept: Path | None) -> None:
    for file in files:
        jpeg = next((p for s in _JPEG_SUFFIXES if (p := file.with_suffix(s)).exists()), None)
        try:
            results[file.name] = compared(file, jpeg)
        except rawback.RawbackError as error:
            print(f"{file.name}: {error}", flush=True)
            continue
        if kept:
            write_json(kept, results)
        print(table({file.name: results[file.name]})[-1], flush=True)


if __name__ == "__main__":
    main()
