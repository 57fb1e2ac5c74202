"""Pairs of a raw and a JPEG whose map is known: registered, and compared with that map.

What counts is how far raw pixels are placed wrongly, in raw pixels, and what that costs: the raw
PSNR at 0.1 bpp against the one with the true map. Where that is asked for, so is what the map
itself costs, which no registration wins back: what of the raw the JPEG does not show, and what its
resampling destroyed.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table

from rawback import metrics
from rawback.encoder import Session
from rawback.encoder.encoder_input import EncoderInput
from rawback.errors import RateUnreachable, ShotMismatch
from rawback.geometry import Aligned, Geometry, build_guide
from rawback.geometry.registration import register
from rawback.rate import Rate
from rawback.types import Guide
from rawback_lab.scenes import session_at
from rawback_lab.warps import WARPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rawback.jpegio import DecodedJpeg
    from rawback.types import RawFrame
    from rawback_lab.warps import Warp

__all__ = ["RATE", "Costs", "Outcome", "Pair", "costs_of", "outcome_of", "table"]

RATE = 0.1


@dataclass(frozen=True)
class Pair:
    """A raw and its JPEG.

    Attributes:
        raw: Name of the raw or of the photograph that it is made from.
        warp: Name of the map.
        finish: Name of the finish.
        frame: The raw.
        carrier: The JPEG.
        camera: What of a simulated camera matters here.
    """

    raw: str
    warp: str
    finish: str
    frame: RawFrame
    carrier: DecodedJpeg
    camera: str = ""

    @property
    def truth(self) -> Warp:
        """Where raw pixels lie in the JPEG."""
        return WARPS[self.warp]((self.frame.width, self.frame.height))


@dataclass(frozen=True)
class Outcome:
    """What became of a pair.

    Attributes:
        raw, warp, finish, camera: Of the pair.
        error: Why it was refused, empty where it was found.
        median, p95: Of the error in raw pixels.
        correlation: Of the raw and the JPEG.
        disagreement: Part of the structure that does not correlate.
        cpu_seconds: That registration took.
        loss: Decibels that the error costs; None where not measured.
        resampling: Decibels that resampling cost before; None where not measured.
        coverage: Decibels that what the JPEG does not show costs what it shows; likewise.
        quick: What the quick comparison says, empty where it was not asked.
    """

    raw: str
    warp: str
    finish: str
    camera: str
    error: str = ""
    median: float = 0.0
    p95: float = 0.0
    correlation: float = 0.0
    disagreement: float = 0.0
    cpu_seconds: float = 0.0
    loss: float | None = None
    resampling: float | None = None
    coverage: float | None = None
    quick: str = ""


@dataclass(frozen=True)
class Costs:
    """Decibels of raw PSNR at `RATE`, where the JPEG shows the raw.

    Attributes:
        loss: From the true map to the one found.
        resampling: From the JPEG as it was before it was resampled, cut to the same part of the
            raw, to the true map.
        coverage: From the whole JPEG before it was resampled to that part of it: the rest of the
            raw takes its share of the bits.
    """

    loss: float | None = None
    resampling: float | None = None
    coverage: float | None = None


def outcome_of(
    pair: Pair, *, loss: bool = False, plain: DecodedJpeg | None = None, quick: str = ""
) -> Outcome:
    """Register a pair.

    Args:
        pair: The pair.
        loss: Whether to measure decibels.
        plain: The JPEG without the map, to tell apart what decibels are lost by.
        quick: As the outcome has it.
    """
    outcome = Outcome(pair.raw, pair.warp, pair.finish, pair.camera, quick=quick)
    start = time.process_time()
    try:
        registration = register(pair.frame, pair.carrier.pixels)
    except ShotMismatch as error:
        return replace(outcome, error=str(error), cpu_seconds=time.process_time() - start)
    seconds = time.process_time() - start
    errors = pair.truth.errors(registration.geometry)
    costs = Costs()
    if loss:
        # Of the smallest frames no payload is as small as that.
        with suppress(RateUnreachable):
            costs = costs_of(pair, registration.geometry, plain)
    return replace(
        outcome,
        median=float(np.median(errors)),
        p95=float(np.percentile(errors, 95)),
        correlation=registration.correlation,
        disagreement=registration.disagreement,
        cpu_seconds=seconds,
        loss=costs.loss,
        resampling=costs.resampling,
        coverage=costs.coverage,
    )


def costs_of(pair: Pair, geometry: Geometry, plain: DecodedJpeg | None = None) -> Costs:
    """What a geometry costs, and with the JPEG without the map, what the map does."""
    frame, carrier, truth = pair.frame, pair.carrier, pair.truth.geometry()
    if truth == geometry and plain is None:
        return Costs(0.0)
    session, _ = session_at(frame, carrier, truth.transform, tune="psnr")
    mask = session.guide.mask
    best = _psnr(session, frame, mask)
    loss = 0.0
    if truth != geometry:
        loss = best - _psnr(
            session_at(frame, carrier, geometry.transform, tune="psnr")[0], frame, mask
        )
    if plain is None:
        return Costs(loss)
    size = frame.width, frame.height
    whole = build_guide(Geometry(size, size, Aligned()), plain.pixels)
    part = Guide(whole.pixels * mask[..., None], mask)
    parts = Session(EncoderInput.of(frame, carrier, truth, part, "psnr"), "auto")
    shown = _psnr(parts, frame, mask)
    everything = _psnr(session_at(frame, plain, tune="psnr")[0], frame, mask)
    return Costs(loss, shown - best, everything - shown)


def _psnr(session: Session, frame: RawFrame, mask: NDArray[np.uint8]) -> float:
    return float(metrics.raw_psnr(frame, session.encode(Rate.bpp(RATE)).restored, mask))


def table(outcomes: Iterable[Outcome], names: Iterable[str], key: str = "warp") -> Table:
    """One row for each map or finish, and one for all."""
    rows = list(outcomes)
    grid = Table(
        *("map" if key == "warp" else key, "found", "quick yes", "median px", "95 % px"),
        *("loss dB", "worst", "resampling dB", "coverage dB", "CPU s"),
    )
    for name in [*names, "all"]:
        mine = [row for row in rows if name in (getattr(row, key), "all")]
        seen = [row for row in mine if not row.error]
        if not mine:
            continue
        losses = _known(row.loss for row in seen)
        grid.add_row(
            name,
            f"{len(seen)} of {len(mine)}",
            f"{sum(row.quick == 'same' for row in mine)}" if any(r.quick for r in mine) else "",
            f"{np.median([row.median for row in seen]):.3f}" if seen else "",
            f"{np.percentile([row.p95 for row in seen], 95):.3f}" if seen else "",
            _mean(losses),
            f"{max(losses):.2f}" if losses else "",
            _mean(_known(row.resampling for row in seen)),
            _mean(_known(row.coverage for row in seen)),
            f"{np.median([row.cpu_seconds for row in mine]):.2f}",
        )
    return grid


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.2f}" if values else ""
