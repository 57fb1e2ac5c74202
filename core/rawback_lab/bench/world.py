"""Strangers' cameras: ``python -m rawback_lab.bench world --photos FOLDER``.

Seeded pairs of simulated cameras, styles, maps and finishes: which share is found, why the rest is
refused, how far raw pixels are placed wrongly, what that costs, and how long it takes. And wrong
pairs, of other pictures and of neighbours in a series: how many the quick comparison takes for
right, and how many of those registration takes too.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
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
from rawback_lab.bench.registered import Outcome, Pair, outcome_of, table
from rawback_lab.camera import CameraSpec
from rawback_lab.finishes import FINISHES
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.simulate import simulate
from rawback_lab.warps import WARPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration import Summary
    from rawback.types import RawFrame
    from rawback_lab.render import Subsampling

_PLAIN_SHARE, _UNFINISHED_SHARE = 0.3, 0.4
_HALVE_FROM = 1500
_NEIGHBOUR_MOVES = (0.03, 0.1)
_QUALITIES = (75, 98)
_SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:4:4", "4:2:2")
_WORST = 10
_PICTURE_SIDE = 480


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
    return Pair(path.name, warp, finish, frame, decode_jpeg(jpeg), camera)


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
    """Right pairs by map and by finish, and wrong ones by kind."""
    right = [table(outcomes, WARPS), table(outcomes, FINISHES, "finish")]
    refused = Table("wrong pairs", "same", "unclear", "other", "registered")
    for kind, counts in wrong.items():
        answers = [str(counts[verdict.value]) for verdict in (Verdict.SAME, Verdict.UNCLEAR)]
        refused.add_row(kind, *answers, str(counts["other"]), str(counts["registered"]))
    return [*right, refused]


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


class _Run:
    """Pairs of one seed, each with a seed of its own so that it can be made again."""

    def __init__(self, photos: list[Path], seed: int, loss: float) -> None:
        self._photos, self._seed, self._loss = photos, seed, loss
        self._summaries: dict[int, tuple[str, Summary, Summary]] = {}

    def pair(self, index: int) -> Pair:
        return self._drawn(index)[0]

    def outcome(self, index: int) -> Outcome:
        """Compare and register a pair."""
        pair, rng = self._drawn(index)
        self._summaries[index] = pair.raw, summarise(pair.frame), summarise(pair.carrier.pixels)
        quick = shows_same_shot(*self._summaries[index][1:]).verdict.value
        return outcome_of(pair, loss=bool(rng.random() < self._loss), quick=quick)

    def summaries(self, index: int) -> tuple[str, Summary, Summary]:
        """The photograph of a pair, and both pictures ready to be compared."""
        if index not in self._summaries:
            pair = self.pair(index)
            self._summaries[index] = pair.raw, summarise(pair.frame), summarise(pair.carrier.pixels)
        return self._summaries[index]

    def _drawn(self, index: int) -> tuple[Pair, np.random.Generator]:
        rng = np.random.default_rng((self._seed, index))
        return drawn_pair(self._photos, rng), rng


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
    parser.add_argument("--json", type=Path, help="where the figures go; taken up where it stopped")
    parser.add_argument("--pictures", type=Path, help="where pictures of the worst pairs go")
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*.jxl"))
    run = _Run(photos, options.seed, options.loss)
    outcomes: list[Outcome] = []
    if options.json and options.json.exists():
        kept = json.loads(options.json.read_text("utf-8"))
        if kept["seed"] != options.seed:
            parser.error(f"{options.json} has the figures of seed {kept['seed']}")
        outcomes = [Outcome(**outcome) for outcome in kept["outcomes"]][: options.count]

    def keep(wrong: dict[str, Counter[str]]) -> None:
        if options.json:
            rows = [asdict(outcome) for outcome in outcomes]
            figures = {"seed": options.seed, "outcomes": rows, "wrong": wrong}
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")

    for index in range(len(outcomes), options.count):
        outcomes.append(run.outcome(index))
        print(index, outcomes[-1], flush=True)
        keep({})
    summaries = [run.summaries(index) for index in range(options.count)]
    rng = np.random.default_rng((options.seed, options.count))
    raws = [(name, raw) for name, raw, _ in summaries]
    jpegs = [(name, jpeg) for name, _, jpeg in summaries]
    wrong = {
        "other pictures": wrong_pairs(raws, jpegs, options.wrong, rng),
        "neighbours in a series": neighbours(photos, options.neighbours, rng),
    }
    keep(wrong)
    if options.pictures:
        order = sorted(enumerate(outcomes), key=lambda item: (not item[1].error, -item[1].p95))
        _show_worst([(o, run.pair(index)) for index, o in order[:_WORST]], options.pictures)
    for grid in tables(outcomes, wrong):
        Console(width=140).print(grid)


if __name__ == "__main__":
    main()
