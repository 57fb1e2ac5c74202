"""How near grain comes to the noise it stands for: ``python -m rawback_lab.bench grain FOLDER...``.

A folder stands for the raws that its ``manifest.csv`` lists, with LibRaw's rendering of each as its
JPEG, or the camera's own JPEG where the manifest names one. Of each, patches are taken that are
flat, as the raw itself tells and no codec: means of blocks, slopes left out, vary hardly more than
those of white noise would. The power spectrum of their samples, in octaves, is compared with that
of the same patches as restored, without grain and with it; 0 dB is the original's.

``--sheet`` writes crops beside each other, lifted by three stops: of each raw a row, original,
restored, and restored with grain, at the smallest rate.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

from rawback import decoder, encoder, jpegio, rawio
from rawback.bitstream import unpack
from rawback.encoder.grain import OCTAVES
from rawback.encoder.grain import octave_powers as octaves_of
from rawback.rate import Rate
from rawback.rendering import balanced_signal, camera_to_srgb, demosaic, exposed, to_srgb
from rawback_lab.bench.peers import write_json
from rawback_lab.bench.visible import pairs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = ["OCTAVES", "crops_of", "flat_patches", "measured", "octave_powers"]

_SIDE, _STRIDE = 32, 16
"""Samples of a plane along a patch, and from one to the next."""

_FLAT, _FEWEST = 3.0, 16
"""By how much means of blocks in flat patches may vary, beside those of white noise, and how many
patches are taken in any case: the flattest."""

_BLOCK = 8
_CLIPPED = 0.02
"""Part of the samples of a patch that may lie at either end of the scale."""

_RATES = ("0.05", "q60")

_CROP, _STOPS, _GREY, _WEBP = (160, 256), 3.0, 0.45, 90
"""Of the sheet: height and width of crops, by how much they are lifted, how bright they are best;
and the quality of the file."""


def _planes(frame: RawFrame) -> NDArray[np.float32]:
    height, width = (side & ~1 for side in frame.cfa.shape)
    cfa = frame.cfa[:height, :width].astype(np.float32)
    return np.stack([cfa[y::2, x::2] for y in (0, 1) for x in (0, 1)])


def _patches(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Patches ``[n, 4, _SIDE, _SIDE]`` of planes ``[4, h, w]``, each half over the next."""
    cut = np.lib.stride_tricks.sliding_window_view(planes, (_SIDE, _SIDE), (1, 2))
    cut = cut[:, ::_STRIDE, ::_STRIDE].transpose(1, 2, 0, 3, 4)
    return cut.reshape(-1, 4, _SIDE, _SIDE)


