"""Material for training: crops turned and mirrored stay what a camera could have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from rawback.jpegio import decode_jpeg
from rawback.residual import RegionClass
from rawback_lab.learn import pack
from rawback_lab.learn.material import Material
from rawback_lab.learn.pack import Sources
from rawback_lab.learn.renderings import Finishing, converted, linear_jpeg, linear_light
from rawback_lab.learn.shards import number_of, packed, shard_of
from rawback_lab.scenes import made_up_shot

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 16


def _shard(folder: Path, planes: int) -> Path:
    """Crops whose base is a smooth function of where each sample lies, as the guide is."""
    each = 2 if planes == 4 else 1
    rows, columns = np.indices((each * SIDE, each * SIDE))
    guide = np.stack([rows, columns, rows + columns], axis=2).astype(np.uint8)
    light: NDArray[np.int64] = 3 * rows + 5 * columns
    if planes == 4:
        base = np.stack([light[p // 2 :: 2, p % 2 :: 2] for p in range(4)])
    else:
        base = np.stack([light, light + 1000, light + 2000])
    spots = np.where(np.arange(SIDE) < 3, RegionClass.CLIPPED, RegionClass.SMOOTH).astype(np.uint8)
    held: dict[str, NDArray[Any]] = {
        "guide": guide,
        "mask": np.ones((SIDE, SIDE), np.uint8),
        "base": base.astype(np.int16),
        "truth": base.astype(np.int16) + 7,
        "classes": np.tile(spots, (SIDE, 1)),
    }
    path = folder / "shot.safetensors"
    save_file({name: np.ascontiguousarray(value[None]) for name, value in held.items()}, path)
    return path


@pytest.mark.parametrize("planes", [4, 3])
@pytest.mark.parametrize("turn", range(8))
def test_turned_crops_agree_with_their_guide(tmp_path: Path, planes: int, turn: int) -> None:
    material = Material([_shard(tmp_path, planes)])
    batch = material.batch(torch.zeros(1, dtype=torch.long), turn)
    light = 3 * batch.guide[0, 0] + 5 * batch.guide[0, 1]
    for plane in range(planes):
        seen = light[plane // 2 :: 2, plane % 2 :: 2] if planes == 4 else light + 1000 * plane
        assert torch.equal(batch.base[0, plane], seen)
    assert torch.equal(batch.truth, batch.base + 7)


@pytest.mark.parametrize("turn", range(8))
def test_clipped_quads_stay_marked(tmp_path: Path, turn: int) -> None:
    material = Material([_shard(tmp_path, 4)])
    batch = material.batch(torch.zeros(1, dtype=torch.long), turn)
    clipped = (batch.guide[0, 1] < 6).float()
    any_of_quad = torch.nn.functional.max_pool2d(clipped[None, None], 2)[0, 0]
    assert torch.equal(batch.flags[0, 0], any_of_quad)


def test_all_turns_differ(tmp_path: Path) -> None:
    material = Material([_shard(tmp_path, 4)])
    seen = {
        material.batch(torch.zeros(1, dtype=torch.long), t).base.numpy().tobytes() for t in range(8)
    }
    assert len(seen) == 8


def test_shots_that_come_later_are_drawn_too(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    material, random = Material([_shard(tmp_path, 4)]), torch.Generator().manual_seed(0)
    assert set(material.rows(20, 1, random).tolist()) == {0}
    material.add([_shard(tmp_path / "later", 4)])
    assert (material.shots, len(material)) == (2, 2)
    assert set(material.rows(20, 1, random).tolist()) == {0, 1}
    material.add([])
    assert len(material) == 2


def test_shots_held_out_are_of_photographs_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        shard_of(tmp_path, number).touch()
    kept = [number_of(shard) for shard in packed(tmp_path, held_out=True)]
    trained = [number_of(shard) for shard in packed(tmp_path, held_out=False)]
    assert sorted(kept + trained) == list(range(40))
    assert 0 < len(kept) < len(trained) / 10

    rng = np.random.default_rng(0)
    photos = []
    for number in range(20):
        photo = tmp_path / f"{number:02d}.jxl"
        pixels = np.full((32, 32, 3), 10 + 12 * number, np.uint8)
        photo.write_bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
        photos.append(photo)
    sources = Sources(photos, [])
    monkeypatch.setattr(pack, "simulate", lambda picture, *_: int(picture[0, 0, 0]))
    opened: dict[bool, set[Any]] = {
        held_out: {sources.frame(rng, held_out=held_out) for _ in range(60)}
        for held_out in (True, False)
    }
    assert opened[True] == {10, 10 + 12 * 16}
    assert len(opened[False]) > 10
    assert not opened[True] & opened[False]


def test_photographs_to_be_tested_on_are_not_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        pixels = np.full((32, 32, 3), 10 + 12 * number, np.uint8)
        photo = tmp_path / f"{number:02d}.jxl"
        photo.write_bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    monkeypatch.setattr(pack, "simulate", lambda picture, *_: int(picture[0, 0, 0]))
    rng = np.random.default_rng(0)
    sources = Sources.of(tmp_path, None, ["03.jxl", "07.jxl"])
    trained: set[Any] = {sources.frame(rng, held_out=False) for _ in range(300)}
    kept: set[Any] = {sources.frame(rng, held_out=True) for _ in range(60)}
    # Those that are held out are the same as without it.
    assert trained == {10 + 12 * k for k in range(20)} - {10 + 12 * k for k in (0, 3, 7, 16)}
    assert kept == {10, 10 + 12 * 16}


def test_a_linear_camera_is_asked_for_by_its_pattern(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jxl"
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    photo.write_bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    frame = Sources([photo], []).frame(np.random.default_rng(0), held_out=True, pattern="R+G+B")
    assert frame.cfa.shape == (64, 96, 3)


@pytest.mark.parametrize("factor", [1, 2])
def test_converters_write_linear_frames_and_render_them_with_a_finish(factor: int) -> None:
    mosaic, _ = made_up_shot(128, 160, seed=2)
    frame = converted(mosaic, factor)
    assert frame.cfa.shape == (128 // factor, 160 // factor, 3)
    lossy = converted(mosaic, factor, quality=90)
    assert len(np.unique(lossy.cfa)) <= 256
    error = lossy.cfa.astype(np.float64) - frame.cfa
    assert 0 < np.sqrt(np.mean(error**2)) < 0.02 * 65535

    seen = set()
    for seed in range(6):
        jpeg = decode_jpeg(linear_jpeg(frame, np.random.default_rng(seed))).pixels
        light, shown = linear_light(frame)[..., 1].ravel(), jpeg[..., 1].ravel()
        if jpeg.shape == frame.cfa.shape:
            # A rendering is brighter where its frame is.
            assert np.corrcoef(np.argsort(np.argsort(light)), shown)[0, 1] > 0.7
        seen.add(jpeg.tobytes())
    assert len(seen) == 6


def test_a_finish_smooths_colours_and_noise_and_raises_local_contrast() -> None:
    rng = np.random.default_rng(3)
    noisy = np.clip(rng.normal(128, 6, (96, 96, 3)), 0, 255).astype(np.uint8)
    assert np.array_equal(Finishing().apply(noisy), noisy)
    assert Finishing(smoothing=20.0).apply(noisy).std() < 0.8 * noisy.std()

    def colours(pixels: NDArray[np.uint8]) -> float:
        return float(np.ptp(pixels.astype(np.int16), axis=2).mean())

    assert colours(Finishing(colour_radius=2.0).apply(noisy)) < 0.4 * colours(noisy)
    edge = np.full((96, 96, 3), 100, np.uint8)
    edge[:, 48:] = 140
    raised = Finishing(clarity=0.5, clarity_radius=10.0).apply(edge).astype(np.int16)
    assert raised[48, 52, 1] - raised[48, 43, 1] > 50
