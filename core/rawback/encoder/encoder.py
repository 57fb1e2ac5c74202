"""From a raw and its JPEG to a payload."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from rawback.common.header_fields import fits
from rawback.encoder.analysis import Analysis
from rawback.encoder.bases import Bases
from rawback.encoder.candidates import USUAL_SHIFT, Candidates
from rawback.encoder.encoder_input import EncoderInput
from rawback.encoder.geometries import registered_geometry
from rawback.encoder.payload_builder import Attached, PayloadBuilder
from rawback.encoder.psnr_search import smallest_of_psnr
from rawback.encoder.remainders import remainder_sections
from rawback.encoder.rounds import Rounds
from rawback.encoder.size_search import best_of_size
from rawback.errors import UnsupportedCarrier
from rawback.geometry import build_guide
from rawback.parallel import threads
from rawback.rate import step_of_quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback.bitstream import Header
    from rawback.encoder.learned_layer import Use
    from rawback.encoder.payload_builder import Encoded
    from rawback.geometry import Geometry
    from rawback.jpegio import DecodedJpeg
    from rawback.rate import Rate, Tune
    from rawback.types import Guide, Progress, RawFrame

__all__ = ["Session", "prepare"]


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
    with ThreadPoolExecutor(1) as pool:
        # Needed next, and kept by the carrier.
        pool.submit(lambda: carrier.digest)
        if geometry is None:
            geometry = registered_geometry(frame, carrier, unguided=unguided)
    report("Resampling the JPEG", 0.2)
    guide = build_guide(geometry, carrier.pixels, threads=threads())
    if registered is not None:
        registered(guide)
    source = EncoderInput.of(frame, carrier, geometry, guide, tune=tune)
    session = Session(source, use, attached)
    report("Fitting the inverse rendering", 0.35)
    session.bases.at(0, lambda done: report("Fitting the inverse rendering", 0.35 + 0.65 * done))
    report("Analysis", 1.0)
    return session


class Session:
    """A shot that can be coded at any rate; made by :func:`prepare`.

    Attributes:
        source: The shot.
        use: Of the learned layer.
        bases: Of the shot.
        attached: What payloads hold besides samples; may be replaced between two of them.
    """

    def __init__(
        self, source: EncoderInput, use: Use = "auto", attached: Attached | None = None
    ) -> None:
        self.source = source
        self.use = use
        self.attached = attached or Attached()
        self.bases = Bases(source)
        self._analyses: dict[int, Analysis] = {}
        self._fitting = Lock()
        # The same whatever the base.
        self.remainders = cache(lambda: remainder_sections(source.outside, source.grid))

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
        return PayloadBuilder(self.header, analysis, self.attached, self.remainders)

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
                fitted = self.bases.at(base_level)
                analysis = Analysis.of_base(self.source, fitted, report)
                if self.use not in {"auto", "never"}:
                    analysis = analysis.refined(USUAL_SHIFT, self.use)
                kept = {level: kept for level, kept in self._analyses.items() if level == 0}
                self._analyses = {**kept, base_level: analysis}
            return self._analyses[base_level]

    def let_go(self) -> None:
        """Keep nothing of what bases leave; it is made again if more is coded."""
        with self._fitting:
            self._analyses = {}

    def encode(self, rate: Rate, *, progress: Progress | None = None) -> Encoded:
        """Code the shot.

        Args:
            rate: How large, or how good.
            progress: Is told how far the work is.

        Raises:
            RateUnreachable: Not even the base fits into the size.
        """
        candidates = Candidates(self, Rounds(progress or (lambda _stage, _done: None)))
        if rate.is_lossless:
            return candidates.lossless()
        if rate.kind == "quality":
            return candidates.of_step(step_of_quality(rate.value))
        if rate.kind == "psnr":
            return smallest_of_psnr(candidates, rate.value)
        pixels = self.frame.width * self.frame.height
        size = rate.value if rate.kind == "size" else rate.value * pixels / 8
        return best_of_size(candidates, int(size))
