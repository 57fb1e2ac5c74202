from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.errors import PayloadDamaged
from rawback.geometry import Aligned, Geometry, Mesh, Transform, Warped
from rawback.geometry.transform import mesh_shape, reference_side
from rawback.geometry.warp import node_positions

RAW, CARRIER = (6000, 4000), (5000, 3000)
SIDE = reference_side(RAW) * 64


def read(data: bytes) -> Geometry:
    return Geometry.from_bytes(data, raw_size=RAW, carrier_size=CARRIER)


def mesh(spacing: int, shifts: list[int] | None = None) -> Mesh:
    rows, columns = mesh_shape(RAW, spacing)
    return Mesh(spacing, tuple(shifts or [0] * (2 * rows * columns)))


plain = st.builds(
    Aligned, st.integers(1, 8), st.integers(-0xFFFF, 0xFFFF), st.integers(-0xFFFF, 0xFFFF)
)


@st.composite
def warps(draw: st.DrawFn) -> Warped:
    x, y = draw(st.tuples(st.integers(-40_000, 40_000), st.integers(-40_000, 40_000)))
    corner = st.integers(-3 * SIDE // 2, 3 * SIDE // 2)
    right, below = draw(st.tuples(corner, corner)), draw(st.tuples(corner, corner))
    slope = st.integers(-(1 << 18), 1 << 18)
    rows, columns = mesh_shape(RAW, 11)
    count = 2 * rows * columns
    shifts = st.lists(st.integers(-5000, 5000), min_size=count, max_size=count)
    bent = draw(st.none() | shifts.map(lambda values: Mesh(11, tuple(values))))
    return Warped((x, y), right, below, draw(st.tuples(slope, slope)), bent)


@settings(max_examples=80, deadline=None)
@given(plain | warps())
def test_what_is_written_is_read(transform: Transform) -> None:
    geometry = Geometry(RAW, CARRIER, transform)
    assert read(geometry.to_bytes()) == geometry


@pytest.mark.parametrize(
    ("transform", "written"),
    [
        (Aligned(), "00"),
        (Aligned(8), "07"),
        (Aligned(6, -4, 300), "0d07d804"),
        (Warped((0, 0), (SIDE, 0), (0, SIDE)), "10 0000 80804000 00808040 0000"),
        (Warped((-1, 64), (SIDE, 0), (0, SIDE), (-3, 5)), "10 018001 8280407f 0280ff3f 050a"),
    ],
)
def test_bytes_never_change(transform: Transform, written: str) -> None:
    data = Geometry(RAW, CARRIER, transform).to_bytes()
    assert data.hex() == written.replace(" ", "")


def test_an_orientation_takes_one_byte_and_a_crop_few() -> None:
    assert len(Geometry(RAW, CARRIER, Aligned(3)).to_bytes()) == 1
    assert len(Geometry(RAW, CARRIER, Aligned(3, -900, -600)).to_bytes()) == 5


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.tuples(st.just(b"\x10"), st.binary(max_size=40)).map(b"".join))
def test_hostile_bytes_parse_or_are_damaged(data: bytes) -> None:
    try:
        geometry = read(data)
    except PayloadDamaged:
        return
    assert read(geometry.to_bytes()) == geometry


def test_every_cut_and_every_addition_is_damage() -> None:
    meshed = Warped((0, 0), (SIDE, 0), (0, SIDE), (9, 9), mesh(12, [7] * 40))
    for transform in (Aligned(), Aligned(2, 5, -700), meshed):
        data = Geometry(RAW, CARRIER, transform).to_bytes()
        for length in range(len(data)):
            with pytest.raises(PayloadDamaged):
                read(data[:length])
        with pytest.raises(PayloadDamaged):
            read(data + b"\0")


@pytest.mark.parametrize(
    "data",
    [
        bytes([1 << 5]),
        bytes([2 << 3 | 1]) + bytes(8),
        b"\x18" + bytes(8) + b"\x04" + bytes(10_000),
        b"\x18" + bytes(8) + b"\x0d" + bytes(10_000),
        b"\x08" + b"\xff\xff\xff\xff\xff\x01" + b"\0",
        b"\x08\x80\x80\x10\x00",
    ],
    ids=["unknown kind", "turned warp", "fine mesh", "coarse mesh", "long number", "far shift"],
)
def test_nonsense_is_damage(data: bytes) -> None:
    with pytest.raises(PayloadDamaged, match=r"; take an intact copy of the carrier$"):
        read(data)


@pytest.mark.parametrize(
    "sizes", [((0, 4), (4, 4)), ((4, 4), (4, 0)), ((1 << 16, 4), (4, 4)), ((4, 4), (4, 1 << 16))]
)
def test_impossible_sizes_are_damage(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(PayloadDamaged):
        Geometry.from_bytes(b"\0", raw_size=sizes[0], carrier_size=sizes[1])


def test_maps_too_steep_for_any_carrier_are_refused() -> None:
    rows, columns = mesh_shape(RAW, 5)
    torn = [0] * (2 * rows * columns)
    torn[len(torn) // 2] = 4096 * 64
    stretched = (1 << 17) * 64
    for warp in (
        Warped((-stretched, 0), (stretched, 0), (0, SIDE)),
        Warped((0, 0), (SIDE, 0), (0, SIDE), mesh=mesh(5, torn)),
    ):
        with pytest.raises(ValueError, match="too far apart"):
            Geometry(RAW, CARRIER, warp)


@pytest.mark.parametrize("raw_size", [(0xFFFF, 40), (40, 0xFFFF)])
@pytest.mark.parametrize("perspective", [(0, 0), (1 << 19, 1 << 18), (-(1 << 19), 1 << 19)])
def test_the_largest_sizes_and_positions_do_not_overflow(
    raw_size: tuple[int, int], perspective: tuple[int, int]
) -> None:
    edge = (1 << 17) * 64
    warp = Warped((-edge, edge), (edge, edge), (-edge, -edge), perspective)
    nodes = node_positions(warp, raw_size)
    side = reference_side(raw_size)
    (g, h), one = perspective, 1 << 20
    for row in {0, nodes.shape[0] - 1}:
        for column in {0, nodes.shape[1] - 1}:
            x, y = 16 * column, 16 * row
            weight = one * side + g * x + h * y
            for axis in range(2):
                moment = (
                    one * warp.origin[axis] * (side - x - y)
                    + (one + g) * warp.right[axis] * x
                    + (one + h) * warp.below[axis] * y
                )
                assert nodes[row, column, axis] == 16 * moment // weight
