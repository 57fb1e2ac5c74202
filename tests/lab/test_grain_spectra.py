"""The benchmark of grain: which patches are flat, and what their spectrum is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rawback_lab.bench.grain import OCTAVES, crops_of, flat_patches, octave_powers
from rawback_lab.camera import CameraSpec
from rawback_lab.simulate import simulate


def noisy(seed: int = 0) -> np.ndarray:
    """The light of a scene whose left half is even and whose right half has texture."""
    light = np.full((256, 512, 3), 0.2, np.float32)
    coarse = np.random.default_rng(seed).uniform(0.4, 1.6, (32, 32)).astype(np.float32)
    light[:, 256:] *= np.kron(coarse, np.ones((8, 8), np.float32))[..., None]
    return light


def test_flat_patches_are_where_nothing_is_but_noise() -> None:
    frame = simulate(noisy(), CameraSpec(iso=1600), np.random.default_rng(1))
    across = (512 // 2 - 32) // 16 + 1
    columns = flat_patches(frame) % across
    assert len(columns) >= 16
    # A patch of 32 samples of a plane ends before the texture begins at the plane's column 128.
    assert columns.max() * 16 + 32 <= 128


def test_clipped_patches_are_not_flat() -> None:
    light = noisy()
    light[:, :256] = 4.0
    frame = simulate(light, CameraSpec(iso=1600), np.random.default_rng(1))
    across = (512 // 2 - 32) // 16 + 1
    assert (flat_patches(frame) % across * 16 + 32 > 128).all()


def test_white_noise_has_the_same_power_in_every_octave() -> None:
    frame = simulate(noisy(), CameraSpec(iso=1600), np.random.default_rng(2))
    rng = np.random.default_rng(3)
    noise = rng.normal(4000, 50, frame.cfa.shape)
    chosen = np.arange(60)
    powers = octave_powers(replace(frame, cfa=np.rint(noise).astype(np.uint16)), chosen)
    assert powers.shape == (60, 4, OCTAVES)
    octaves = 10 * np.log10(powers.mean(axis=(0, 1)))
    assert octaves == pytest.approx(np.full(OCTAVES, octaves.mean()), abs=0.5)
    soft = (
        noise + np.roll(noise, 2, 1) + np.roll(noise, 2, 0) + np.roll(noise, (2, 2), (0, 1))
    ) / 4
    softened = octave_powers(replace(frame, cfa=np.rint(soft).astype(np.uint16)), chosen)
    fall = 10 * np.log10(softened.mean(axis=(0, 1))) - octaves
    assert (np.diff(fall) > 0).all()
    assert fall[0] < -3


def test_the_sheet_shows_a_flat_place() -> None:
    light = noisy()
    light *= 0.15
    frame = simulate(light, CameraSpec(iso=1600), np.random.default_rng(4))
    plain = replace(frame, cfa=np.full_like(frame.cfa, round(frame.cfa.mean())))
    row = crops_of(frame, [frame, plain, frame])
    assert row.shape == (160, 3 * 256, 3)
    first, second, third = np.split(row.astype(float), 3, axis=1)
    assert np.array_equal(first, third)
    assert second.std(axis=(0, 1)).max() < first.std(axis=(0, 1)).max() / 3
