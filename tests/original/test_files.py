"""Made-up raws of every encoding: each comes back as the very file it was."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.errors import OriginalUnavailable
from rawback.original import read_recipe
from rawback.original.making import make_recipe, store_whole
from rawback.original.rebuilding import rebuild

from .unusual import COLUMNS, ROWS, jpeg, scene, slices, unusual
from .writers import Tiff, bits_of_rows, cut_up, tiff

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def given_back(
    file: bytes, mosaic: NDArray[np.uint16], origin: tuple[int, int] = (0, 0)
) -> tuple[int, str]:
    """Bytes of the recipe, and the encoding it names; the file is made again and compared."""
    recipe = make_recipe(file, mosaic, name="a name.dng", origin=origin)
    assert rebuild(recipe, mosaic) == file
    head = read_recipe(recipe).head
    assert (head.name, head.size) == ("a name.dng", len(file))
    assert head.digest == hashlib.sha256(file).digest()
    return len(recipe), head.encoding


Rows: TypeAlias = "Callable[[NDArray[np.uint16]], list[bytes]]"


def whole_bytes(kind: str) -> Rows:
    return lambda samples: [row.astype(kind).tobytes() for row in samples]


def streams(bits: int, *, lower_first: bool = False, word: int = 1) -> Rows:
    return lambda samples: bits_of_rows(samples, bits, lower_first=lower_first, word=word)


PACKINGS: dict[str, tuple[int, Rows]] = {
    "8": (8, whole_bytes("u1")),
    "16 little": (16, whole_bytes("<u2")),
    "16 big": (16, whole_bytes(">u2")),
}
for depth in (10, 12, 14):
    PACKINGS |= {
        f"{depth} upper first": (depth, streams(depth)),
        f"{depth} lower first": (depth, streams(depth, lower_first=True)),
        f"{depth} words of 16": (depth, streams(depth, word=2)),
        f"{depth} words of 32": (depth, streams(depth, word=4)),
    }


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_samples_in_strips(packing: str, order: Literal["<", ">"]) -> None:
    bits, pack = PACKINGS[packing]
    mosaic = scene(bits)
    rows = pack(mosaic)
    about = Tiff(ROWS, COLUMNS, bits, strip_rows=8, order=order, gaps=b"-", tail=b"the end")
    strips = [b"".join(rows[top : top + 8]) for top in range(0, ROWS, 8)]
    size, encoding = given_back(tiff(about, strips), mosaic)
    assert encoding == "uncompressed"
    assert size < 400


@pytest.mark.parametrize("packing", ["8", "16 big", "12 upper first", "14 lower first"])
@pytest.mark.parametrize("fill", ["edge", "constant", "wrap"])
def test_packed_samples_in_tiles(packing: str, fill: str) -> None:
    bits, pack = PACKINGS[packing]
    mosaic = scene(bits)
    tiles = [b"".join(pack(tile)) for tile in cut_up(mosaic, (16, 16), fill)]
    about = Tiff(ROWS, COLUMNS, bits, tile=(16, 16), shuffled=True, gaps=b"--")
    given_back(tiff(about, tiles), mosaic)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_rows_that_begin_within_bytes(bits: int) -> None:
    mosaic = scene(bits, 9, 33)
    (chunk,) = bits_of_rows(mosaic, bits, continuous=True)
    given_back(tiff(Tiff(9, 33, bits), [chunk]), mosaic)


@pytest.mark.parametrize("gap", [b"\0\0\0\0", b"gap"])
@pytest.mark.parametrize("last", [True, False])
def test_rows_with_gaps_between(gap: bytes, last: bool) -> None:
    mosaic = scene(12)
    chunk = gap.join(bits_of_rows(mosaic, 12)) + (gap if last else b"")
    given_back(tiff(Tiff(ROWS, COLUMNS, 12), [chunk]), mosaic)


def test_what_fills_rows_up_is_patched() -> None:
    mosaic = scene(12, 40, 129)
    rows = [bytearray(row) for row in bits_of_rows(mosaic, 12)]
    for row in rows[:20]:
        row[-1] |= 0xF
    assert len(rows[0]) == 194
    given_back(tiff(Tiff(40, 129, 12), [b"".join(rows)]), mosaic)


def test_samples_of_fewer_bits_in_two_bytes() -> None:
    mosaic = scene(12)
    given_back(tiff(Tiff(ROWS, COLUMNS, 12), [mosaic.astype("<u2").tobytes()]), mosaic)


def test_tags_that_lie_about_bits_and_order() -> None:
    mosaic = scene(14)
    chunk = b"".join(bits_of_rows(mosaic, 14, word=4))
    given_back(tiff(Tiff(ROWS, COLUMNS, 16, compression=34713), [chunk]), mosaic)


@pytest.mark.parametrize("packing", PACKINGS)
def test_containers_of_unknown_kinds(packing: str) -> None:
    bits, pack = PACKINGS[packing]
    mosaic = scene(bits, 22, 80)
    border = bytes(range(48, 56))
    file = b"FUJIFILMCCD-RAW " + bytes(100) + border.join(pack(mosaic)) + b"maker's notes"
    size, _ = given_back(file, mosaic)
    assert size < 500


def test_linear_pictures_have_three_samples_a_pixel() -> None:
    pixels = np.stack([scene(16, seed=k) for k in range(3)], axis=-1)
    flat = pixels.reshape(ROWS, -1)
    tiles = [tile.astype("<u2").tobytes() for tile in cut_up(flat, (16, 48))]
    about = Tiff(ROWS, COLUMNS, 16, samples=3, tile=(16, 16))
    given_back(tiff(about, tiles), pixels)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("components", [1, 2, 4])
def test_lossless_jpeg_in_tiles(predictor: int, components: int) -> None:
    mosaic = scene(14)
    tiles = [
        jpeg(tile, components, predictor=predictor, precision=14, pad=predictor % 2)
        for tile in cut_up(mosaic, (16, 16))
    ]
    about = Tiff(ROWS, COLUMNS, 14, compression=7, tile=(16, 16), gaps=b"-", shuffled=True)
    size, encoding = given_back(tiff(about, tiles), mosaic)
    assert encoding == "lossless JPEG"
    assert size < 1000


def test_two_rows_of_the_image_in_one_of_the_jpeg() -> None:
    mosaic = scene(12)
    tiles = [jpeg(tile, 2, rows=8, precision=12) for tile in cut_up(mosaic, (16, 16))]
    given_back(tiff(Tiff(ROWS, COLUMNS, 12, compression=7, tile=(16, 16)), tiles), mosaic)


@pytest.mark.parametrize("restart_rows", [1, 3])
@pytest.mark.parametrize("pad", [0, 1])
def test_lossless_jpeg_in_strips_with_restarts(restart_rows: int, pad: int) -> None:
    mosaic = scene(16)
    strips = [
        jpeg(mosaic[top : top + 8], 2, restart_rows=restart_rows, pad=pad)
        for top in range(0, ROWS, 8)
    ]
    given_back(tiff(Tiff(ROWS, COLUMNS, 16, compression=7, strip_rows=8), strips), mosaic)


@pytest.mark.parametrize("fill", ["edge", "constant", "wrap", "reflect"])
def test_whatever_fills_tiles_up(fill: str) -> None:
    mosaic = scene(16)
    tiles = [jpeg(tile, 1) for tile in cut_up(mosaic, (16, 16), fill)]
    given_back(tiff(Tiff(ROWS, COLUMNS, 16, compression=7, tile=(16, 16)), tiles), mosaic)


@pytest.mark.parametrize("kind", ["cells", "corner", "wide", "restarts", "border"])
def test_kinds_that_few_cameras_make(kind: str) -> None:
    given_back(*unusual(kind))


def test_linear_lossless_jpeg() -> None:
    pixels = np.stack([scene(16, seed=k) for k in range(3)], axis=-1)
    tiles = [jpeg(tile, 3) for tile in cut_up(pixels.reshape(ROWS, -1), (16, 48))]
    about = Tiff(ROWS, COLUMNS, 16, samples=3, compression=7, tile=(16, 16))
    given_back(tiff(about, tiles), pixels)


def test_category_16_with_bits_of_its_own() -> None:
    mosaic = scene(16)
    mosaic[4, 4:8] = 0, 0x8000, 0, 0x8000
    mosaic[5:8] = np.array([0, 0x8000] * 18, np.uint16)
    for wide in (False, True):
        tiles = [jpeg(tile, 1, wide=wide) for tile in cut_up(mosaic, (16, 16))]
        given_back(tiff(Tiff(ROWS, COLUMNS, 16, compression=7, tile=(16, 16)), tiles), mosaic)


@pytest.mark.parametrize("widths", [(2, 12, 12), (1, 20, 16), (3, 8, 12), (0, 0, 0)])
@pytest.mark.parametrize("components", [2, 4])
def test_slices_of_cr2(widths: tuple[int, int, int], components: int) -> None:
    given_back(*slices(widths, components))


def test_a_thumbnail_as_large_as_the_raw_is_no_obstacle() -> None:
    mosaic = scene(12)
    packed = b"".join(bits_of_rows(mosaic, 12))
    inner = tiff(Tiff(ROWS, COLUMNS, 12), [packed])
    # A second directory, found first, whose image is larger and no mosaic.
    thumb = bytes(np.random.default_rng(0).integers(0, 256, 5000, np.uint8))
    outer = bytearray(tiff(Tiff(50, 100, 8), [thumb]))
    shift = len(outer)
    moved = bytearray(inner)
    (count,) = struct.unpack_from("<H", moved, 8)
    for k in range(count):
        tag, _, values = struct.unpack_from("<HHI", moved, 10 + 12 * k)
        (value,) = struct.unpack_from("<I", moved, 18 + 12 * k)
        if tag == 273 or values * (2 if tag in (258, 259, 262, 277) else 4) > 4:
            struct.pack_into("<I", moved, 18 + 12 * k, value + shift)
    (entries,) = struct.unpack_from("<H", outer, 8)
    struct.pack_into("<I", outer, 10 + 12 * entries, shift + 8)
    size, _ = given_back(bytes(outer + moved), mosaic)
    assert size > 5000


def test_a_table_that_linearises_is_kept() -> None:
    stored = scene(10, 64, 64)
    curve = (np.arange(1024) ** 2 // 32).astype(np.uint16)
    # Not one to one: where it begins, several stored samples are one.
    assert len(np.unique(curve)) < 1024
    chunk = b"".join(bits_of_rows(stored, 10))
    size, _ = given_back(tiff(Tiff(64, 64, 10), [chunk]), curve[stored])
    assert size < 2500


def test_shifted_samples_are_kept() -> None:
    mosaic = scene(12)
    chunk = (mosaic << 4).astype("<u2").tobytes()
    given_back(tiff(Tiff(ROWS, COLUMNS, 16), [chunk]), mosaic)


@pytest.mark.parametrize("compression", [1, 7])
def test_optical_black_around_the_mosaic(compression: int) -> None:
    whole = scene(14, 30, 50)
    whole[:4] = whole[:, :6] = np.random.default_rng(1).normal(2048, 4, 1)
    mosaic = np.ascontiguousarray(whole[4:28, 6:48])
    chunk = jpeg(whole, 2) if compression == 7 else b"".join(bits_of_rows(whole, 14))
    about = Tiff(30, 50, 14, compression=compression)
    size, _ = given_back(tiff(about, [chunk]), mosaic, origin=(4, 6))
    assert size < 1500


def test_rows_that_are_turned() -> None:
    mosaic = scene(8, 976, 48)
    turned = [np.roll(row, k * (162, 192, 187, 92)[k % 4] % 48) for k, row in enumerate(mosaic)]
    chunk = np.stack(turned).astype(np.uint8).tobytes()
    # The tags give another size, as those of that camera do.
    size, _ = given_back(tiff(Tiff(488, 96, 8), [chunk]), mosaic)
    assert size < 400


def test_some_tiles_may_be_coded_in_a_way_of_their_own() -> None:
    mosaic = scene(12, 64, 80)
    tiles = [jpeg(tile, 1) for tile in cut_up(mosaic, (16, 16))]
    scan = tiles[7]
    tiles[7] = scan[:60] + b"\xff\xd9"
    size, _ = given_back(tiff(Tiff(64, 80, 12, compression=7, tile=(16, 16)), tiles), mosaic)
    assert size < 1500
    tiles = [tile[:60] + b"\xff\xd9" if k % 2 else tile for k, tile in enumerate(tiles)]
    with pytest.raises(OriginalUnavailable, match="lossless JPEG of a kind"):
        given_back(tiff(Tiff(64, 80, 12, compression=7, tile=(16, 16)), tiles), mosaic)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(2, 24),
    columns=st.integers(8, 40),
    bits=st.sampled_from((8, 10, 12, 14, 16)),
    kind=st.sampled_from(("packed", "jpeg")),
    tile=st.none() | st.sampled_from(((8, 8), (16, 16), (8, 32))),
    strip=st.integers(1, 24),
    order=st.sampled_from("<>"),
    seed=st.integers(0, 9),
    gaps=st.binary(max_size=3),
    shuffled=st.booleans(),
)
def test_any_file(
    rows: int,
    columns: int,
    bits: int,
    kind: str,
    tile: tuple[int, int] | None,
    strip: int,
    order: str,
    seed: int,
    gaps: bytes,
    shuffled: bool,
) -> None:
    mosaic = scene(bits, rows, columns, seed)
    strip = min(strip, rows)
    if tile:
        pieces = cut_up(mosaic, tile)
    else:
        pieces = [mosaic[top : top + strip] for top in range(0, rows, strip)]
    if kind == "jpeg":
        chunks = [jpeg(piece, 1, predictor=1 + seed % 7) for piece in pieces]
    elif bits == 16:
        chunks = [piece.astype(order + "u2").tobytes() for piece in pieces]
    else:
        chunks = [b"".join(bits_of_rows(piece, bits)) for piece in pieces]
    about = Tiff(
        *(rows, columns, bits, 1, 7 if kind == "jpeg" else 1),
        tile=tile,
        strip_rows=strip,
        order=order,
        gaps=gaps,
        shuffled=shuffled,
    )
    given_back(tiff(about, chunks), mosaic)


@given(st.binary(max_size=3000), st.integers(0, 200_000), st.integers(0, 200_000))
@settings(deadline=None, max_examples=30)
def test_any_bytes_are_stored_whole(data: bytes, zeros: int, noise: int) -> None:
    noisy = np.random.default_rng(noise).bytes(noise)
    file = data + bytes(zeros) + noisy + data
    recipe = store_whole(file, name="IMG_1.CRW")
    assert rebuild(recipe, None) == file
    assert read_recipe(recipe).head.stored
    assert len(recipe) < len(file) + 400


def test_noise_is_stored_as_it_is_and_the_rest_made_smaller() -> None:
    noise = np.random.default_rng(0).bytes(1 << 18)
    recipe = store_whole(noise + bytes(1 << 20) + noise[: 1 << 16])
    assert len(recipe) < (1 << 18) + (1 << 16) + 1000


REFUSED = {
    "Canon's compressed CRW": b"II\x1a\0\0\0HEAPCCDR" + bytes(range(256)) * 9,
    "Canon's compressed CR3": b"\0\0\0\x18ftypcrx " + bytes(range(256)) * 9,
    "Fujifilm's compressed RAF": b"FUJIFILMCCD-RAW " + bytes(range(256)) * 9,
    "Nikon's compressed NEF": tiff(Tiff(ROWS, COLUMNS, 12, compression=34713), [b"\x17" * 700]),
    "Deflate": tiff(Tiff(ROWS, COLUMNS, 16, compression=8), [b"\x17" * 700]),
    "JPEG XL": tiff(Tiff(ROWS, COLUMNS, 16, compression=52546), [b"\x17" * 700]),
    "VC-5": tiff(Tiff(ROWS, COLUMNS, 16, compression=9), [b"\x17" * 700]),
    "lossy JPEG": tiff(
        Tiff(ROWS, COLUMNS, 8, compression=7), [b"\xff\xd8\xff\xc0" + b"\x17" * 700]
    ),
    "TIFF compression 4711": tiff(Tiff(ROWS, COLUMNS, 16, compression=4711), [b"\x17" * 700]),
    "not known": b"nothing of any kind" * 99,
}


@pytest.mark.parametrize("encoding", REFUSED)
def test_a_refusal_names_the_encoding_and_the_cost_of_storing(encoding: str) -> None:
    file = REFUSED[encoding]
    with pytest.raises(OriginalUnavailable) as refusal:
        make_recipe(file, scene(12))
    cost = f"{len(read_recipe(store_whole(file)).container):,} bytes more"
    assert encoding in str(refusal.value)
    assert cost in str(refusal.value)
    assert "--store-original" in str(refusal.value)
