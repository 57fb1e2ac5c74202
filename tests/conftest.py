"""What the tests of all rooms share."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import hypothesis
import pytest
import rawpy
from PIL import Image

import rawback
from rawback import rawio
from rawback.metadata import Metadata

# How long an example takes says more about what else the machine does than about the code.
hypothesis.settings.register_profile("rawback", deadline=None)
hypothesis.settings.load_profile("rawback")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real raws and photographs beside the repository; skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data beside the repository")
    return folder


@pytest.fixture(scope="session")
def shot() -> tuple[bytes, bytes]:
    """A raw of 160 x 120, cut out of the sample, and a JPEG that LibRaw makes from it."""
    sample = rawio.read_raw(Path(__file__).parents[1] / "assets" / "sample.dng")
    cfa = sample.cfa[200:320, 460:620].copy()
    noise = sample.metadata.get(rawio.Tag.NOISE_PROFILE)
    told = Metadata(() if noise is None else (noise,))
    raw = rawio.write_dng(dataclasses.replace(sample.excerpt(cfa), metadata=told))
    with rawpy.imread(io.BytesIO(raw)) as opened:
        pixels = opened.postprocess(use_camera_wb=True)
    jpeg = io.BytesIO()
    Image.fromarray(pixels).save(jpeg, "JPEG", quality=92, subsampling="4:2:0")
    return raw, jpeg.getvalue()


@pytest.fixture
def shot_folder(tmp_path: Path, shot: tuple[bytes, bytes]) -> Path:
    """A folder that holds the small shot as ``photo.dng`` and ``photo.jpg``."""
    for name, data in zip(("photo.dng", "photo.jpg"), shot, strict=True):
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture(scope="session")
def lossless_carrier(shot: tuple[bytes, bytes]) -> bytes:
    """The small shot's JPEG with all of its raw."""
    return rawback.embed_bytes(*shot, rate=rawback.Rate.lossless())[0]
