"""What benchmarks run on: the papers' protocol and the product's.

P1, as papers on raw reconstruction have it, codes demosaiced linear RGB, scaled down by 4, with a
guide that never was a JPEG. P2 codes what the product codes: full-resolution mosaics, and JPEGs of
many makers. Both draw nothing at random: a case and a raw file give the same material every time.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import rawpy

from rawback import rawio
from rawback_lab.darktable import render_darktable
from rawback_lab.orient import upright
from rawback_lab.pictures import Picture, linear_picture, software_isp
from rawback_lab.render import STYLES, FilmicLook, Subsampling, encode_jpeg

if TYPE_CHECKING:
    from pathlib import Path

    from rawback.types import RawFrame

__all__ = ["P1_CASES", "P1_RATES", "P2_CASES", "P2_RATES", "P1Case", "P2Case", "listed_raws"]

P1_RATES = (0.1, 0.2, 0.376, 0.75, 1.225)
"""Bits per pixel of three colours; the last three are where the papers report."""

P2_RATES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Bits per raw pixel."""


@dataclass(frozen=True, slots=True)
class P1Case:
    """A case of the papers' protocol.

    Attributes:
        name: What it is called.
        look: The software ISP.
        factor: Pixels along each side that are averaged to one.
    """

    name: str = "filmic"
    look: FilmicLook = field(default_factory=FilmicLook)
    factor: int = 4

    def picture(self, frame: RawFrame) -> Picture:
        """The linear picture of a raw, and its uncompressed rendering."""
        linear = linear_picture(frame, self.factor)
        return Picture(linear, software_isp(linear, frame, self.look), frame)


@dataclass(frozen=True, slots=True)
class P2Case:
    """A case of the product's protocol.

    Attributes:
        renderer: ``libraw`` (of the original file), ``darktable`` (its defaults), or one of
            :data:`rawback_lab.render.STYLES`.
        quality: Of the JPEG, 1 to 100.
        subsampling: Of its colours; darktable chooses by quality and is not asked.
    """

    renderer: str = "libraw"
    quality: int = 92
    subsampling: Subsampling = "4:2:0"

    def __post_init__(self) -> None:
        if self.renderer != "darktable" and self.renderer not in STYLES:
            message = f"{self.renderer!r} renders nothing; take one of darktable, {[*STYLES]}"
            raise ValueError(message)

    @property
    def name(self) -> str:
        """A short name, fit for files."""
        if self.renderer == "darktable":
            return f"darktable-q{self.quality}"
        coding = f"q{self.quality}-{self.subsampling.replace(':', '')}"
        return coding if self.renderer == "libraw" else f"{self.renderer}-{coding}"

    def carrier(self, raw_file: Path) -> bytes | None:
        """The JPEG of a raw file, upright; None where its renderer is missing or refuses."""
        if self.renderer == "darktable":
            # darktable does not read every DNG there is, but it reads those that we write.
            return render_darktable(rawio.write_dng(rawio.read_raw(raw_file)), self.quality)
        if self.renderer == "libraw":
            with rawpy.imread(str(raw_file)) as raw:
                pixels = raw.postprocess(use_camera_wb=True)
        else:
            frame = rawio.read_raw(raw_file)
            pixels = upright(STYLES[self.renderer](frame), frame.orientation)
        return encode_jpeg(pixels, self.quality, self.subsampling)


P1_CASES = (
    P1Case(),
    P1Case("filmic-vivid", FilmicLook(contrast=1.6, saturation=1.5, sharpness=1.2)),
    P1Case("filmic-flat", FilmicLook(contrast=0.9, saturation=0.8, white=4.0, sharpness=0.2)),
)
"""The first is what figures are given for; the others say how much hangs on the look."""

P2_CASES = (
    P2Case(),
    P2Case("libraw", 75, "4:2:0"),
    P2Case("libraw", 85, "4:2:0"),
    P2Case("libraw", 97, "4:4:4"),
    P2Case("darktable", 85),
    P2Case("darktable", 95, "4:4:4"),
    P2Case("libraw-warm", 92, "4:4:4"),
    P2Case("filmic", 92, "4:2:0"),
    P2Case("filmic-vivid", 80, "4:2:0"),
    P2Case("filmic-flat", 97, "4:4:4"),
)
"""The first is what figures are given for; the others spread over makers and qualities."""


def listed_raws(folder: Path, split: str) -> list[Path]:
    """The raw files that the folder's ``manifest.csv`` lists under a split, small ones first."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["split"] == split]
    return sorted((folder / name for name in names), key=lambda file: file.stat().st_size)
