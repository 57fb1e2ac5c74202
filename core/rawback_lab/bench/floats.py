"""Floating point samples without loss: ``python -m rawback_lab.bench.floats RAW...``.

A part of each raw becomes floating point numbers as software makes them: whole numbers times a
constant; the mean of four exposures; divided by a flat field; of half precision; linear RGB behind
a colour matrix; and a merge of three exposures of the scene with its contrast doubled. What rawback
takes beside the JPEG is held against lossless JPEG XL of the numbers (of planes, or of the samples
as they lie) and against a DNG that keeps them deflated, with its predictor.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from rawback import decoder, encoder, rawio
from rawback.bitstream import SectionKind, unpack
from rawback.jpegio import decode_jpeg
from rawback.mosaic import Mosaic
from rawback.rate import Rate
from rawback.rawio.float_codes import coded_floats
from rawback.rawio.noise import estimate_noise
from rawback_lab.bench.sensors import demosaiced, rendered
from rawback_lab.plane_codecs import jpegxl_lossless
from rawback_lab.render import encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.types import RawFrame

_SIDE = 768
_COLOURS = np.array([[1.6, -0.5, -0.1], [-0.3, 1.5, -0.2], [0.0, -0.6, 1.6]])
_EXPOSURES = (1, 8, 64)
_BITS = 14


def part_of(raw_file: Path) -> RawFrame:
    """A part of a raw from the middle."""
    frame = rawio.read_raw(raw_file)
    top, left = (max(0, length - _SIDE) // 4 * 2 for length in frame.cfa.shape[:2])
    cfa = np.ascontiguousarray(frame.cfa[top : top + _SIDE, left : left + _SIDE])
    return replace(frame.excerpt(cfa), orientation=1)


def light_of(frame: RawFrame, samples: NDArray[Any]) -> NDArray[np.float64]:
    """Samples less black, 1 at saturation."""
    levels = np.array(frame.black)
    if frame.mosaic.pattern:
        y, x = np.indices(samples.shape)
        rows, columns = frame.mosaic.period
        levels = levels[np.array(frame.mosaic.pattern)[y % rows, x % columns]]
    return np.asarray((samples - levels) / (frame.white - levels), np.float64)


def numbers_of(frame: RawFrame) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What software makes of a frame of one exposure."""
    random = np.random.default_rng(1)
    light = light_of(frame, frame.cfa)
    yield "whole numbers", light.astype(np.float32)
    spread = np.sqrt(frame.noise.scale * light.clip(0) + frame.noise.offset)
    spread *= frame.white - min(frame.black)
    stack = [np.rint(random.normal(frame.cfa, spread)).clip(0) for _ in range(4)]
    yield "mean of four", light_of(frame, np.mean(stack, axis=0)).astype(np.float32)
    y, x = np.indices(light.shape) / max(light.shape) - 0.5
    yield "flat field", (light * (1 + x * x + y * y)).astype(np.float32)
    yield "half precision", light.astype(np.float16).astype(np.float32)


def merged(linear: RawFrame) -> tuple[NDArray[np.float32], bytes]:
    """A merge of three exposures of a mosaic of the scene with twice its contrast, and its JPEG."""
    random = np.random.default_rng(2)
    # Smooth, so that its noise is that of the exposures alone.
    smooth = cv2.GaussianBlur(linear.cfa / np.float32(linear.white), (0, 0), 2)
    scene = np.asarray(smooth, np.float32) ** 2
    mosaic = Mosaic.parse("RGGB")
    height, width = linear.height, linear.width
    light = np.empty((height, width))
    for channel, colour in enumerate("RGB"):
        at = mosaic.mask(colour, height, width)
        light[at] = scene[at][:, channel]
    top = (1 << _BITS) - 1
    found = np.zeros_like(light)
    for exposure in _EXPOSURES:
        signal = light * exposure
        shot = random.normal(signal, np.sqrt(1e-4 * signal + 1e-8))
        whole = np.rint(shot * top).clip(0, top)
        # The longest that is not near saturation, blended into the next.
        weight = np.clip((0.9 - whole / top) / 0.1, 0, 1) if exposure > 1 else np.ones_like(whole)
        found = found * (1 - weight) + weight * whole / (top * exposure)
    picture = np.rint(255 * scene ** (1 / 4.4)).astype(np.uint8)
    return found.astype(np.float32), encode_jpeg(np.ascontiguousarray(picture), 92, "4:2:0")


