"""What follows from one base of a shot, down to the wavelet coefficients that are to be coded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rawback.bitstream import Section, SectionKind
from rawback.common.error_weights import WEIGHT_POWER, ErrorWeights
from rawback.common.prediction import Prediction, predict
from rawback.encoder.decomposition import Decomposed, Decomposition
from rawback.parallel import in_threads
from rawback.residual import CODES_PER_LAYER, LosslessTile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from rawback.encoder.base_fits import FittedBase
    from rawback.encoder.encoder_input import EncoderInput
    from rawback.encoder.learned_layer import LearnedLayer, Readout, Use
    from rawback.encoder.rd_quantisation import FittedQuantisers
    from rawback.rate import Tune
    from rawback.residual import KLT, Band
    from rawback.tone import Base

__all__ = ["Analysis"]


@dataclass(frozen=True, slots=True)
class Analysis:
    """One base for a shot, and what it leaves to code.

    Attributes:
        source: The shot.
        base: The base.
        sections: Of the base and of the latents.
        predicted: The base over each tile, with what latents add.
        weight_power: Power of the weights of errors, in quarters.
        coding_order: In which step the latent over each quad is coded, uint8 ``[h, w]``; None
            without latents.
    """

    source: EncoderInput
    base: Base
    sections: list[Section]
    predicted: list[Prediction]
    weight_power: int
    _decomposed: Decomposed = field(repr=False)
    coding_order: NDArray[np.uint8] | None = None

    @classmethod
    def of_base(
        cls, source: EncoderInput, fitted: FittedBase, report: Callable[[float], None]
    ) -> Analysis:
        """See what a base leaves; `report` is told which part is done."""
        report(0.0)
        predicted = _predict_tiles(source, fitted.base)
        report(0.6)
        return cls.of_prediction(source, fitted.base, list(fitted.sections), predicted)

    @classmethod
    def of_prediction(
        cls,
        source: EncoderInput,
        base: Base,
        sections: list[Section],
        predicted: list[Prediction],
        coding_order: NDArray[np.uint8] | None = None,
        weight_power: int = WEIGHT_POWER,
    ) -> Analysis:
        """Of a base that was evaluated already; all but `source` as the attributes."""
        weights = ErrorWeights.of(source.frame.noise, weight_power)
        decomposed = Decomposed(lambda: Decomposition.of(source, predicted, weights))
        return cls(source, base, sections, predicted, weight_power, decomposed, coding_order)

    @property
    def transform(self) -> KLT:
        """Across planes."""
        return self._decomposed.value.transform

    @property
    def coefficients(self) -> dict[Band, NDArray[np.float32]]:
        """Wavelet coefficients, float32 ``[planes, h, w]`` of each band of the whole frame."""
        return self._decomposed.value.coefficients

    @property
    def quantisers(self) -> FittedQuantisers:
        """Of the coefficients."""
        return self._decomposed.value.quantisers

    def let_go(self) -> None:
        """Keep no coefficients of a large frame; they are made again if they are asked for."""
        self._decomposed.let_go()

    def tuned(self, tune: Tune) -> Analysis:
        """The same for errors that are to be small for something else."""
        if tune == self.source.tune:
            return self
        source = replace(self.source, tune=tune)
        return Analysis.of_prediction(
            *(source, self.base, self.sections, self.predicted),
            *(self.coding_order, self.weight_power),
        )

    def weighed(self, weight_power: int) -> Analysis:
        """The same with other weights of errors.

        Args:
            weight_power: Power in quarters, 0 to 4.
        """
        return Analysis.of_prediction(
            *(self.source, self.base, self.sections, self.predicted),
            *(self.coding_order, weight_power),
        )

    def strength_at(self, step: float) -> float:
        """How far steps are to follow the eye, 1 for all the way.

        Args:
            step: Of a payload as large as the one that is to be made, if they do.
        """
        return self.quantisers.strength_at(step) if self.source.tune == "visual" else 1.0

    def following(self, strength: float) -> Analysis:
        """The same with steps that follow the eye so far."""
        if strength == 1:
            return self
        made = self._decomposed.value
        made = replace(made, quantisers=made.quantisers.following(strength))
        return replace(self, _decomposed=Decomposed(lambda: made))

    @property
    def weights(self) -> ErrorWeights:
        """What errors count."""
        return ErrorWeights.of(self.source.frame.noise, self.weight_power)

    @property
    def is_learned(self) -> bool:
        """Whether there is a learned layer."""
        return any(section.kind == SectionKind.LATENTS for section in self.sections)

    def refined(
        self,
        shift: int,
        use: Use = "auto",
        report: Callable[[float], None] = lambda _done: None,
        *,
        latents: bool = True,
        readout: Readout | None = None,
        worth: Callable[[Analysis], float] | None = None,
    ) -> Analysis:
        """The same with a learned layer, or this one itself where none pays.

        Args:
            shift: For steps of so many eighths of an octave above the noise.
            use: Whether the layer is to be used even where it does not pay.
            report: Is told which part is done; may raise to stop it.
            latents: Whether latents are tried where that is left open.
            readout: The only one to try; by default all.
            worth: What a payload with a layer would be worth. By default what it saves counts.
        """
        layer = self._learned_layer(
            shift, use, report, latents=latents, readout=readout, worth=worth
        )
        return self if layer is None else self._with_layer(layer)

    def learned_use(
        self, shift: int, *, latents: bool, times: float, worth: Callable[[Analysis], float]
    ) -> tuple[Use, Readout | None]:
        """Which use of the learned layer pays on a frame that this is an excerpt of, and how.

        Args:
            shift: As for `refined`.
            latents: As for `refined`.
            times: How many times as large that frame is.
            worth: As for `refined`, of the excerpt.
        """
        layer = self._learned_layer(
            shift, "auto", lambda _done: None, latents=latents, times=times, worth=worth
        )
        if layer is None:
            return "never", None
        return "full" if len(layer.sections) > 1 else "bare", layer.readout

    def _with_layer(self, layer: LearnedLayer) -> Analysis:
        from rawback.common.latents import with_planes

        predicted = with_planes(self.predicted, layer.planes)
        sections = self.sections + layer.sections
        return Analysis.of_prediction(
            *(self.source, self.base, sections, predicted),
            *(layer.coding_order, self.weight_power),
        )

    def _learned_layer(
        self,
        shift: int,
        use: Use,
        report: Callable[[float], None],
        *,
        latents: bool,
        readout: Readout | None = None,
        worth: Callable[[Analysis], float] | None = None,
        times: float = 1.0,
    ) -> LearnedLayer | None:
        from rawback.common.latents import member_for
        from rawback.common.network_input import NetworkInput
        from rawback.encoder.learned_layer import choose_learned_layer
        from rawback.models import flipped_planes
        from rawback.models.objective import Emphasis
        from rawback.weights import weights

        source = self.source
        member = member_for(source.frame.mosaic)
        if member is None:
            return None
        model = weights(member)
        view = NetworkInput.of(source.frame.mosaic, source.guides, self.predicted)
        emphasis = None
        if source.tune == "visual":
            # Networks see planes sorted as those of RGGB.
            columns = flipped_planes(self.transform.components.T[..., None], view.pattern)
            mix = columns[..., 0].T.tolist()
            octaves = (slope / CODES_PER_LAYER for slope in self.quantisers.slopes[: len(mix)])
            emphasis = Emphasis(tuple(map(tuple, mix)), tuple(octaves))
        return choose_learned_layer(
            *(model, view, source.planes, self.weights, shift, use, report),
            latents=latents,
            readout=readout,
            worth=None if worth is None else lambda layer: worth(self._with_layer(layer)),
            emphasis=emphasis,
            times=times,
        )

    def cut_to(self, count: int) -> Analysis:
        """The same, as it is where the payload ends after so many of its sections."""
        source, sections = self.source, self.sections[:count]
        kinds = {section.kind for section in sections}
        base = self.base if SectionKind.FILTER in kinds else replace(self.base, filters=())
        predicted = _predict_tiles(source, base)
        order = None
        latents = {s.layer: s.data for s in sections if s.kind == SectionKind.LATENTS}
        if latents:
            from rawback.common.latents import refine

            refined = refine(source.frame.mosaic, source.guides, predicted, latents)
            predicted, order = refined.predicted, refined.coding_order
        return replace(self, base=base, sections=sections, predicted=predicted, coding_order=order)

    def lossless_tile(self, index: int, values: NDArray[np.int16]) -> LosslessTile:
        """What the lossless layer knows of a tile, given what is restored of the frame below it."""
        prediction = self.predicted[index]
        part = values[(slice(None), *prediction.window.slices)]
        place = (prediction.window.top, prediction.window.left)
        return LosslessTile.of(part, prediction.classes, self.source.frame.mosaic, place)


def _predict_tiles(source: EncoderInput, base: Base) -> list[Prediction]:
    return list(in_threads(lambda tile: predict(base, source.guides, tile), source.grid.tiles()))
