"""From a raw and its JPEG to a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.codec.draft import Draft, Encoded
from rawback.codec.headers import header_of
from rawback.codec.search import CLOSE, COARSEST, FINEST, SECTION_BYTES, StepSearch
from rawback.codec.source import BIT_PRICES, Prepared, Shot
from rawback.errors import RateUnreachable
from rawback.geometry import Geometry, build_guide, register
from rawback.metrics import raw_psnr
from rawback.residual import CODES_PER_LAYER

if TYPE_CHECKING:
    from rawback.bitstream import Header
    from rawback.codec.decoder import Progress
    from rawback.codec.rate import Rate
    from rawback.jpegio import Carrier
    from rawback.types import Guide, RawFrame

__all__ = ["Session", "prepare"]

EXACT_STEP = 212
"""Step code below the exact layer, 3 standard deviations of noise: finer steps code noise twice."""

_ATTEMPTS = 3
_SEARCH_TILES = 4
_LARGEST_SHARE, _SMALL_SHARE = 0.6, 0.08
"""Of a payload, that a base may take, and below which no smaller base is tried."""


def prepare(frame: RawFrame, carrier: Carrier, *, progress: Progress | None = None) -> Session:
    """Register a raw with its JPEG and get ready to code it at any rate.

    Args:
        frame: The raw.
        carrier: The JPEG rendered from it.
        progress: Is told how far the work is.

    Raises:
        ShotMismatch: They do not show the same shot.
    """
    report = progress or (lambda _stage, _done: None)
    report("Registering the JPEG on the raw", 0.0)
    geometry = register(frame, carrier.pixels).geometry
    report("Resampling the JPEG", 0.2)
    guide = build_guide(geometry, carrier.pixels)
    header = header_of(frame, carrier, geometry)
    shot = Shot.of(header, frame, carrier, geometry, guide)
    session = Session(frame, guide, geometry, header, shot)
    report("Fitting the inverse rendering", 0.35)
    session.prepared(0)
    report("Prepared", 1.0)
    return session


class Session:
    """A shot that can be coded at any rate; made by :func:`prepare`.

    Attributes:
        frame: The raw.
        guide: The JPEG on the raw grid.
        geometry: Where raw pixels lie in the JPEG.
    """

    def __init__(
        self, frame: RawFrame, guide: Guide, geometry: Geometry, header: Header, shot: Shot
    ) -> None:
        self.frame = frame
        self.guide = guide
        self.geometry = geometry
        self._header = header
        self._shot = shot
        self._tiers: dict[int, Prepared] = {}

    def prepared(self, tier: int) -> Prepared:
        """The base at one of BIT_PRICES and what it leaves; kept for the last two used."""
        if tier not in self._tiers:
            while len(self._tiers) > 1:
                self._tiers.pop(next(iter(self._tiers)))
            self._tiers[tier] = Prepared.of(self._shot, BIT_PRICES[tier])
        return self._tiers[tier]

    def encode(self, rate: Rate, *, progress: Progress | None = None) -> Encoded:
        """Code the shot.

        Args:
            rate: How large, or how good.
            progress: Is told how far the work is.

        Raises:
            RateUnreachable: Not even the base fits into the size, or no rate gives the PSNR.
        """
        report = progress or (lambda _stage, _done: None)
        if rate.kind == "lossless" or (rate.kind == "quality" and rate.value == 100):
            draft = self._draft(self.prepared(0), EXACT_STEP, report)
            return draft.with_exact(report)
        if rate.kind == "quality":
            return self._draft(self.prepared(0), _step_of(rate.value), report).finished()
        if rate.kind == "psnr":
            return self._reach(rate.value, report)
        size = rate.value if rate.kind == "size" else rate.value * self.frame.cfa.size / 8
        return self._best_of_size(int(size), report)

    def _draft(self, prepared: Prepared, step_code: int | None, report: Progress) -> Draft:
        """Code base and quality layers; the base alone where there is no step."""
        draft = Draft(self._header, prepared)
        if step_code is not None:
            draft.add_layers(step_code, report)
        return draft

    def _best_of_size(self, size: int, report: Progress) -> Encoded:
        """The best payload of at most `size` bytes, over the bases whose share may suit it."""

        def share(tier: int) -> float:
            return sum(section.packed_size for section in self.prepared(tier).sections) / size

        cheapest = len(BIT_PRICES) - 1
        tier = next((t for t in range(cheapest) if share(t) <= _LARGEST_SHARE), cheapest)
        best = self._fill(self.prepared(tier), size, report)
        while tier < cheapest and share(tier) >= _SMALL_SHARE:
            tier += 1
            found = self._fill(self.prepared(tier), size, report)
            if self._psnr(found) <= self._psnr(best):
                break
            best = found
        return best

    def _psnr(self, encoded: Encoded) -> float:
        return raw_psnr(self.frame, encoded.restored)

    def _fill(self, prepared: Prepared, size: int, report: Progress) -> Encoded:
        """The finest payload of at most `size` bytes with a given base."""
        bare = self._draft(prepared, None, report)
        room = size - bare.size
        if room < 2 * SECTION_BYTES:
            return bare.cut_to(size)
        search = StepSearch(prepared, _SEARCH_TILES)
        step = search.step_for(room)
        attempts = _ATTEMPTS if len(prepared.predicted) > _SEARCH_TILES else 4 * _ATTEMPTS
        over, under = FINEST - 1, COARSEST + 1
        fits: Draft | None = None
        exceeds: Draft | None = None
        for _ in range(attempts):
            draft = self._draft(prepared, step, report)
            if draft.size > size:
                over, exceeds = step, draft
            else:
                under, fits = step, draft
                if draft.size >= CLOSE * size:
                    break
            aim = (1 + CLOSE) / 2 * room
            step = search.corrected(step, (draft.size - bare.size) / aim)
            step = min(max(step, over + 1), under - 1)
            if not over < step < under:
                break
        trimmed = None if exceeds is None else exceeds.cut_to(size)
        if fits is None or (trimmed is not None and len(trimmed.payload) > fits.size):
            return trimmed or bare.finished()
        return fits.finished()

    def _reach(self, decibels: float, report: Progress) -> Encoded:
        """The coarsest step whose raw PSNR is at least `decibels`."""
        prepared = self.prepared(0)
        bare = self._draft(prepared, None, report).finished()
        if self._psnr(bare) >= decibels:
            return bare
        low, high = FINEST, COARSEST
        best: Encoded | None = None
        while low <= high:
            step = (low + high) // 2
            trial = self._draft(prepared, step, report).finished()
            if self._psnr(trial) >= decibels:
                best, low = trial, step + 1
            else:
                high = step - 1
        if best is None:
            message = f"No payload reaches {decibels:g} dB short of lossless; ask for lossless."
            raise RateUnreachable(message)
        return best


def _step_of(quality: float) -> int | None:
    """Step code of a quality above 0; see :meth:`Rate.quality`."""
    if quality <= 0:
        return None
    code = round((11 - (quality - 1) / 12) * CODES_PER_LAYER)
    return min(max(code, FINEST), COARSEST)
