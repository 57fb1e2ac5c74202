"""Large frames: what is tried several times is tried on a part of them, and they are coded once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.common import reconstruction
from rawback.encoder import decomposition, excerpt, prepare, sampling, size_search
from rawback.encoder.decomposition import Decomposition
from rawback.encoder.excerpt import Excerpt
from rawback.encoder.payload_builder import PayloadBuilder
from rawback.jpegio import decode_jpeg
from rawback.rate import Rate
from rawback_lab.camera import CameraSpec
from rawback_lab.render import encode_jpeg
from rawback_lab.scenes import made_up_shot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.encoder import Session
    from rawback.types import Progress

_SIDE = 2048


@pytest.fixture(scope="module", autouse=True)
def _thresholds() -> Iterator[None]:
    """Let frames of four megapixels count as large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excerpt, "_LARGE", 1 << 20)
        for module in (decomposition, sampling, size_search):
            patch.setattr(module, "_LARGE", 1 << 20)
        yield


@pytest.fixture(scope="module")
def linear() -> Session:
    """A linear frame of 4 x 4 tiles."""
    frame, jpeg = made_up_shot(_SIDE, _SIDE, CameraSpec(pattern="R+G+B"), quality=90)
    return prepare(frame, decode_jpeg(jpeg))


class _Codings:
    """Counts codings of whole frames, lossy and lossless."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.lossy = self.lossless = 0
        add_layers, with_lossless = PayloadBuilder.add_layers, PayloadBuilder.with_lossless

        def counted(
            builder: PayloadBuilder, step: float, report: Progress, *, plain: bool = False
        ) -> None:
            self.lossy += not plain and self._is_whole(builder)
            add_layers(builder, step, report, plain=plain)

        def counted_lossless(builder: PayloadBuilder, report: Progress) -> object:
            self.lossless += self._is_whole(builder)
            return with_lossless(builder, report)

        patch.setattr(PayloadBuilder, "add_layers", counted)
        patch.setattr(PayloadBuilder, "with_lossless", counted_lossless)

    @staticmethod
    def _is_whole(builder: PayloadBuilder) -> bool:
        return builder.analysis.source.grid.whole.shape == (_SIDE, _SIDE)


@pytest.mark.parametrize("bits_per_pixel", [0.1, 0.5])
def test_sizes_are_reached_with_one_coding_or_two(
    linear: Session, bits_per_pixel: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    codings = _Codings(monkeypatch)
    size = int(bits_per_pixel * _SIDE * _SIDE / 8)
    encoded = linear.encode(Rate.size(size))
    assert 0.94 * size < len(encoded.payload) <= size
    assert codings.lossy in {1, 2}
    assert codings.lossless == 0


def test_an_excerpt_shows_the_frame_as_it_is(linear: Session) -> None:
    part = Excerpt.of(linear.source)
    assert part is not None
    analysis, whole = part.of_base(linear.bases.at(0)), linear.analysis(0)
    again = part.of_analysis(whole)
    predicted = {prediction.window: prediction for prediction in whole.predicted}
    assert len(part.places) * 512 * 512 == part.share * _SIDE * _SIDE
    for (there, here), one, other in zip(
        part.places, analysis.predicted, again.predicted, strict=True
    ):
        samples = part.source.frame.cfa[here.slices]
        assert np.array_equal(samples, linear.source.frame.cfa[there.slices])
        planes = part.source.planes[(slice(None), *here.slices)]
        assert np.array_equal(planes, linear.source.planes[(slice(None), *there.slices)])
        assert one.window == other.window == here
        for found in (one, other):
            assert np.array_equal(found.planes, predicted[there].planes)
            assert np.array_equal(found.classes, predicted[there].classes)


def test_small_frames_have_no_excerpt() -> None:
    frame, jpeg = made_up_shot(131, 97)
    assert Excerpt.of(prepare(frame, decode_jpeg(jpeg)).source) is None


def test_drawings_are_not_coded_without_loss_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 256, (_SIDE // 8, _SIDE // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    frame, _ = made_up_shot(16, 16, CameraSpec(pattern="R+G+B"))
    samples = (codes.astype(np.uint16) << 4) + round(max(frame.black))
    drawing = replace(frame.excerpt(np.ascontiguousarray(samples)), white=4095 + 512)
    session = prepare(drawing, decode_jpeg(encode_jpeg(codes, 60, "4:2:0")))
    codings = _Codings(monkeypatch)
    exact = session.encode(Rate.lossless())
    assert np.array_equal(exact.restored.cfa, drawing.cfa)
    assert codings.lossless == 1
    lossy = session.encode(Rate.size(len(exact.payload) // 4))
    assert not np.array_equal(lossy.restored.cfa, drawing.cfa)
    assert codings.lossless == 1
    assert session.encode(Rate.size(len(exact.payload))).payload == exact.payload
    assert codings.lossless == 2


def test_strips_restore_what_the_whole_does(
    linear: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = linear.builder(linear.analysis(0))
    builder.quantise(250)
    strips = builder.restored_values()
    monkeypatch.setattr(reconstruction, "_TILES_EACH", 1 << 20)
    assert np.array_equal(strips, builder.restored_values())


@pytest.mark.parametrize("pattern", ["R+G+B", "RGGB"])
def test_strips_are_decomposed_as_the_whole_is(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    frame, jpeg = made_up_shot(1175, 2049, CameraSpec(pattern=pattern), quality=90)
    analysis = prepare(frame, decode_jpeg(jpeg)).analysis(0)
    found = []
    for least in (1, 1 << 40):
        monkeypatch.setattr(decomposition, "_LARGE", least)
        monkeypatch.setattr(decomposition, "_TILES_EACH", 1)
        fresh = Decomposition.of(analysis.source, analysis.predicted, analysis.weights)
        found.append((fresh.transform.matrix, *fresh.coefficients.values()))
        before = fresh.coefficients
        fresh.let_go()
        assert (fresh.coefficients is before) == (least > 1)
    for strips, whole in zip(*found, strict=True):
        assert np.array_equal(strips, whole)