def _structure(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much more means of blocks vary, slopes left out, than white noise would let them.

    Args:
        patches: ``[n, 4, _SIDE, _SIDE]``.

    Returns:
        float64 ``[n]``: the worst of the planes; about 1 for white noise.
    """
    count = _SIDE // _BLOCK
    blocks = patches.reshape(-1, 4, count, _BLOCK, count, _BLOCK)
    means = blocks.mean(axis=(3, 5), dtype=np.float64)
    means -= means.mean(axis=(2, 3), keepdims=True)
    ramp = np.arange(count) - (count - 1) / 2
    for slope in (np.outer(ramp, np.ones(count)), np.outer(np.ones(count), ramp)):
        means -= slope * (means * slope).sum(axis=(2, 3), keepdims=True) / np.square(slope).sum()
    variance = np.square(means).sum(axis=(2, 3)) / (count**2 - 3)
    fine = patches[..., ::2, ::2] - patches[..., 1::2, ::2]
    fine = fine - patches[..., ::2, 1::2] + patches[..., 1::2, 1::2]
    noise = np.square(fine, dtype=np.float64).mean(axis=(2, 3)) / 4
    worst = (variance * _BLOCK**2 / np.maximum(noise, 1e-3)).max(axis=1)
    return np.asarray(worst, np.float64)


def flat_patches(frame: RawFrame) -> NDArray[np.intp]:
    """Numbers of the flat patches of a frame, in reading order; none that is clipped.

    Args:
        frame: A raw.

    Returns:
        intp ``[n]``, the flattest first.
    """
    patches = _patches(_planes(frame))
    lowest = np.array(frame.black, np.float32).reshape(1, 4, 1, 1)
    clipped = (patches >= frame.white) | (patches <= lowest)
    # Lossy raws have patches without any noise, which have no spectrum.
    noisy = (patches.max(axis=(2, 3)) > patches.min(axis=(2, 3)) + 1).all(axis=1)
    usable = np.flatnonzero(noisy & (clipped.mean(axis=(2, 3)).max(axis=1) < _CLIPPED))
    structure = _structure(patches[usable])
    count = max(np.count_nonzero(structure < _FLAT), _FEWEST)
    return usable[np.argsort(structure)[:count]]


def octave_powers(frame: RawFrame, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    """Power of patches in each octave, of each plane.

    Args:
        frame: A raw.
        chosen: Numbers of patches.

    Returns:
        float64 ``[n, 4, OCTAVES]`` in DN squared, from the highest frequencies down.
    """
    patches = _patches(_planes(frame))[chosen].astype(np.float64)
    return octaves_of(patches)


def _decibels(of: NDArray[np.float64], against: NDArray[np.float64]) -> list[float]:
    """Mean power of patches beside the original's, each patch and plane counting alike."""
    scale = against.mean(axis=2, keepdims=True)
    ratio = (of / scale).mean(axis=(0, 1)) / (against / scale).mean(axis=(0, 1))
    return [round(float(value), 2) for value in 10 * np.log10(np.maximum(ratio, 1e-9))]


def _restored(
    frame: RawFrame, jpeg: Path, rates: Sequence[str]
) -> Iterator[tuple[RawFrame, RawFrame, int]]:
    """What payloads restore without grain and with it, and how many bytes they take."""
    carrier = jpegio.decode_jpeg(jpeg.read_bytes())
    session = encoder.prepare(frame, carrier)
    for rate in rates:
        wanted = Rate.quality(60) if rate == "q60" else Rate.bpp(float(rate))
        data = session.encode(wanted).payload
        plain, grained = (
            decoder.restore(unpack(data), carrier, grain=grain) for grain in (False, True)
        )
        yield plain.frame, grained.frame, len(data)


def measured(raw: Path, jpeg: Path) -> dict[str, Any]:
    """Spectra of a raw at each rate."""
    frame = rawio.read_raw(raw)
    chosen = flat_patches(frame)
    wanted = octave_powers(frame, chosen)
    found: dict[str, Any] = {
        "patches": len(chosen),
        "structure": round(float(np.median(_structure(_patches(_planes(frame))[chosen]))), 2),
    }
    restored = _restored(frame, jpeg, _RATES)
    for rate, (plain, grained, size) in zip(_RATES, restored, strict=True):
        found[rate] = {
            "bytes": size,
            "without": _decibels(octave_powers(plain, chosen), wanted),
            "with": _decibels(octave_powers(grained, chosen), wanted),
        }
    return found


def crops_of(frame: RawFrame, versions: Sequence[RawFrame]) -> NDArray[np.uint8]:
    """A row of the sheet: a lifted crop with many flat patches that is neither black nor white.

    Args:
        frame: The original, which tells what is flat.
        versions: What is shown, from left to right.

    Returns:
        uint8 ``[160, 256 n, 3]``, sRGB.
    """
    pictures = []
    for version in (frame, *versions):
        camera = demosaic(balanced_signal(replace(frame, cfa=version.cfa)), frame.pattern)
        pictures.append(to_srgb(exposed(camera, camera_to_srgb(frame), _STOPS)))
    across = (frame.width // 2 - _SIDE) // _STRIDE + 1
    height, width = _CROP
    best, place = -1.0, (0, 0)
    chosen = np.zeros(((frame.height // 2 - _SIDE) // _STRIDE + 1, across), np.float32)
    chosen.reshape(-1)[flat_patches(frame)] = 1
    rows, columns = (side // (2 * _STRIDE) for side in _CROP)
    for row in range(0, chosen.shape[0] - rows + 1, 2):
        for column in range(0, chosen.shape[1] - columns + 1, 2):
            top, left = 2 * _STRIDE * row, 2 * _STRIDE * column
            light = float(pictures[0][top : top + height, left : left + width].mean())
            count = float(chosen[row : row + rows, column : column + columns].sum())
            value = count * (1 - abs(light - _GREY) / _GREY)
            if value > best:
                best, place = value, (top, left)
    part = (slice(place[0], place[0] + height), slice(place[1], place[1] + width))
    found = np.hstack([picture[part] for picture in pictures[1:]])
    return np.asarray(np.rint(255 * found), np.uint8)


def print_table(frames: dict[str, Any]) -> None:
    """For the documents."""
    print("| raw | bpp or quality | without grain, dB | with grain, dB |")
    print("|---|---|---|---|")
    for name, found in frames.items():
        for rate in _RATES:
            cells = [
                ", ".join(f"{value:+.1f}" for value in found[rate][key])
                for key in ("without", "with")
            ]
            print(f"| {name} | {rate} | {cells[0]} | {cells[1]} |")
    worst = {
        rate: max(abs(value) for found in frames.values() for value in found[rate]["with"])
        for rate in _RATES
    }
    print(", ".join(f"{rate}: at most {value:.1f} dB" for rate, value in worst.items()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the raws of folders."""
    parser = argparse.ArgumentParser(description="Compare the spectrum of grain with the noise's.")
    parser.add_argument("folders", type=Path, nargs="+", help="of raws, with a manifest.csv")
    parser.add_argument("--split", nargs="*", default=["train", "test"])
    parser.add_argument("--only", nargs="*", help="names of raws")
    parser.add_argument("--scratch", type=Path, required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--json", type=Path, help="where figures go")
    what.add_argument("--sheet", type=Path, help="where crops go instead, a WebP")
    options = parser.parse_args(arguments)
    options.scratch.mkdir(parents=True, exist_ok=True)
    frames: dict[str, Any] = {}
    sheet: list[NDArray[np.uint8]] = []
    if options.json is not None and options.json.exists():
        frames = json.loads(options.json.read_text("utf-8"))["frames"]
    for folder in options.folders:
        for split in options.split:
            for raw, jpeg in pairs_of(folder, split, options.scratch):
                if options.only and raw.stem not in options.only:
                    continue
                if options.sheet:
                    original = rawio.read_raw(raw)
                    *restored, _ = next(_restored(original, jpeg, _RATES))
                    sheet.append(crops_of(original, [original, *restored]))
                    continue
                frames[raw.stem] = {"split": split, **measured(raw, jpeg)}
                write_json(options.json, {"rates": _RATES, "frames": frames})
                print(f"{raw.stem} done", file=sys.stderr, flush=True)
    if options.sheet:
        options.sheet.write_bytes(
            imagecodecs.webp_encode(np.vstack(sheet), level=_WEBP, lossless=False)
        )
    else:
        print_table(frames)


if __name__ == "__main__":
    main()
