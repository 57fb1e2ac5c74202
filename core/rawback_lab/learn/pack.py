"""Material to train on: ``python -m rawback_lab.learn.pack --real R --photos P --out FOLDER``.

Each shot is a photograph taken with a simulated camera, or a part of a real frame that the folder's
manifest marks ``train``; it is rendered in some style, saved as a JPEG, sometimes smaller, and
registered and predicted just as a payload would be. For the member ``linear`` the camera has three
samples a pixel, or the mosaic is demosaiced as converters do (:mod:`rawback_lab.learn.renderings`);
or, as in the papers' protocol, demosaiced, scaled down, and rendered without a JPEG. A shard keeps
a few crops of one shot:

========  ==================  =============================================================
guide     uint8 [n,256,256,3]  the JPEG on the raw grid; of linear pictures [n,128,128,3]
mask      uint8 [n,128,128]    1 where it covers the quad
base      int16 [n,4,128,128]  the base, RGGB or RGB, in 1/16 of the noise's standard deviation
truth     int16 [n,4,128,128]  the raw likewise
classes     uint8 [n,128,128]    the class of each quad
========  ==================  =============================================================

Shot ``k`` depends on the seed and on ``k`` alone, so a broken run goes on where it stopped, and
workers can make them side by side. Shots that are held out (:mod:`rawback_lab.learn.shards`) are of
photographs of their own.
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import cv2
import imagecodecs
import numpy as np
import torch
from safetensors.numpy import save_file

from rawback import encoder, rawio
from rawback.errors import RawbackError
from rawback.jpegio import decode_jpeg
from rawback.models.bayer_flip import flipped_pixels, flipped_planes
from rawback.residual import RegionClass
from rawback.weights import MEMBERS
from rawback_lab.camera import CameraSpec
from rawback_lab.learn.renderings import converted, exported, linear_jpeg
from rawback_lab.learn.shards import is_held_out, number_of, shard_of
from rawback_lab.pictures import linear_shot
from rawback_lab.protocols import P1Case
from rawback_lab.render import STYLES, FilmicLook, Subsampling
from rawback_lab.scenes import session_at
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.encoder import Session
    from rawback.types import RawFrame

CROP = 128
"""Quads along each side of a crop."""

_REAL_SHARE = 0.2
_REAL_SIDE = 1536
_SHRUNK_SHARE = 0.15
_CROPS = 16
_PICTURE_SHARE, _CONVERTED_SHARE, _LOSSY_SHARE = 0.15, 0.45, 0.25
_LINEAR_SIDE = 768
"""Pixels along each side of what linear frames are cut to: all crops are of that."""

_TIERS = (0, 0, 1, 2)
_SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:2:0", "4:4:4", "4:2:2")


@dataclass(frozen=True, slots=True)
class Sources:
    """What shots are made of.

    Attributes:
        photos: Photographs as JPEG XL; which of them are held out hangs on their place here.
        frames: Real raws for training.
        without: Names of photographs that are never trained on, as something is tested on them.
    """

    photos: list[Path]
    frames: list[Path]
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, photos: Path, real: Path | None, without: Sequence[str] = ()) -> Self:
        """Of folders; the one of raws has a manifest."""
        frames = _training_frames(real) if real else []
        return cls(sorted(photos.glob("*.jxl")), frames, frozenset(without))

    def frame(
        self, rng: np.random.Generator, *, held_out: bool, pattern: str | None = None
    ) -> RawFrame:
        """A simulated frame, or, in training, a part of a real one.

        Args:
            rng: What is drawn.
            held_out: Whether it is of photographs that are held out.
            pattern: Of the simulated camera, and then there is no real one; any Bayer's by default.
        """
        if pattern is None and self.frames and not held_out and rng.random() < _REAL_SHARE:
            frame = rawio.read_raw(self.frames[int(rng.integers(len(self.frames)))])
            top, left = (
                2 * int(rng.integers(max(n - _REAL_SIDE, 0) // 2 + 1)) for n in frame.cfa.shape
            )
            part = frame.cfa[top : top + _REAL_SIDE, left : left + _REAL_SIDE]
            return replace(frame.excerpt(np.ascontiguousarray(part)), orientation=1)
        photos = [
            photo
            for place, photo in enumerate(self.photos)
            if is_held_out(place) == held_out and photo.name not in self.without
        ]
        picture = imagecodecs.jpegxl_decode(photos[int(rng.integers(len(photos)))].read_bytes())
        if picture.dtype != np.uint8:
            picture = (picture.astype(np.float32) / 65535) ** 2
        spec = CameraSpec.random(rng)
        return simulate(picture, replace(spec, pattern=pattern or spec.pattern), rng, 1500)


def jpeg_of(frame: RawFrame, rng: np.random.Generator) -> bytes:
    """What somebody might have exported of it."""
    style = list(STYLES.values())[rng.integers(len(STYLES))]
    return exported(style(frame), rng, _SHRUNK_SHARE, _SUBSAMPLINGS, range(70, 99))


class Made(Protocol):
    """How a member's shots are made."""

    def __call__(self, sources: Sources, rng: np.random.Generator, *, held_out: bool) -> Session:
        """A shot that is ready to be coded."""
        ...


def bayer_session(sources: Sources, rng: np.random.Generator, *, held_out: bool) -> Session:
    """A mosaic and a JPEG of it."""
    frame = sources.frame(rng, held_out=held_out)
    return encoder.prepare(frame, decode_jpeg(jpeg_of(frame, rng)), use="never")


