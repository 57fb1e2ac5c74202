"""What an editor renders by comes through a carrier byte for byte, and so do the samples."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import Image

import rawback
from rawback import rawio
from rawback.metadata import TYPE_CODES, Directory, TiffType
from rawback.rawio import Tag

from ..rawio.conftest import nested_dng

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..rawio.conftest import Tags, Values

BYTE, ASCII, SHORT, LONG = TiffType.BYTE, TiffType.ASCII, TiffType.SHORT, TiffType.LONG
RATIONAL, SRATIONAL = TiffType.RATIONAL, TiffType.SRATIONAL
FLOAT, UNDEFINED = TiffType.FLOAT, TiffType.UNDEFINED

GAIN_MAP, WARP_RECTILINEAR = 9, 1
_VERSION = 0x01030000

_PLACES = {
    "first": int(Directory.IMAGE),
    "raw": int(Directory.IMAGE),
    "exif": int(Directory.EXIF),
    "profile": int(Directory.PROFILE),
}


@dataclass(frozen=True)
class Case:
    """A raw of a kind of its own.

    Attributes:
        samples: The mosaic as the file has it.
        directories: More tags, see `nested_dng`.
        pixels: The JPEG's pixels.
    """

    samples: NDArray[np.uint16]
    pixels: NDArray[np.uint8]
    directories: Mapping[str, Tags] = field(default_factory=dict)

    def raw(self, scene: rawback.RawFrame, order: str) -> bytes:
        colours: Tags = {
            Tag.AS_SHOT_NEUTRAL: (RATIONAL, *_ratios(scene.shown_neutral)),
            Tag.COLOR_MATRIX_1: (SRATIONAL, *_ratios(scene.shown_matrix)),
        }
        levels: Tags = {
            Tag.CFA_PATTERN: (BYTE, *("RGB".index(colour) for colour in scene.pattern)),
            Tag.BLACK_LEVEL: (SHORT, round(scene.black[0])),
            Tag.WHITE_LEVEL: (LONG, scene.white),
        }
        directories = dict(self.directories)
        directories["first"] = {**colours, **directories.get("first", {})}
        directories["raw"] = {**levels, **directories.get("raw", {})}
        return nested_dng(self.samples, order, **directories)

    def jpeg(self) -> bytes:
        out = io.BytesIO()
        Image.fromarray(self.pixels).save(out, "JPEG", quality=92)
        return out.getvalue()


def _ratios(numbers: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(part for number in numbers for part in (round(number * 10000), 10000))


def undefined(data: bytes) -> Values:
    return (UNDEFINED, *data)


def opcode(number: int, parameters: bytes) -> bytes:
    return struct.pack(">4I", number, _VERSION, 0, len(parameters)) + parameters


def gain_maps(shape: tuple[int, int]) -> tuple[NDArray[np.float64], bytes]:
    """The gain of every sample, and a GainMap for each position of the CFA's cell."""
    across, down = np.linspace(-1, 1, 5), np.linspace(-1, 1, 4)
    gains, codes = np.ones(shape), []
    for row, column in np.ndindex(2, 2):
        grid = 1 + (0.3 + 0.1 * (row + column)) * (down[:, None] ** 2 + across**2)
        places = np.mgrid[row : shape[0] : 2, column : shape[1] : 2]
        at = (places + 0.5) / np.reshape(shape, (2, 1, 1)) * np.reshape((3, 4), (2, 1, 1))
        lower = np.minimum(at.astype(int), np.reshape((2, 3), (2, 1, 1)))
        part, (y, x) = at - lower, lower
        upper = grid[y, x] * (1 - part[1]) + grid[y, x + 1] * part[1]
        under = grid[y + 1, x] * (1 - part[1]) + grid[y + 1, x + 1] * part[1]
        gains[row::2, column::2] = upper * (1 - part[0]) + under * part[0]
        head = struct.pack(">8I", row, column, *shape, 0, 1, 2, 2)
        head += struct.pack(">2I4dI", *grid.shape, 1 / 3, 1 / 4, 0, 0, 1)
        codes.append(opcode(GAIN_MAP, head + grid.astype(">f4").tobytes()))
    return gains, struct.pack(">I", len(codes)) + b"".join(codes)


