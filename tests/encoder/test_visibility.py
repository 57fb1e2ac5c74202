"""Axes by visibility, and what tuning by them does to what is seen of a payload's errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rawback.encoder import Session
from rawback.encoder.encoder_input import EncoderInput
from rawback.encoder.visibility import LEAST_SLOPE, visible_axes
from rawback.geometry import Aligned, Geometry
from rawback.jpegio import decode_jpeg
from rawback.metrics import raw_psnr, visible_errors
from rawback.rate import Rate
from rawback.residual import EVEN, MAX_SLOPE
from rawback_lab.camera import CameraSpec
from rawback_lab.scenes import made_up_shot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.rate import Tune
    from rawback.types import BayerPattern, RawFrame


def source_of(tune: Tune = "visual", pattern: BayerPattern = "RGGB", seed: int = 0) -> EncoderInput:
    frame, jpeg = made_up_shot(384, 512, CameraSpec(pattern=pattern), 85, seed=seed)
    geometry = Geometry((512, 384), (512, 384), Aligned())
    return EncoderInput.of(frame, decode_jpeg(jpeg), geometry, tune=tune)


@pytest.mark.parametrize("pattern", ["RGGB", "GBRG"])
def test_green_against_magenta_is_seen_first_and_the_difference_of_greens_last(
    pattern: BayerPattern,
) -> None:
    source = source_of(pattern=pattern)
    weights = Session(source, "never").analysis(0).weights
    transform, slopes = visible_axes(source, weights, np.eye(4))
    axes = transform.matrix.astype(float) / 64
    assert axes.T @ axes == pytest.approx(np.eye(4), abs=0.03)
    assert all(LEAST_SLOPE <= slope <= MAX_SLOPE for slope in slopes)
    greens = [position for position in range(4) if pattern[position] == "G"]
    others = [position for position in range(4) if pattern[position] != "G"]
    first = axes[:, np.argmax(slopes)]
    assert np.sign(first[greens]).tolist() == [np.sign(first[greens[0]])] * 2
    assert np.sign(first[others]).tolist() == [-np.sign(first[greens[0]])] * 2
    difference = np.zeros(4)
    difference[greens] = np.sqrt(0.5) * np.array([1, -1])
    seen_last = np.argmax(np.abs(difference @ axes))
    assert slopes[seen_last] == min(slopes)


def test_axes_come_by_what_the_base_leaves_of_them() -> None:
    source = source_of()
    weights = Session(source, "never").analysis(0).weights
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(4, 500)) * np.array([[9.0], [1.0], [2.0], [5.0]])
    covariance = errors @ errors.T
    transform, _ = visible_axes(source, weights, covariance)
    axes = transform.matrix.astype(float)
    shares = np.einsum("ij,ik,kj->j", axes, covariance, axes)
    assert (np.diff(shares) <= 0.02 * shares[0]).all()
    assert (transform.matrix.astype(int).sum(axis=0) >= -1).all()


def test_tuning_for_psnr_leaves_all_levels_alike() -> None:
    session = Session(source_of("psnr"), "never")
    assert session.analysis(0).quantisers.slopes == EVEN[:4]
    visual = Session(source_of("visual"), "never")
    assert visual.analysis(0).tuned("psnr").quantisers.slopes == EVEN[:4]
    assert visual.analysis(0).tuned("visual") is visual.analysis(0)


def casts(original: RawFrame, restored: RawFrame, sigma: float) -> NDArray[np.float64]:
    """What is left of errors over areas, in standard deviations of the noise, ``[4, h, w]``."""
    error = restored.cfa.astype(np.float64) - original.cfa
    deviation = np.sqrt(original.noise.scale * 0.05 + original.noise.offset) * original.white
    return np.stack(
        [
            cv2.GaussianBlur(error[p // 2 :: 2, p % 2 :: 2], (0, 0), sigma) / deviation
            for p in range(4)
        ]
    )


def test_errors_are_seen_less_at_the_same_size() -> None:
    sessions: dict[Tune, Session] = {
        "visual": Session(source_of("visual"), "never"),
        "psnr": Session(source_of("psnr"), "never"),
    }
    restored = {t: session.encode(Rate.size(9000)).restored for t, session in sessions.items()}
    frame = sessions["psnr"].frame
    seen = {
        tune: visible_errors(frame, one, exposures=[2.0])[1].mean for tune, one in restored.items()
    }
    assert seen["visual"] < 0.9 * seen["psnr"]
    assert raw_psnr(frame, restored["psnr"]) > raw_psnr(frame, restored["visual"])
    assert raw_psnr(frame, restored["psnr"]) < raw_psnr(frame, restored["visual"]) + 1.5


def test_no_cast_over_an_area_survives_at_the_usual_quality() -> None:
    session = Session(source_of(seed=4), "never")
    restored = session.encode(Rate.quality(60)).restored
    assert np.abs(casts(session.frame, restored, 16)).max() < 0.5


def test_lossless_payloads_do_not_depend_on_the_tuning() -> None:
    tunes: tuple[Tune, Tune] = ("visual", "psnr")
    payloads = [Session(source_of(tune), "never").encode(Rate.lossless()).payload for tune in tunes]
    assert payloads[0] == payloads[1]


def test_better_qualities_are_larger_and_closer() -> None:
    session = Session(source_of(seed=2), "never")
    sizes, psnrs = [], []
    for quality in (5, 20, 40, 60, 75, 90):
        encoded = session.encode(Rate.quality(quality))
        sizes.append(len(encoded.payload))
        psnrs.append(raw_psnr(session.frame, encoded.restored))
    assert sizes == sorted(set(sizes))
    assert psnrs == sorted(set(psnrs))


def test_a_frame_without_light_has_axes_too() -> None:
    source = source_of()
    dark = replace(source, planes=np.zeros_like(source.planes))
    weights = Session(source, "never").analysis(0).weights
    transform, slopes = visible_axes(dark, weights, np.zeros((4, 4)))
    assert np.linalg.matrix_rank(transform.matrix.astype(float)) == 4
    assert all(slope >= LEAST_SLOPE for slope in slopes)
