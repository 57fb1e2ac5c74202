"""From a raw and its JPEG to a payload."""

from __future__ import annotations

import math
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from rawback.bitstream import Payload, section_offsets
from rawback.common.header_fields import fits
from rawback.encoder.analysis import BASE_LAMBDAS, Analysis, EncoderInput, FittedBase
from rawback.encoder.code_lists import are_codes_coarse
from rawback.encoder.geometries import registered_geometry
from rawback.encoder.payload_builder import Attached, Encoded, PayloadBuilder
from rawback.encoder.rate_control import (
    BEYOND,
    CLOSE,
    SECTION_BYTES,
    StepSearch,
    coarsest_reaching,
)
from rawback.encoder.rounds import Rounds
from rawback.errors import UnsupportedCarrier
from rawback.geometry import Geometry, build_guide
from rawback.metrics import raw_psnr, visible_errors
from rawback.parallel import threads
from rawback.rate import FINEST_STEP, LOSSLESS_STEP, step_of_quality
from rawback.residual import CODES_PER_LAYER, COEFFICIENT_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rawback.bitstream import Header, Section
    from rawback.encoder.learned_layer import Use
    from rawback.jpegio import DecodedJpeg
    from rawback.mosaic import Mosaic
    from rawback.rate import Rate, Tune
    from rawback.types import Guide, Progress, RawFrame

__all__ = ["Session", "prepare"]

_ATTEMPTS, _SMALL_ATTEMPTS, _SMALL_TILES = 4, 8, 4
_AIM = 0.99
"""Part of a size that is aimed at."""

_COARSE_STEP, _COARSE_LINEAR_STEP = 252, 172
"""From these steps on the learned layer is tried. Of mosaics these are about 5 standard deviations
of the noise: below, it saves hardly a percent and takes its time to decode."""

_LARGE = 1 << 22
"""Bayer frames of more pixels do without the learned layer where there is a residual: on training
frames of 4 to 12 megapixels it saves at most 3 percent of the bits at any step, 0.03 dB, and trying
it takes as long as all the rest."""

_SHIFTS = (0, 44)
"""Shifts that the networks were trained with, in eighths of an octave."""

_USUAL_SHIFT = 16
_LAST_SHIFTS = _USUAL_SHIFT, 28
"""Where no residual follows, large errors count more or less for the PSNR than they do before one:
what the readout is to be fitted for is tried. Of pairs of shifts these leave the fewest training
frames behind the base, one of nine, and are best on average of those that do."""

_SEEN_AT, _UNSEEN = 2.0, 0.01
"""Stops by which pictures are lifted whose errors are compared, and errors that nobody sees."""

_DECIBELS_PER_OCTAVE = 5.0
"""What half the visible error is worth in raw PSNR, where payloads are tuned for the eye."""

_FINE_STEP = 142
"""Below half a standard deviation of the noise, lossless may be the smaller payload."""

