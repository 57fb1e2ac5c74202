"""JPEGs as cameras write them: small previews, odd chroma, second pictures, trailers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

import rawback
from rawback import container, rawio
from rawback.geometry.registration import register
from rawback.jpegio import decode_jpeg

if TYPE_CHECKING:
    from pathlib import Path

Shot = tuple[bytes, bytes]


_FACTORS = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}


@pytest.mark.parametrize("chroma", _FACTORS)
def test_chroma_subsampled_either_way(shot: Shot, chroma: str) -> None:
    pixels = np.ascontiguousarray(decode_jpeg(shot[1]).pixels[..., ::-1])
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
    factor = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _FACTORS[chroma]]
    done, data = cv2.imencode(".jpg", pixels, [*quality, *factor])
    assert done
    carrier, result = rawback.embed_bytes(shot[0], data.tobytes())
    assert result.guided
    assert result.psnr_db > 30
    restored, _ = rawback.restore_bytes(carrier)
    assert rawio.read_raw(restored).cfa.shape == rawio.read_raw(shot[0]).cfa.shape
    assert rawback.verify(carrier, raw=shot[0]).psnr_db == pytest.approx(result.psnr_db)


def test_second_pictures_private_segments_and_trailers_stay(shot: Shot) -> None:
    app6 = b"\xff\xe6\x00\x0cGoPro\x00\x01\x02\x03\x04"
    mpf = b"\xff\xe2\x00\x10MPF\x00II*\x00\x08\x00\x00\x00\x00\x00"
    trailer = shot[1] + b"maker's trailer"
    jpeg = shot[1][:2] + app6 + mpf + shot[1][2:] + trailer
    carrier, _ = rawback.embed_bytes(shot[0], jpeg)
    assert app6 in carrier
    assert carrier.endswith(trailer)
    # What an MPF index points at keeps its distance from it.
    assert carrier[carrier.index(mpf) :] == jpeg[jpeg.index(mpf) :]
    assert rawback.strip_bytes(carrier) == jpeg
    restored, _ = rawback.restore_bytes(carrier)
    assert len(restored) > 0


@pytest.mark.parametrize(
    ("name", "scale"),
    [("canon_g2_0304", 0.28), ("canon_s40_0119", 0.28), ("canon_eos_d30_tree", 0.67)],
)
def test_previews_of_cameras_are_found_on_their_raws(
    name: str, scale: float, real_data: Path
) -> None:
    raw = real_data / "real" / f"{name}.crw"
    frame = rawio.read_raw(raw)
    pixels = decode_jpeg(rawback.carrier_for(raw, any_size=True)).pixels
    assert pixels.shape[1] / frame.width == pytest.approx(scale, abs=0.02)
    registration = register(frame, pixels)
    assert registration.correlation > 0.9
    assert registration.disagreement < 0.05
    assert len(registration.geometry.to_bytes()) < 30


@pytest.mark.slow
def test_a_raw_in_its_camera_s_own_preview(real_data: Path, tmp_path: Path) -> None:
    raw = real_data / "real" / "canon_eos_d30_tree.crw"
    carrier, result = rawback.embed_bytes(raw.read_bytes(), rawback.carrier_for(raw, any_size=True))
    assert result.guided
    restored, _ = rawback.restore_bytes(carrier)
    assert container.extract_payload(carrier)
    assert rawio.read_raw(restored).cfa.shape == rawio.read_raw(raw).cfa.shape