def linear_shot_of(
    sources: Sources, rng: np.random.Generator, side: int, *, held_out: bool
) -> RawFrame:
    """A linear frame, of a camera that makes such or of a converter, cut to a side."""
    if rng.random() < _CONVERTED_SHARE:
        mosaic = sources.frame(rng, held_out=held_out)
        quality = int(rng.integers(85, 99)) if rng.random() < _LOSSY_SHARE else None
        frame = converted(mosaic, int(rng.integers(1, 3)), quality)
    else:
        frame = sources.frame(rng, held_out=held_out, pattern="R+G+B")
    corner = [int(rng.integers(max(n - side, 0) + 1)) for n in frame.cfa.shape[:2]]
    part = tuple(slice(at, at + side) for at in corner)
    return replace(frame.excerpt(np.ascontiguousarray(frame.cfa[part])), orientation=1)


def linear_session(sources: Sources, rng: np.random.Generator, *, held_out: bool) -> Session:
    """A linear frame and a JPEG of it; some as the papers' protocol has them."""
    if rng.random() < _PICTURE_SHARE:
        frame = sources.frame(rng, held_out=held_out)
        picture = P1Case("drawn", FilmicLook.random(rng)).picture(frame)
        return session_at(*linear_shot(picture), use="never")[0]
    frame = linear_shot_of(sources, rng, _LINEAR_SIDE, held_out=held_out)
    return encoder.prepare(frame, decode_jpeg(linear_jpeg(frame, rng)), use="never")


def crops_of(
    session: Session, base_level: int, rng: np.random.Generator
) -> dict[str, NDArray[np.integer]]:
    """Crops of a shot; half of them where the carrier clips, if it does anywhere."""
    analysis = session.analysis(base_level)
    source = analysis.source
    base = np.empty_like(source.planes)
    classes = np.empty(source.planes.shape[1:], np.uint8)
    for prediction in analysis.predicted:
        base[(slice(None), *prediction.window.slices)] = prediction.planes
        classes[prediction.window.slices] = prediction.classes
    pattern, each = source.frame.pattern, source.frame.mosaic.cell
    whole = source.guides.guide(source.grid.whole)
    guide, mask = (flipped_pixels(array, pattern) for array in (whole.pixels, whole.mask))
    covered = mask.reshape(mask.shape[0] // each, each, -1, each).min(axis=(1, 3))
    base, truth = (flipped_planes(planes, pattern) for planes in (base, source.planes))
    classes = flipped_pixels(classes, pattern)
    clipped = np.argwhere(classes == RegionClass.CLIPPED)
    corners = []
    limits: NDArray[np.int64] = np.array(classes.shape) - CROP
    for number in range(min(_CROPS, 2 * classes.size // (CROP * CROP))):
        corner = rng.integers(limits + 1)
        if number % 2 and len(clipped):
            corner = clipped[rng.integers(len(clipped))] - rng.integers(CROP, size=2)
        corners.append(np.clip(corner, 0, limits) & ~1)
    at = [(slice(y, y + CROP), slice(x, x + CROP)) for y, x in corners]
    pixels = [tuple(slice(each * n, each * (n + CROP)) for n in corner) for corner in corners]
    return {
        "guide": np.stack([guide[part] for part in pixels]),
        "mask": np.stack([covered[part] for part in at]),
        "base": np.stack([base[(slice(None), *part)] for part in at]),
        "truth": np.stack([truth[(slice(None), *part)] for part in at]),
        "classes": np.stack([classes[part] for part in at]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Prepare material to train the learned layer.")
    parser.add_argument("--real", type=Path, help="folder of DNGs and manifest.csv")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--shots", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--member", choices=MEMBERS, default=MEMBERS[0])
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="NAME", help="photographs that are left out"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    made = linear_session if options.member == "linear" else bayer_session
    sources = Sources.of(options.photos, options.real, options.without)
    options.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.workers, initializer=_work_alone) as pool:
        jobs = [
            pool.submit(_pack, shard_of(options.out, number), sources, options.seed, made)
            for number in range(options.shots)
        ]
        for job in as_completed(jobs):
            print(job.result(), flush=True)


def _work_alone() -> None:
    """Workers share the cores among themselves."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _pack(
    shard: Path,
    sources: Sources,
    seed: int,
    made: Made,
) -> str:
    """Make one shard, unless it is there; tells what became of it."""
    if shard.exists():
        return f"{shard.name}: there already"
    number = number_of(shard)
    rng = np.random.default_rng((seed, number))
    try:
        session = made(sources, rng, held_out=is_held_out(number))
    except RawbackError as error:
        # A shrunk rendering of a flat scene may not be found on its raw: no loss.
        return f"{shard.name}: {error}"
    if min(session.guide.mask.shape) < 2 * CROP:
        return f"{shard.name}: too small"
    held = crops_of(session, int(rng.choice(_TIERS)), rng)
    unfinished = shard.with_suffix(".part")
    save_file({name: np.ascontiguousarray(value) for name, value in held.items()}, unfinished)
    unfinished.rename(shard)
    return f"{shard.name}: {len(held['classes'])} crops of {session.frame.model}"


def _training_frames(folder: Path) -> list[Path]:
    with (folder / "manifest.csv").open(encoding="utf-8") as rows:
        return [folder / row["file"] for row in csv.DictReader(rows) if row["split"] == "train"]


if __name__ == "__main__":
    main()