_LARGEST_SHARE, _SMALL_SHARE = 0.85, 0.15
"""Of what a header leaves, that a base may take, and below which no smaller base is tried."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """A payload of a size, and about the step code that suits it; None without a residual."""

    encoded: Encoded
    step: float | None


def prepare(
    frame: RawFrame,
    carrier: DecodedJpeg,
    *,
    unguided: bool = False,
    geometry: Geometry | None = None,
    tune: Tune = "visual",
    progress: Progress | None = None,
    use: Use = "auto",
    registered: Callable[[Guide], None] | None = None,
    attached: Attached | None = None,
) -> Session:
    """Register a raw with its JPEG and get ready to code it at any rate.

    Args:
        frame: The raw.
        carrier: The JPEG rendered from it.
        unguided: Where the JPEG does not show the raw, code the raw on its own.
        geometry: Where raw pixels lie in the JPEG; found out by default.
        tune: What errors are to be small for.
        progress: Is told how far the work is.
        use: Of the learned layer.
        registered: Is given the guide as soon as it is there, long before the rest.
        attached: What payloads hold besides samples; nothing by default.

    Raises:
        ShotMismatch: They do not show the same shot, and `unguided` is not given.
        NothingToRegister: One of them shows too little to tell, and `unguided` is not given; see
            `plain_geometries`.
        UnsupportedCarrier: The JPEG is tiny beside the raw.
    """
    report = progress or (lambda _stage, _done: None)
    height, width = carrier.pixels.shape[:2]
    if not fits(frame.width * frame.height, height * width):
        message = "The JPEG is far too small for this raw; export it larger."
        raise UnsupportedCarrier(message)
    report("Registering the JPEG on the raw", 0.0)
    if geometry is None:
        geometry = registered_geometry(frame, carrier, unguided=unguided)
    report("Resampling the JPEG", 0.2)
    guide = build_guide(geometry, carrier.pixels, threads=threads())
    if registered is not None:
        registered(guide)
    source = EncoderInput.of(frame, carrier, geometry, guide, tune=tune)
    session = Session(source, use, attached)
    report("Fitting the inverse rendering", 0.35)
    session.fit(lambda done: report("Fitting the inverse rendering", 0.35 + 0.65 * done))
    report("Analysis", 1.0)
    return session


def _coarse_step(mosaic: Mosaic) -> float:
    """From which step on the learned layer is tried; never where no network serves."""
    if mosaic.is_bayer:
        return _COARSE_STEP
    return _COARSE_LINEAR_STEP if mosaic.samples == 3 else math.inf


class Session:
    """A shot that can be coded at any rate; made by :func:`prepare`.

    Attributes:
        source: The shot.
        attached: What payloads hold besides samples; may be replaced between two of them.
    """

    def __init__(
        self, source: EncoderInput, use: Use = "auto", attached: Attached | None = None
    ) -> None:
        self.source = source
        self.attached = attached or Attached()
        self._use = use
        self._bases: dict[int, FittedBase] = {}
        self._analyses: dict[int, Analysis] = {}
        self._fitting = Lock()

    @property
    def frame(self) -> RawFrame:
        """The raw."""
        return self.source.original

    @property
    def guide(self) -> Guide:
        """The JPEG on the raw grid."""
        return self.source.guide

    @property
    def geometry(self) -> Geometry:
        """Where raw pixels lie in the JPEG."""
        return self.source.geometry

    @property
    def header(self) -> Header:
        """The header that all payloads of the shot share, but for what their rate adds."""
        return self.source.header

    def builder(self, analysis: Analysis) -> PayloadBuilder:
        """A payload of one of the bases, to be made."""
        return PayloadBuilder(self.header, analysis, self.attached)

    def analysis(
        self, base_level: int, report: Callable[[float], None] = lambda _done: None
    ) -> Analysis:
        """One of the bases and what it leaves.

        That of level 0, which nearly every rate starts from, is kept for good, of the others the
        one that was used last: each takes some 20 bytes for each sample.

        Args:
            base_level: Which of BASE_LAMBDAS.
            report: Is told which part is done; may raise to stop it.
        """
        with self._fitting:
            if base_level not in self._analyses:
                fitted = self._base(base_level)
                analysis = Analysis.of_base(self.source, fitted, report)
                if self._use not in {"auto", "never"}:
                    analysis = analysis.refined(_USUAL_SHIFT, self._use)
                kept = {level: kept for level, kept in self._analyses.items() if level == 0}
                self._analyses = {**kept, base_level: analysis}
            return self._analyses[base_level]

    def fit(self, report: Callable[[float], None]) -> None:
        """Fit the base of level 0 already; `report` is told how far that is."""
        with self._fitting:
            self._base(0, report)

    def _base(
        self, base_level: int, report: Callable[[float], None] = lambda _done: None
    ) -> FittedBase:
        """One of the bases, which its analysis begins with."""
        if base_level not in self._bases:
            fitted = FittedBase.of(self.source, BASE_LAMBDAS[base_level], report)
            self._bases[base_level] = fitted
        return self._bases[base_level]

    def encode(self, rate: Rate, *, progress: Progress | None = None) -> Encoded:
        """Code the shot.

        Args:
            rate: How large, or how good.
            progress: Is told how far the work is.

        Raises:
            RateUnreachable: Not even the base fits into the size.
        """
        report = Rounds(progress or (lambda _stage, _done: None))
        if rate.is_lossless:
            return self._lossless(report)
        if rate.kind == "quality":
            return self._of_step(step_of_quality(rate.value), report)
        if rate.kind == "psnr":
            return self._reach(rate.value, report)
        pixels = self.frame.width * self.frame.height
        size = rate.value if rate.kind == "size" else rate.value * pixels / 8
        return self._best_of_size(int(size), report)

    def _refined(
        self, analysis: Analysis, step: float, report: Progress, *, thorough: bool = False
    ) -> Analysis | None:
        """The base with the learned layer, where it is to be tried at a step and seems to pay.

        Args:
            analysis: The base.
            step: Step code.
            report: Is told how far it is.
            thorough: Try latents of mosaics too, which seldom pay and take half of the time.
        """
        mosaic, pixels = self.source.frame.mosaic, self.frame.width * self.frame.height
        if self._use != "auto" or step < _coarse_step(mosaic) or analysis.is_learned:
            return None
        if mosaic.is_bayer and pixels > _LARGE:
            return None

        def tell(done: float) -> None:
            report("Trying the learned layer", done)

        latents = thorough or not mosaic.is_bayer
        refined = analysis.refined(_shift_of(round(step)), report=tell, latents=latents)
        return refined if refined.is_learned else None

    def _of_step(self, step: int | None, report: Progress) -> Encoded:
        """The payload of a step; of what precedes the residual where there is none."""
        if step is None:
            return self._of_base(report)
        analysis = self.analysis(0)
        plain = self._build(analysis, step, report).finished()
        refined = self._refined(analysis, step, report)
        if refined is None:
            return self._smaller(plain, step, report)
        learned = self._build(refined, step, report).finished()
        smaller = len(learned.payload) <= len(plain.payload)
        return learned if smaller and self._merit(learned) >= self._merit(plain) else plain

    def _of_base(self, report: Progress) -> Encoded:
        """The base alone, or with the learned layer without latents: whatever is nearest."""
        analysis = self.analysis(0)
        candidates = [self._build(analysis, None, report).finished()]
        if self._use == "auto" and _coarse_step(self.source.frame.mosaic) < math.inf:
            for tried, shift in enumerate(_LAST_SHIFTS):
                report("Trying the learned layer", tried / len(_LAST_SHIFTS))
                refined = analysis.refined(shift, "bare")
                candidates.append(self._build(refined, None, report).finished())
        return max(candidates, key=self._merit)

    def _lossless(self, report: Progress) -> Encoded:
        analysis = self.analysis(0).tuned("psnr")
        builder = self._build(analysis, None, report)
        builder.add_layers(LOSSLESS_STEP, report, plain=True)
        layered = builder.with_lossless(report)
        if not are_codes_coarse(self.source.frame, self.source.domain):
            return layered
        # What layers restore, between codes, then says little of which code it is.
        bare = self._build(analysis, None, report).with_lossless(report)
        return min(bare, layered, key=lambda encoded: len(encoded.payload))

    def _smaller(self, lossy: Encoded, step_code: int, report: Progress) -> Encoded:
        """A lossy payload, or lossless where that takes less: with steps far below the noise."""
        if step_code >= _FINE_STEP:
            return lossy
        lossless = self._lossless(report)
        return lossless if len(lossless.payload) <= len(lossy.payload) else lossy

    def _build(self, analysis: Analysis, step: float | None, report: Progress) -> PayloadBuilder:
        """Code base and quality layers; the base alone where there is no step."""
        builder = self.builder(analysis)
        if step is not None:
            builder.add_layers(step, report)
        return builder

    def _best_of_size(self, size: int, report: Progress) -> Encoded:
        """The best payload of at most `size` bytes, over the bases whose share may suit it."""
        room = size - section_offsets(Payload(self.source.header, self.attached.leading))[-1]

        def leading(level: int) -> Iterable[Section]:
            if self._use not in {"auto", "never"}:
                return self.analysis(level).sections
            with self._fitting:
                return self._base(level).sections

        def share(level: int) -> float:
            return sum(section.packed_size for section in leading(level)) / max(room, 1)

        cheapest = len(BASE_LAMBDAS) - 1
        level = next((t for t in range(cheapest) if share(t) <= _LARGEST_SHARE), cheapest)
        base = self.analysis(level)
        best = self._fill(base, size, report)
        while level < cheapest and share(level) >= _SMALL_SHARE:
            level += 1
            smaller = self._fill(self.analysis(level), size, report)
            if self._merit(smaller.encoded) <= self._merit(best.encoded):
                break
            base, best = self.analysis(level), smaller
        refined = None
        if best.step is not None:
            refined = self._refined(base, best.step, report, thorough=True)
        if refined is None:
            return best.encoded
        # What the layer saves was estimated; what comes of it is known only now.
        return max(best.encoded, self._fill(refined, size, report).encoded, key=self._merit)

    def _merit(self, encoded: Encoded) -> float:
        """How good a payload is for what it is tuned for, in decibels."""
        psnr = self._psnr(encoded)
        if self.source.tune == "psnr":
            return psnr
        seen = visible_errors(self.frame, encoded.restored, exposures=[_SEEN_AT], sampled=True)
        octaves = sum(math.log2(max(error.mean, _UNSEEN)) for error in seen) / len(seen)
        return psnr - _DECIBELS_PER_OCTAVE * octaves

    def _psnr(self, encoded: Encoded) -> float:
        return raw_psnr(self.frame, encoded.restored)

    def _fill(self, analysis: Analysis, size: int, report: Progress) -> _Filled:
        """The finest payload of at most `size` bytes with a given base."""
        bare = self._build(analysis, None, report)
        room = size - bare.size
        if room < 2 * SECTION_BYTES:
            return _Filled(bare.cut_to(size), None)
        search = StepSearch(analysis)
        step = search.step_for(_aim(size, bare))
        return _Filled(self._approach(search, bare, step, size, report), step)

    def _approach(
        self, search: StepSearch, bare: PayloadBuilder, step: float, size: int, report: Progress
    ) -> Encoded:
        """Payload after payload from a first step on, until one fills `size` but not more."""
        small = len(search.analysis.predicted) <= _SMALL_TILES
        over, under = FINEST_STEP - 1.0, BEYOND
        fits: PayloadBuilder | None = None
        exceeds: PayloadBuilder | None = None
        for _ in range(_SMALL_ATTEMPTS if small else _ATTEMPTS):
            built = self._build(search.analysis, step, report)
            if built.size > size:
                over, exceeds = step, built
            else:
                under, fits = step, built
                if built.size >= CLOSE * size:
                    break
            search.learn(step, built.size - bare.size)
            step = search.step_for(_aim(size, bare), over, under)
            if not over < step < under:
                break
        if under < _FINE_STEP:
            lossless = self._lossless(report)
            if len(lossless.payload) <= size:
                return lossless
        if fits is not None and fits.size >= CLOSE * size:
            return fits.finished()
        trimmed = None if exceeds is None else exceeds.cut_to(size)
        if fits is None or (trimmed is not None and len(trimmed.payload) > fits.size):
            return trimmed or bare.finished()
        return fits.finished()

    def _reach(self, decibels: float, report: Progress) -> Encoded:
        """The smallest of the payloads that were tried whose raw PSNR is at least `decibels`."""
        analysis = self.analysis(0)
        bare = self._build(analysis, None, report).finished()
        if self._psnr(bare) >= decibels:
            return self._cheapest_base(bare, decibels, report)

        def step_for(analysis: Analysis, finest: int) -> int | None:
            def psnr_at(step: int | None) -> float:
                return self._psnr_at(analysis, step)

            return coarsest_reaching(decibels, psnr_at, report, finest)

        step = step_for(analysis, FINEST_STEP)
        if step is None:
            return self._lossless(report)
        plain = self._build(analysis, step, report).finished()
        refined = self._refined(analysis, step, report)
        if refined is None:
            return self._smaller(plain, step, report)
        step = step_for(refined, step)
        if step is None:
            return plain
        learned = self._build(refined, step, report).finished()
        return min(plain, learned, key=lambda encoded: len(encoded.payload))

    def _cheapest_base(self, bare: Encoded, decibels: float, report: Progress) -> Encoded:
        """The smallest base alone that reaches `decibels`, as the first one, `bare`, does."""
        for level in range(1, len(BASE_LAMBDAS)):
            cheaper = self._build(self.analysis(level), None, report).finished()
            if self._psnr(cheaper) < decibels:
                break
            bare = cheaper
        return bare

    def _psnr_at(self, analysis: Analysis, step: int | None) -> float:
        """Raw PSNR at a step, or of the base alone, without coding anything."""
        builder = self.builder(analysis)
        if step is not None:
            builder.quantise(step)
        return self._psnr(builder.finished())


def _aim(size: int, bare: PayloadBuilder) -> float:
    """Bytes that the quality layers are to take."""
    room = size - bare.size
    return max(room - (1 - _AIM) * size, room / 2)


def _shift_of(step_code: int) -> int:
    """The shift that suits a step of the residual layer, in eighths of an octave."""
    units = 8 * step_code // CODES_PER_LAYER
    return min(max(units - 8 * (COEFFICIENT_UNIT.bit_length() - 1), _SHIFTS[0]), _SHIFTS[1])