def _shaded(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    gains, maps = gain_maps(frame.cfa.shape)
    black = frame.black[0]
    samples = np.asarray(np.round((frame.cfa - black) / gains + black), np.uint16)
    warp = struct.pack(">I6d2d", 1, 1.0, -0.01, 0, 0, 0, 0, 0.5, 0.5)
    lists: Tags = {
        Tag.OPCODE_LIST_2: undefined(maps),
        Tag.OPCODE_LIST_3: undefined(struct.pack(">I", 1) + opcode(WARP_RECTILINEAR, warp)),
    }
    return Case(samples, pixels, {"raw": lists})


def _stretched(frame: rawback.RawFrame, pixels: NDArray[np.uint8], *scale: int) -> Case:
    height, width = pixels.shape[:2]
    size = (width * scale[0] // scale[1], height * scale[2] // scale[3])
    shown = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    return Case(frame.cfa, shown, {"raw": {Tag.DEFAULT_SCALE: (RATIONAL, *scale)}})


def _profiled(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    forward = (SRATIONAL, *_ratios((0.6, 0.2, 0.16, 0.2, 0.8, 0.0, 0.05, -0.2, 0.97)))
    curve = (FLOAT, 0.0, 0.0, 0.25, 0.4, 1.0, 1.0)
    first: Tags = {
        50936: (ASCII, *b"Standard\0"),
        50940: curve,
        50964: forward,
        51109: (SRATIONAL, -1, 2),
        51110: (LONG, 1),
        50981: (LONG, 1, 2, 1),
        50982: (FLOAT, *(0.0, 1.0, 1.0, 0.0, 1.1, 1.0)),
        50730: (SRATIONAL, 1, 4),
    }
    vivid: Tags = {50936: (ASCII, *b"Vivid\0"), 50940: curve, 50942: (ASCII, *b"nobody's\0")}
    crop: Tags = {51125: (RATIONAL, 0, 1, 1, 8, 1, 1, 7, 8)}
    shot: Tags = {33434: (RATIONAL, 1, 60), 34855: (SHORT, 400), 37380: (SRATIONAL, -1, 3)}
    directories = {"first": first, "raw": crop, "exif": shot, "profile": vivid}
    return Case(frame.cfa, pixels, directories)


def _lit_by_two(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    tungsten = np.array(frame.shown_matrix).reshape(3, 3) * (1.1, 1.0, 0.8)
    calibration = (SRATIONAL, *_ratios((1.01, 0, 0, 0, 1, 0, 0, 0, 0.99)))
    first: Tags = {
        Tag.COLOR_MATRIX_1: (SRATIONAL, *_ratios(tuple(tungsten.flat))),
        Tag.CALIBRATION_ILLUMINANT_1: (SHORT, 17),
        50722: (SRATIONAL, *_ratios(frame.shown_matrix)),
        50779: (SHORT, 21),
        50723: calibration,
        50724: calibration,
        50727: (RATIONAL, 1, 1, 1, 1, 99, 100),
        50931: (ASCII, *b"rig 7\0"),
        50964: (SRATIONAL, *_ratios((0.6, 0.2, 0.16, 0.2, 0.8, 0.0, 0.05, -0.2, 0.97))),
        50965: (SRATIONAL, *_ratios((0.5, 0.3, 0.16, 0.2, 0.8, 0.0, 0.05, -0.2, 0.97))),
    }
    return Case(frame.cfa, pixels, {"first": first})


def _banded(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    """Black of its own in each row and column, half of it a fraction of a DN."""
    rng = np.random.default_rng(5)
    height, width = frame.cfa.shape
    rows, columns = rng.integers(-9, 10, (height, 1)), rng.integers(-9, 10, (1, width))
    samples = np.asarray(np.round(frame.cfa + (rows + columns) / 2), np.uint16)
    deltas: Tags = {
        50715: (SRATIONAL, *(part for half in columns.flat for part in (int(half), 2))),
        50716: (SRATIONAL, *(part for half in rows.flat for part in (int(half), 2))),
    }
    return Case(samples, pixels, {"raw": deltas})


def _patterned(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    """Black levels in a pattern larger than the CFA's cell."""
    pattern = (np.arange(8).reshape(4, 2) * 3) % 7
    height, width = frame.cfa.shape
    added = np.tile(pattern, (height // 4, width // 2))
    levels: Tags = {
        50713: (SHORT, 4, 2),
        Tag.BLACK_LEVEL: (SHORT, *(int(frame.black[0]) + pattern.ravel())),
    }
    return Case((frame.cfa + added).astype(np.uint16), pixels, {"raw": levels})


def _bordered(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    height, width = frame.cfa.shape
    rng = np.random.default_rng(6)
    whole = rng.integers(500, 540, (height + 10, width + 14), dtype=np.uint16)
    whole[8 : 8 + height, 12 : 12 + width] = frame.cfa
    areas: Tags = {
        Tag.ACTIVE_AREA: (LONG, 8, 12, 8 + height, 12 + width),
        Tag.MASKED_AREAS: (LONG, 8, 0, 8 + height, 12, 0, 12, 8, 12 + width),
        50719: (LONG, 2, 2),
        50720: (LONG, width - 4, height - 4),
    }
    return Case(whole, pixels, {"raw": areas})


def _brighter_than_white(frame: rawback.RawFrame, pixels: NDArray[np.uint8]) -> Case:
    black, white = frame.black[0], frame.white
    level = round(black + (int(frame.cfa.max()) - black) * 0.7)
    assert level < white
    return Case(
        frame.cfa, pixels, {"raw": {Tag.WHITE_LEVEL: (LONG, level), 50734: (RATIONAL, 9, 10)}}
    )


MAKERS = {
    "gain maps and a warp": _shaded,
    "pixels twice as wide": lambda frame, pixels: _stretched(frame, pixels, 2, 1, 1, 1),
    "pixels taller than wide": lambda frame, pixels: _stretched(frame, pixels, 1, 1, 5, 3),
    "profiles": _profiled,
    "two illuminants": _lit_by_two,
    "black by row and column": _banded,
    "black in a pattern": _patterned,
    "optical black": _bordered,
    "samples above white": _brighter_than_white,
}


@pytest.fixture(params=MAKERS)
def case(request: pytest.FixtureRequest, shot: tuple[bytes, bytes]) -> Case:
    frame = rawio.read_raw(shot[0])
    with Image.open(io.BytesIO(shot[1])) as picture:
        return MAKERS[request.param](frame, np.asarray(picture))


@pytest.mark.parametrize(
    ("rate", "order"),
    [(rawback.Rate.quality(30), ">"), (rawback.Rate.lossless(), "<")],
    ids=["lossy", "lossless"],
)
def test_rendering_tags_come_back(
    case: Case, shot: tuple[bytes, bytes], rate: rawback.Rate, order: str
) -> None:
    raw = case.raw(rawio.read_raw(shot[0]), order)
    carrier, result = rawback.embed_bytes(raw, case.jpeg(), rate=rate)
    assert result.guided
    dng, restored = rawback.restore_bytes(carrier)
    assert restored.exact is (rate.kind == "lossless")
    assert written(dng, order) >= given(case, order)
    with (
        rawpy.imread(io.BytesIO(raw)) as before,
        rawpy.imread(io.BytesIO(dng)) as after,
    ):
        assert before.sizes == after.sizes
        if restored.exact:
            np.testing.assert_array_equal(before.raw_image, after.raw_image)
        visible = [opened.raw_image_visible.astype(int) for opened in (before, after)]
        assert np.abs(visible[0] - visible[1]).max() == result.worst_error


def given(case: Case, order: str) -> set[tuple[int, int, int, bytes]]:
    """The case's own tags: directory, number, type and bytes."""
    return {
        (_PLACES[name], tag, int(kind), struct.pack(f"{order}{len(n)}{TYPE_CODES[int(kind)]}", *n))
        for name, fields in case.directories.items()
        for tag, (kind, *n) in fields.items()
    }


def written(dng: bytes, order: str) -> set[tuple[int, int, int, bytes]]:
    """All tags of a DNG; those of the first directory as another library finds them."""
    tags = {
        (entry.directory, entry.tag, entry.type, entry.data)
        for entry in rawio.read_metadata(dng).entries
        if entry.directory != Directory.IMAGE
    }
    with tifffile.TiffFile(io.BytesIO(dng)) as file:
        assert file.byteorder == order
        for tag in file.pages.first.tags:
            data = dng[tag.valueoffset : tag.valueoffset + tag.valuebytecount]
            tags.add((int(Directory.IMAGE), tag.code, int(tag.dtype), data))
    return tags
