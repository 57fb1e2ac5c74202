"""Strangers' cameras: ``python -m rawback_lab.bench world --photos FOLDER``.

Seeded pairs of simulated cameras, styles, maps and finishes: which share is found, why the rest is
refused, how far raw pixels are placed wrongly, what that costs, and how long it takes. And wrong
pairs, of other pictures and of neighbours in a series: how many the quick comparison takes for
right, and how many of those registration takes too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import imagecodecs
import numpy as np
from rich.console import Console
from rich.table import Table

from rawback.errors import ShotMismatch
from rawback.geometry.registration import Verdict, register, shows_same_shot, summarise
from rawback.jpegio import decode_jpeg
from rawback_lab.bench.registration import loss_in_decibels
from rawback_lab.camera import CameraSpec
from rawback_lab.finishes import FINISHES
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.simulate import simulate
from rawback_lab.warps import WARPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration import Summary
    from rawback.jpegio import DecodedJpeg
    from rawback.types import RawFrame
    from rawback_lab.render import Subsampling

_PLAIN_SHARE, _UNFINISHED_SHARE = 0.3, 0.4
_HALVE_FROM = 1500
_NEIGHBOUR_MOVES = (0.03, 0.1)
_QUALITIES = (75, 98)
_SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:4:4", "4:2:2")
_WORST = 10
_PICTURE_SIDE = 480


@dataclass(frozen=True)
class Pair:
    """A simulated raw and its JPEG.

    Attributes:
        photo: File name of the photograph.
        camera: What of the camera matters here.
        warp: Name of the map.
        finish: Name of the finish.
        frame: The raw.
        carrier: The JPEG.
    """

    photo: str
    camera: str
    warp: str
    finish: str
    frame: RawFrame
    carrier: DecodedJpeg


@dataclass(frozen=True)
class Outcome:
    """What became of a pair.

    Attributes:
        photo, camera, warp, finish: Of the pair.
        quick: What the quick comparison says.
        error: Why it was refused, empty where it was found.
        median, p95: Of the error in raw pixels.
        loss: Decibels against the true map at 0.1 bpp; None where not measured.
        correlation: Of the raw and the JPEG.
        disagreement: Part of the structure that does not correlate.
        seconds: That registration took.
    """

    photo: str
    camera: str
    warp: str
    finish: str
    quick: str
    error: str = ""
    median: float = 0.0
    p95: float = 0.0
    loss: float | None = None
    correlation: float = 0.0
    disagreement: float = 0.0
    seconds: float = 0.0


def drawn_pair(photos: list[Path], rng: np.random.Generator) -> Pair:
    """A camera, a style, a map, a finish and a JPEG, each drawn at random."""
    path = photos[rng.integers(len(photos))]
    spec = CameraSpec.random(rng)
    frame = simulate(_picture(path), spec, rng, _HALVE_FROM)
    warp = "plain" if rng.random() < _PLAIN_SHARE else str(rng.choice(list(WARPS)))
    finish = "none" if rng.random() < _UNFINISHED_SHARE else str(rng.choice(list(FINISHES)))
    shown = WARPS[warp]((frame.width, frame.height)).shown(_rendered(frame, rng))
    jpeg = _encoded(FINISHES[finish](shown), rng)
    camera = f"ISO {spec.iso}, {spec.pattern}, {spec.electrons:.0f} electrons"
    return Pair(path.name, camera, warp, finish, frame, decode_jpeg(jpeg))


def drawn_neighbours(
    photos: list[Path], rng: np.random.Generator
) -> tuple[RawFrame, NDArray[np.uint8]]:
    """A raw, and a rendering of another shot of the scene: the camera has turned a little."""
    picture = _picture(photos[rng.integers(len(photos))])
    height, width = picture.shape[:2]
    moves = [rng.uniform(*_NEIGHBOUR_MOVES) * side for side in (height, width)]
    down, across = (int(move) & ~1 for move in moves)
    rows, columns = height - down, width - across
    spec = CameraSpec.random(rng)
    first = simulate(picture[:rows, :columns], spec, rng, _HALVE_FROM)
    second = simulate(picture[down:, across:], spec, rng, _HALVE_FROM)
    return first, decode_jpeg(_encoded(_rendered(second, rng), rng)).pixels


def outcome_of(pair: Pair, summaries: tuple[Summary, Summary], *, loss: bool) -> Outcome:
    """Compare and register a pair."""
    about = pair.photo, pair.camera, pair.warp, pair.finish
    quick = shows_same_shot(*summaries).verdict.value
    start = time.perf_counter()
    try:
        registration = register(pair.frame, pair.carrier.pixels)
    except ShotMismatch as error:
        return Outcome(*about, quick, str(error), seconds=time.perf_counter() - start)
    seconds = time.perf_counter() - start
    true = WARPS[pair.warp]((pair.frame.width, pair.frame.height))
    errors = true.errors(registration.geometry)
    return Outcome(
        *about,
        quick,
        median=float(np.median(errors)),
        p95=float(np.percentile(errors, 95)),
        loss=loss_in_decibels(pair.frame, pair.carrier, true, registration.geometry)
        if loss
        else None,
        correlation=registration.correlation,
        disagreement=registration.disagreement,
        seconds=seconds,
    )


def _picture(path: Path) -> NDArray[np.uint8] | NDArray[np.float32]:
    picture = imagecodecs.jpegxl_decode(path.read_bytes())
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    return np.asarray((picture.astype(np.float32) / 65535) ** 2, np.float32)


def _rendered(frame: RawFrame, rng: np.random.Generator) -> NDArray[np.uint8]:
    return render_filmic(frame, FilmicLook.random(rng))


def _encoded(pixels: NDArray[np.uint8], rng: np.random.Generator) -> bytes:
    chroma = _SUBSAMPLINGS[rng.integers(len(_SUBSAMPLINGS))]
    return encode_jpeg(pixels, int(rng.integers(*_QUALITIES)), chroma)


def tables(outcomes: list[Outcome], wrong: dict[str, Counter[str]]) -> list[Table]:
    """Right pairs by map, and wrong ones by kind."""
    right = Table("map", "found", "quick yes", "median px", "95 % px", "loss dB", "seconds")
    for name in [*WARPS, "all"]:
        rows = [o for o in outcomes if name in (o.warp, "all")]
        found = [o for o in rows if not o.error]
        losses = [o.loss for o in found if o.loss is not None]
        if rows:
            right.add_row(
                name,
                f"{len(found)} of {len(rows)}",
                f"{sum(o.quick == Verdict.SAME.value for o in rows)}",
                f"{np.median([o.median for o in found]):.3f}" if found else "",
                f"{np.percentile([o.p95 for o in found], 95):.3f}" if found else "",
                f"{np.mean(losses):.2f}" if losses else "",
                f"{np.median([o.seconds for o in rows]):.1f}",
            )
    refused = Table("wrong pairs", "same", "unclear", "other", "registered")
    for kind, counts in wrong.items():
        answers = [str(counts[verdict.value]) for verdict in (Verdict.SAME, Verdict.UNCLEAR)]
        refused.add_row(kind, *answers, str(counts["other"]), str(counts["registered"]))
    return [right, refused]


def wrong_pairs(
    raws: list[tuple[str, Summary]],
    jpegs: list[tuple[str, Summary]],
    count: int,
    rng: np.random.Generator,
) -> Counter[str]:
    """Verdicts on pairs of different photographs."""
    counts: Counter[str] = Counter()
    while counts.total() < count:
        (name, raw), (other, jpeg) = raws[rng.integers(len(raws))], jpegs[rng.integers(len(jpegs))]
        if name != other:
            counts[shows_same_shot(raw, jpeg).verdict.value] += 1
    return counts


def neighbours(photos: list[Path], count: int, rng: np.random.Generator) -> Counter[str]:
    """Verdicts on shots of one scene; those that are taken for the same are registered too."""
    counts: Counter[str] = Counter()
    for _ in range(count):
        frame, pixels = drawn_neighbours(photos, rng)
        verdict = shows_same_shot(summarise(frame), summarise(pixels)).verdict
        counts[verdict.value] += 1
        if verdict is not Verdict.OTHER:
            try:
                register(frame, pixels)
                counts["registered"] += 1
            except ShotMismatch:
                pass
    return counts


def _show_worst(worst: list[tuple[Outcome, Pair]], folder: Path) -> None:
    """Raw and JPEG side by side, the worst first."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, (outcome, pair) in enumerate(worst):
        sides = [render_filmic(pair.frame), pair.carrier.pixels]
        height = min(_PICTURE_SIDE, *(side.shape[0] for side in sides))
        scaled = [
            cv2.resize(s, (max(round(s.shape[1] * height / s.shape[0]), 1), height)) for s in sides
        ]
        picture = np.ascontiguousarray(np.hstack(scaled)[..., ::-1])
        name = f"{index:02} {outcome.warp} {outcome.finish}.png".replace(" %", "").replace(":", "-")
        cv2.imwrite(str(folder / name), picture)


