"""Real raws: each that is not coded in a maker's own way comes back as the very file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rawpy

from rawback.errors import OriginalUnavailable
from rawback.original import read_recipe
from rawback.original.making import make_recipe
from rawback.original.rebuilding import rebuild

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

UNCOMPRESSED = (
    *("odd/kodak_dc120_P003908.kdc", "odd/pi_640x480_10bit_minimal_tags.dng"),
    *("odd/seestar_s50_M94_10s.dng", "pairs/gopro_hero7_GOPR8508.dng", "real/canon_550d_chart.dng"),
    *("sensors/micasense_rededge_blue475_mono.dng", "sensors/xtrans_synth_hero7_GOPR8508.dng"),
)
LOSSLESS_JPEG = (
    *("real/canon_300d_crop.dng", "real/gopro_fusion_front.dng", "real/machinevision_indoor1.dng"),
    *("real/phone_night.dng", "real/thead_flowers.dng"),
    "sensors/lightroom_png_linear_ljpeg8_linearizationtable.dng",
)
MAKERS_OWN = {
    "real/canon_g2_0304.crw": "Canon's compressed CRW",
    "real/blackmagic_4k.dng": "lossy JPEG",
    "odd/quicktake100_room.qtk": "QuickTake",
}


def samples_of(path: Path) -> NDArray[np.uint16]:
    """All that LibRaw decodes; the fourth plane of linear pictures is its own."""
    with rawpy.imread(str(path)) as raw:
        samples = np.array(raw.raw_image)
    return np.ascontiguousarray(samples[:, :, :3]) if samples.ndim == 3 else samples


@pytest.mark.parametrize("name", [*UNCOMPRESSED, *LOSSLESS_JPEG])
def test_the_very_file_comes_back(real_data: Path, name: str) -> None:
    data, mosaic = (real_data / name).read_bytes(), samples_of(real_data / name)
    recipe = make_recipe(data, mosaic)
    assert rebuild(recipe, mosaic) == data
    encoding = read_recipe(recipe).head.encoding
    assert encoding == ("uncompressed" if name in UNCOMPRESSED else "lossless JPEG")
    # One of them has four previews.
    assert len(recipe) < (70_000 if "lightroom" in name else 5000)


@pytest.mark.parametrize("name", MAKERS_OWN)
def test_what_does_not_is_named(real_data: Path, name: str) -> None:
    with pytest.raises(OriginalUnavailable, match=MAKERS_OWN[name]):
        make_recipe((real_data / name).read_bytes(), samples_of(real_data / name))
