"""Payloads of one shot: how each is made, and which of two is better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rawback.common.tiles import completed
from rawback.encoder.base_choice import Trial
from rawback.encoder.code_lists import do_pixels_repeat
from rawback.encoder.excerpt import Excerpt
from rawback.encoder.lossless_search import smallest_lossless
from rawback.encoder.merit import merit
from rawback.metrics import raw_psnr
from rawback.residual import CODES_PER_LAYER, COEFFICIENT_UNIT

if TYPE_CHECKING:
    from rawback.encoder.analysis import Analysis
    from rawback.encoder.encoder import Session
    from rawback.encoder.encoder_input import EncoderInput
    from rawback.encoder.learned_layer import Readout, Use
    from rawback.encoder.payload_builder import Encoded, PayloadBuilder
    from rawback.mosaic import Mosaic
    from rawback.types import Progress

__all__ = ["FINE_STEP", "USUAL_SHIFT", "Candidates"]

_COARSE_STEP, _COARSE_LINEAR_STEP = 252, 172
"""From these steps on the learned layer is tried. Of mosaics these are about 5 standard deviations
of the noise: below, it saves hardly a percent and takes its time to decode."""

_LARGE = 1 << 22
"""Bayer frames of more pixels do without the learned layer where there is a residual: on training
frames of 4 to 12 megapixels it saves at most 3 percent of the bits at any step, 0.03 dB, and trying
it takes as long as all the rest."""

_LEARNED_TILES = 8
"""Of a large frame, on which use of the learned layer is tried."""

_SHIFTS = (0, 44)
"""Shifts that the networks were trained with, in eighths of an octave."""

USUAL_SHIFT = 16
_LAST_SHIFTS = USUAL_SHIFT, 28
"""Where no residual follows, large errors count more or less for the PSNR than they do before one:
what the readout is to be fitted for is tried. Of pairs of shifts these leave the fewest training
frames behind the base, one of nine, and are best on average of those that do."""

FINE_STEP = 142
"""Below half a standard deviation of the noise, lossless may be the smaller payload."""


class Candidates:
    """Makes payloads of a shot, with and without the learned layer, and compares them.

    Args:
        session: The shot.
        report: Is told how far the work is.
    """

    def __init__(self, session: Session, report: Progress) -> None:
        self.session = session
        self.report = report

    def refined(self, trial: Trial, *, thorough: bool = False) -> Analysis | None:
        """The base with the learned layer, where it is to be tried at a size and seems to pay.

        Args:
            trial: The base at that size.
            thorough: Try latents of mosaics too, which seldom pay and take half of the time.
        """
        analysis, step = trial.analysis, trial.step
        if step is None or analysis.is_learned or not self._is_layer_tried(step):
            return None
        mosaic = self.session.source.frame.mosaic

        def tell(done: float) -> None:
            self.report("Trying the learned layer", done)

        latents, shift = thorough or not mosaic.is_bayer, _shift_of(round(step))
        use: Use = "auto"
        readout: Readout | None = None
        excerpt = Excerpt.of(self.session.source, _LEARNED_TILES)
        if excerpt is not None:
            # Seen as networks see it, all of a large frame takes as long as much of its coding.
            tell(0.0)
            share = excerpt.share
            use, readout = excerpt.of_analysis(analysis).learned_use(
                shift,
                latents=latents,
                times=1 / share,
                worth=lambda part: trial.like(part, share).merit,
            )
            if use == "never":
                return None
        refined = analysis.refined(
            *(shift, use, tell),
            latents=latents,
            readout=readout,
            worth=lambda layered: trial.like(layered).merit,
        )
        return refined if refined.is_learned else None

    def refined_beside(self, plain: Encoded, analysis: Analysis, step: float) -> Analysis | None:
        """The base of a payload with the learned layer, where that seems to pay at its size.

        Args:
            plain: The payload.
            analysis: Its base.
            step: Of its layers.
        """
        # A trial takes as long as coding a sample some times.
        if not self._is_layer_tried(step):
            return None
        return self.refined(Trial(self, analysis, len(plain.payload), near=step))

    def _is_layer_tried(self, step: float) -> bool:
        """Whether the learned layer may pay at a step."""
        frame = self.session.source.frame
        mosaic, pixels = frame.mosaic, frame.width * frame.height
        if self.session.use != "auto" or (mosaic.is_bayer and pixels > _LARGE):
            return False
        return step >= _coarse_step(mosaic)

    def of_step(self, step: int | None) -> Encoded:
        """The payload of a step; of what precedes the residual where there is none."""
        if step is None:
            return self.of_base()
        analysis = self.session.analysis(0)
        plain = self.build(analysis, step).finished()
        refined = self.refined_beside(plain, analysis, step)
        if refined is None:
            return self.smaller(plain, step)
        learned = self.build(refined, step).finished()
        smaller = len(learned.payload) <= len(plain.payload)
        return learned if smaller and self.merit(learned) >= self.merit(plain) else plain

    def of_base(self) -> Encoded:
        """The base alone, or with the learned layer without latents: whatever is nearest."""
        analysis = self.session.analysis(0)
        candidates = [self.build(analysis, None).finished()]
        if self.session.use == "auto" and _coarse_step(self.session.source.frame.mosaic) < math.inf:
            for tried, shift in enumerate(_LAST_SHIFTS):
                self.report("Trying the learned layer", tried / len(_LAST_SHIFTS))
                refined = analysis.refined(shift, "bare")
                candidates.append(self.build(refined, None).finished())
        return max(candidates, key=self.merit)

    def lossless(self) -> Encoded:
        """The lossless payload."""
        encoded = smallest_lossless(self)
        if encoded is None:
            message = "without a limit there is a lossless payload"
            raise AssertionError(message)
        return encoded

    def lossless_within(self, size: int) -> Encoded | None:
        """The lossless payload if it takes no more than some bytes."""
        return smallest_lossless(self, size)

    def smaller(self, lossy: Encoded, step_code: int) -> Encoded:
        """A lossy payload, or lossless where that takes less: far below the noise, of drawings."""
        if step_code >= FINE_STEP and not self.is_drawing:
            return lossy
        return self.lossless_within(len(lossy.payload)) or lossy

    @property
    def is_drawing(self) -> bool:
        """Whether the raw is one of flat areas, which may take less without loss than with some."""
        frame = self.session.source.frame
        return do_pixels_repeat(completed(frame.cfa, frame.mosaic), frame.mosaic)

    def build(self, analysis: Analysis, step: float | None) -> PayloadBuilder:
        """Code base and quality layers; the base alone where there is no step."""
        builder = self.session.builder(analysis)
        if step is not None:
            builder.add_layers(step, self.report)
        return builder

    def merit(self, encoded: Encoded, source: EncoderInput | None = None) -> float:
        """How good a payload is for what it is tuned for, in decibels.

        Args:
            encoded: The payload.
            source: Of an excerpt, where it is one; the shot by default.
        """
        return merit(source or self.session.source, encoded.restored)

    def psnr(self, encoded: Encoded) -> float:
        """Raw PSNR of a payload."""
        return raw_psnr(self.session.frame, encoded.restored)


def _coarse_step(mosaic: Mosaic) -> float:
    """From which step on the learned layer is tried; never where no network serves."""
    if mosaic.is_bayer:
        return _COARSE_STEP
    return _COARSE_LINEAR_STEP if mosaic.samples == 3 else math.inf


def _shift_of(step_code: int) -> int:
    """The shift that suits a step of the residual layer, in eighths of an octave."""
    units = 8 * step_code // CODES_PER_LAYER
    return min(max(units - 8 * (COEFFICIENT_UNIT.bit_length() - 1), _SHIFTS[0]), _SHIFTS[1])