def main() -> None:
    parser = argparse.ArgumentParser(description="Register what strangers' cameras make.")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG XL photographs")
    parser.add_argument("--count", type=int, default=200, help="how many right pairs")
    parser.add_argument("--wrong", type=int, default=2000, help="how many wrong pairs")
    parser.add_argument(
        "--neighbours", type=int, default=50, help="how many neighbours in a series"
    )
    parser.add_argument("--loss", type=float, default=0.1, help="share whose loss is measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--pictures", type=Path, help="where pictures of the worst pairs go")
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*.jxl"))
    outcomes: list[Outcome] = []
    worst: list[tuple[Outcome, Pair]] = []
    raws, jpegs = [], []
    for index in range(options.count):
        # Each pair has a seed of its own, so that one can be made again.
        rng = np.random.default_rng((options.seed, index))
        pair = drawn_pair(photos, rng)
        summaries = summarise(pair.frame), summarise(pair.carrier.pixels)
        raws.append((pair.photo, summaries[0]))
        jpegs.append((pair.photo, summaries[1]))
        outcome = outcome_of(pair, summaries, loss=bool(rng.random() < options.loss))
        print(index, outcome, flush=True)
        outcomes.append(outcome)
        worst.append((outcome, pair))
        worst.sort(key=lambda item: (not item[0].error, -item[0].p95))
        del worst[_WORST:]
    rng = np.random.default_rng((options.seed, options.count))
    wrong = {
        "other pictures": wrong_pairs(raws, jpegs, options.wrong, rng),
        "neighbours in a series": neighbours(photos, options.neighbours, rng),
    }
    if options.json:
        found = {"seed": options.seed, "outcomes": [asdict(o) for o in outcomes], "wrong": wrong}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if options.pictures:
        _show_worst(worst, options.pictures)
    for grid in tables(outcomes, wrong):
        Console(width=120).print(grid)


if __name__ == "__main__":
    main()