def cases(raw_file: Path) -> Iterator[tuple[str, RawFrame, bytes]]:
    """Name, frame of floating point numbers, and JPEG."""
    frame = part_of(raw_file)
    jpeg = rendered(frame)
    for name, numbers in numbers_of(frame):
        yield name, in_numbers(frame, numbers), jpeg
    linear = demosaiced(raw_file, _SIDE)
    mixed = linear.cfa / np.float32(linear.white) @ _COLOURS.T
    yield "linear RGB", in_numbers(linear, mixed.astype(np.float32)), rendered(linear)
    numbers, jpeg = merged(linear)
    mosaic = replace(linear, cfa=linear.cfa[..., 0].copy(), pattern="RGGB", black=(0.0,) * 4)
    yield "merge", in_numbers(mosaic, numbers), jpeg


def in_numbers(frame: RawFrame, numbers: NDArray[np.float32]) -> RawFrame:
    """A frame of these numbers, black at 0 and white at 1, as one is read from a file."""
    codes, floats = coded_floats(numbers, frame.mosaic, 1.0)
    table = floats.scale.codes
    black, white = (table.level(0.0),) * len(frame.black), round(table.level(1.0))
    noise = estimate_noise(codes, frame.pattern, black, white)
    return replace(frame, cfa=codes, black=black, white=white, noise=noise, floats=floats)


def figures(frame: RawFrame, jpeg: bytes) -> dict[str, Any]:
    """Bytes without loss."""
    session = encoder.prepare(frame, decode_jpeg(jpeg), tune="psnr", unguided=True)
    payload = session.encode(Rate.lossless()).payload
    sections = unpack(payload).sections
    again = decoder.decode(unpack(payload), decode_jpeg(jpeg))
    numbers = frame.whole_numbers
    same = np.array_equal(again.whole_numbers.view(np.uint32), numbers.view(np.uint32))
    planes = [numbers]
    if frame.mosaic.is_bayer:
        planes = [np.ascontiguousarray(numbers[y::2, x::2]) for y in (0, 1) for x in (0, 1)]
    whole = len(jpegxl_lossless(numbers))
    jpegxl = min(whole, sum(len(jpegxl_lossless(plane)) for plane in planes))
    return {
        "samples": frame.cfa.size,
        "codes": "linear" if frame.floats and frame.floats.scale.is_linear else "ratio",
        "bytes": len(payload),
        "remainders": sum(len(s.data) for s in sections if s.kind == SectionKind.REMAINDER),
        "jpegxl": jpegxl,
        "deflate": len(rawio.write_dng(frame, compression="ljpeg")),
        "exact": bool(same),
    }


def table(results: dict[str, Any]) -> Table:
    """Bits of a sample, and what they are of the peers'."""
    columns = "bits", "of them remainders", "/ JPEG XL", "/ deflated DNG", "exact"
    grid = Table("numbers", "codes", *columns)
    for name, found in results.items():
        bits = [8 * found[key] / found["samples"] for key in ("bytes", "remainders")]
        ratios = [found["bytes"] / found[peer] for peer in ("jpegxl", "deflate")]
        cells = [*(f"{value:.2f}" for value in bits), *(f"{value:.3f}" for value in ratios)]
        grid.add_row(name, found["codes"], *cells, str(found["exact"]))
    return grid


def main() -> None:
    """Measure some raws."""
    parser = argparse.ArgumentParser(description="Floating point samples without loss.")
    parser.add_argument("raws", nargs="+", type=Path, help="raws of a Bayer sensor")
    parser.add_argument("--json", type=Path, help="where figures go")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for raw_file in options.raws:
        for name, frame, jpeg in cases(raw_file):
            results[f"{raw_file.stem}, {name}"] = figures(frame, jpeg)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    Console(width=160).print(table(results))


if __name__ == "__main__":
    main()
