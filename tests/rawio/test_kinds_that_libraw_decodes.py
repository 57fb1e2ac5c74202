"""What is made of raws that are no DNG, by what LibRaw says of them.

No such files may be passed on, so LibRaw is stood in for: these are its answers for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest
import rawpy

from rawback.errors import UnsupportedRaw
from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame

HEIGHT, WIDTH = 60, 84
MARGIN = 4, 7
X_TRANS = ("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG")
MATRIX = [[0.7, -0.1, -0.1], [-0.4, 1.2, 0.2], [0.0, 0.2, 0.6], [0.1, 0.9, 0.1]]


@dataclass
class LibRaw:
    """LibRaw's answers for one file: colours count from the visible corner."""

    raw_image: NDArray[np.uint16]
    pattern: tuple[str, ...] = ()
    color_desc: bytes = b"RGBG"
    num_colors: int = 3
    raw_type: rawpy.RawType = rawpy.RawType.Flat
    black_level_per_channel: list[int] = field(default_factory=lambda: [100, 101, 102, 103])
    white_level: int = 16000
    camera_whitebalance: list[float] = field(default_factory=lambda: [2.0, 1.0, 1.5, 1.25])
    turned: bool = False

    @property
    def rgb_xyz_matrix(self) -> NDArray[np.float64]:
        return np.array(MATRIX)

    @property
    def sizes(self) -> SimpleNamespace:
        rows, columns = self.raw_image.shape[:2]
        top, left = MARGIN
        more = 50 if self.turned else 0
        return SimpleNamespace(
            raw_height=rows, raw_width=columns, top_margin=top, left_margin=left, flip=0,
            height=rows - top + more, width=columns - left, pixel_aspect=1.0,
        )  # fmt: skip

    @property
    def other(self) -> SimpleNamespace:
        return SimpleNamespace(
            shutter_speed=0.01, aperture=4.0, focal_length=35.0, iso_speed=800.0, artist="",
            timestamp=datetime(2026, 5, 4, tzinfo=UTC),
        )  # fmt: skip

    def raw_color(self, row: int, column: int) -> int:
        y, x = row - MARGIN[0], column - MARGIN[1]
        letter = self.pattern[y % len(self.pattern)][x % len(self.pattern[0])]
        return self.color_desc.index(letter.encode())

    def open_buffer(self, _file: object) -> None: ...

    def unpack(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def samples(*planes: int) -> NDArray[np.uint16]:
    shape = (HEIGHT, WIDTH, *planes)
    return np.random.default_rng(6).integers(200, 12000, shape).astype(np.uint16)


def read(monkeypatch: pytest.MonkeyPatch, libraw: LibRaw) -> RawFrame:
    monkeypatch.setattr(rawpy, "RawPy", lambda: libraw)
    return read_raw(b"a raw of a maker's own format")


def test_x_trans(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = samples()
    frame = read(monkeypatch, LibRaw(whole, X_TRANS))
    monkeypatch.undo()
    assert frame.pattern == "/".join(X_TRANS)
    np.testing.assert_array_equal(frame.cfa, whole[MARGIN[0] :, MARGIN[1] :])
    # Channels in the order in which they are met: green, blue, red, and the lone green.
    assert frame.black == (101.0, 102.0, 100.0, 101.0)
    assert frame.neutral == pytest.approx((0.5, 1.0, 2 / 3), abs=1e-5)
    assert frame.white == 16000
    again = read_raw(write_dng(frame, compression="ljpeg"))
    np.testing.assert_array_equal(again.cfa, frame.cfa)
    assert (again.pattern, again.black) == (frame.pattern, frame.black)


def test_four_colours_keep_their_matrix_and_white(monkeypatch: pytest.MonkeyPatch) -> None:
    libraw = LibRaw(samples(), ("GM", "YC"), b"GMCY", 4)
    frame = read(monkeypatch, libraw)
    monkeypatch.undo()
    assert (frame.pattern, frame.neutral, frame.color_matrix) == ("GMYC", None, None)
    assert frame.black == (100.0, 101.0, 103.0, 102.0)
    for told in (frame.metadata, read_raw(write_dng(frame)).metadata):
        assert told.integers(Tag.CFA_PLANE_COLOR) == (1, 4, 3, 5)
        assert np.reshape(told.numbers(Tag.COLOR_MATRIX_1), (4, 3)) == pytest.approx(
            np.array(MATRIX)
        )
        assert told.numbers(Tag.AS_SHOT_NEUTRAL) == pytest.approx([0.5, 1, 2 / 3, 0.8], abs=1e-5)


def test_emerald_is_the_fourth_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = read(monkeypatch, LibRaw(samples(), ("RG", "EB"), b"RGBE", 4))
    assert frame.pattern == "RGEB"
    assert frame.metadata.integers(Tag.CFA_PLANE_COLOR) == (0, 1, 2, 3)


def test_monochrome(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = read(monkeypatch, LibRaw(samples(), num_colors=1))
    assert (frame.pattern, frame.black, frame.neutral) == ("W", (100.0,), None)
    assert Tag.COLOR_MATRIX_1 not in frame.metadata


@pytest.mark.parametrize("planes", [3, 4])
def test_reduced_raws_of_three_samples(monkeypatch: pytest.MonkeyPatch, planes: int) -> None:
    """Canon's sRAW, Nikon's sNEF: LibRaw makes RGB of them."""
    whole = samples(planes)
    whole[..., 3:] = 0
    frame = read(monkeypatch, LibRaw(whole, raw_type=rawpy.RawType.Stack))
    assert frame.pattern == "R+G+B"
    np.testing.assert_array_equal(frame.cfa, whole[MARGIN[0] :, MARGIN[1] :, :3])
    assert (frame.black, frame.border) == ((100.0, 101.0, 102.0), None)


def test_four_shots_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedRaw, match="pixel shift"):
        read(monkeypatch, LibRaw(samples(4), raw_type=rawpy.RawType.Stack))


def test_sensors_that_lie_aslant_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedRaw, match="rows and columns"):
        read(monkeypatch, LibRaw(samples(), ("RG", "GB"), turned=True))


def test_colours_without_order_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = np.random.default_rng(0).choice(list("RGB"), (HEIGHT, WIDTH))
    with pytest.raises(UnsupportedRaw, match="unknown colours"):
        read(monkeypatch, LibRaw(samples(), tuple(map("".join, letters))))
