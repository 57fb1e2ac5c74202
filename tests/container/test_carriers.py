"""Payloads in synthetic JPEGs: where they go, and that nothing else is touched."""

from __future__ import annotations

import itertools
import time
from hashlib import shake_128

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback import container
from rawback.container import (
    app11,
    carried_size,
    embed_payload,
    extract_payload,
    is_signed,
    jumbf,
    remove_payload,
    unwrap,
    wrap,
)
from rawback.errors import (
    DamagedCarrier,
    PayloadDamaged,
    PayloadMissing,
    RateUnreachable,
    RawbackError,
    SignedCarrier,
    UnsupportedCarrier,
)
from rawback.jpeg_segments import APP11, MAX_BODY, segment, walk

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
EXIF = segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
ICC = segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(20))
MPF = segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
COMMENT = segment(0xFE, b"by hand")
TABLES = segment(0xDB, bytes(65))
SCAN = segment(0xDA, b"\3\1\0\2\x11\3\x11\0\x3f\0") + b"entropy\xff\0coded\xff\xd0data" + EOI
GAIN_MAP = SOI + segment(APP11, b"JP of another picture") + TABLES + SCAN


def noise(size: int) -> bytes:
    return shake_128(b"noise").digest(size)


def foreign(label: bytes, size: int, instance: int) -> bytes:
    """Another application's superbox in APP11, cut into packets as ours are."""
    described = bytes(16) + b"\3" + label + b"\0"
    content = (8 + len(described)).to_bytes(4, "big") + b"jumd" + described + bytes(size)
    box = (8 + len(content)).to_bytes(4, "big") + b"jumb" + content
    return b"".join(app11.split(box, instance))


def file_of(*parts: bytes) -> bytes:
    return b"".join((SOI, *parts, TABLES, SCAN))


def joined_anew(jpeg: bytes) -> bytes:
    """The file with its APP11 bodies joined and split as ImageMagick does, before its tables."""
    segments = walk(jpeg)
    bodies = b"".join(jpeg[item.body : item.end] for item in segments if item.marker == APP11)
    others = [jpeg[item.start : item.end] for item in segments if item.marker != APP11]
    cuts = range(0, len(bodies), MAX_BODY)
    anew = [segment(APP11, bodies[start : start + MAX_BODY]) for start in cuts]
    return b"".join((SOI, *others[:-2], *anew, *others[-2:], jpeg[segments[-1].end :]))


PLACES = [
    ("nothing but tables", [], 0),
    ("JFIF", [JFIF], 1),
    ("JFIF, Exif, ICC, Adobe", [JFIF, EXIF, ICC, ADOBE], 4),
    ("a comment ends the front", [JFIF, COMMENT, EXIF], 1),
    ("before a multi-picture index", [EXIF, ICC, MPF, ADOBE], 2),
    ("a multi-picture index alone", [MPF], 0),
    ("behind boxes of others", [EXIF, foreign(b"jpeg360", 100, 1), ADOBE], 3),
    ("fill bytes", [b"\xff\xff" + JFIF, b"\xff\xff\xff" + COMMENT], 1),
    ("markers without length", [JFIF, b"\xff\x01", b"\xff\xd0", EXIF], 1),
]


@pytest.mark.parametrize(
    ("front", "place"), [row[1:] for row in PLACES], ids=[r[0] for r in PLACES]
)
@pytest.mark.parametrize("behind", [b"", GAIN_MAP, b"trailer"])
@pytest.mark.parametrize("size", [0, 1000, 150_000])
def test_place_and_traces(front: list[bytes], place: int, behind: bytes, size: int) -> None:
    payload = noise(size)
    jpeg = file_of(*front) + behind
    carried = embed_payload(jpeg, payload)
    cut = len(SOI + b"".join(front[:place]))
    ours = len(carried) - len(jpeg)
    assert carried[:cut] == jpeg[:cut]
    assert carried[cut + ours :] == jpeg[cut:]
    assert b"".join(item for item in app11.split(wrap(payload), 0x5242)) == carried[cut:][:ours]
    assert extract_payload(carried) == payload
    assert remove_payload(carried) == jpeg
    assert remove_payload(jpeg) == jpeg


fronts = st.lists(
    st.sampled_from(
        [
            JFIF,
            EXIF,
            ICC,
            MPF,
            COMMENT,
            TABLES,
            b"\xff\xff" + EXIF,
            b"\xff\xd3",
            segment(APP11, b""),
            segment(APP11, b"HDR_RI ver=11"),
            foreign(b"jpeg360", 40, 0x5242),
            foreign(b"other", 70_000, 0x5243),
        ]
    )
    | st.binary(max_size=40).map(lambda body: segment(APP11, body)),
    max_size=5,
)
behinds = st.binary(max_size=40) | st.just(GAIN_MAP)
contents = st.binary(max_size=60) | st.integers(0, 200_000).map(noise)


@given(fronts, behinds, contents, contents)
@settings(max_examples=60, deadline=None)
def test_embedding_leaves_no_trace(
    front: list[bytes], behind: bytes, first: bytes, second: bytes
) -> None:
    jpeg = file_of(*front) + behind
    once = embed_payload(jpeg, first)
    assert extract_payload(once) == first
    assert remove_payload(once) == jpeg
    twice = embed_payload(once, second)
    assert twice == embed_payload(jpeg, second)
    assert extract_payload(twice) == second


@given(fronts, contents)
@settings(max_examples=40, deadline=None)
def test_packets_joined_and_split_anew(front: list[bytes], payload: bytes) -> None:
    changed = joined_anew(embed_payload(file_of(*front), payload))
    assert extract_payload(changed) == payload
    removed = remove_payload(changed)
    with pytest.raises(PayloadMissing):
        extract_payload(removed)
    # What is left of the joined bodies is what the others had put there.
    assert app11.App11.of(removed).joined == app11.App11.of(file_of(*front)).joined
    assert extract_payload(embed_payload(changed, b"new")) == b"new"


def test_packets_in_any_order_and_among_others() -> None:
    payload = noise(300_000)
    ours = app11.split(wrap(payload), 7)
    theirs = foreign(b"jpeg360", 10, 7)
    for order in ([4, 3, 2, 1, 0], [0, 2, 4, 1, 3], [1, 0, 3, 2, 4]):
        jpeg = file_of(*itertools.chain.from_iterable((ours[index], theirs) for index in order))
        assert extract_payload(jpeg) == payload
        assert remove_payload(jpeg) == file_of(*[theirs] * 5)


@pytest.mark.parametrize("lost", range(4))
def test_a_lost_packet_is_noticed_and_costs_others_nothing(lost: int) -> None:
    ours = app11.split(wrap(noise(200_000)), 7)
    theirs = foreign(b"c2pa", 100_000, 8)
    del ours[lost]
    jpeg = file_of(JFIF, *ours, theirs)
    with pytest.raises(PayloadDamaged if lost else PayloadMissing):
        extract_payload(jpeg)
    assert theirs in remove_payload(jpeg)


def test_the_second_of_two_boxes_helps_where_the_first_is_cut() -> None:
    broken = app11.split(wrap(bytes(100_000)), 7)[:1]
    jpeg = file_of(*broken, *app11.split(wrap(b"whole"), 8))
    assert extract_payload(jpeg) == b"whole"
    assert remove_payload(jpeg) == file_of()


def test_a_copy_inside_another_box_is_not_ours() -> None:
    inner = b"".join(app11.split(wrap(b"inner"), 7))
    outer = b"JP\0\1\0\0\0\1" + (8 + len(inner)).to_bytes(4, "big") + b"jumb" + inner
    jpeg = file_of(segment(APP11, outer))
    carried = embed_payload(jpeg, b"outer")
    assert extract_payload(carried) == b"outer"
    assert remove_payload(carried) == jpeg


# Sizes around which the last packet would be too short, or exactly full.
FIXED = len(wrap(b"")) - 8


@pytest.mark.parametrize("full", [1, 2])
@pytest.mark.parametrize("beyond", range(-2, 14))
def test_last_bodies_are_long_enough(full: int, beyond: int) -> None:
    payload = bytes(full * jumbf.PACKET - FIXED + beyond)
    segments = app11.split(wrap(payload), 1)
    bodies = [len(item) - 4 for item in segments]
    assert all(size == MAX_BODY for size in bodies[:-1])
    assert 28 <= bodies[-1] <= MAX_BODY
    assert unwrap(wrap(payload)) == payload
    assert extract_payload(file_of(*segments)) == payload
    assert carried_size(len(payload)) == sum(map(len, segments))


def test_instances_of_others_are_avoided() -> None:
    jpeg = file_of(foreign(b"a", 10, 0x5242), foreign(b"b", 10, 0x5243))
    carried = embed_payload(jpeg, b"")
    assert b"JP\x52\x44\0\0\0\1" in carried
    every = b"".join(
        b"JP" + number.to_bytes(2, "big") + bytes(8) + b"jumb" for number in range(1 << 16)
    )
    free = every.replace(b"JP\x02\x11", b"JP\0\0")
    for taken in (every, free):
        with pytest.raises(UnsupportedCarrier, match="room"):
            app11.free_instance(taken)
    assert app11.free_instance(every.replace(b"JP\x02\x12", b"JP\0\0")) == 0x0212


def test_signed_carriers_are_kept_unless_forced() -> None:
    jpeg = file_of(JFIF, foreign(b"c2pa", 70_000, 0x0211))
    assert is_signed(jpeg)
    with pytest.raises(SignedCarrier, match="force"):
        embed_payload(jpeg, b"")
    carried = embed_payload(jpeg, b"forced", force=True)
    assert is_signed(carried)
    assert extract_payload(carried) == b"forced"
    assert remove_payload(carried) == jpeg


def test_other_boxes_are_no_signature() -> None:
    assert not is_signed(embed_payload(file_of(foreign(b"c2pa.not", 10, 3)), b""))


@pytest.mark.parametrize("data", [b"", b"\xff", b"GIF89a", b"\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_not_a_jpeg(data: bytes) -> None:
    for use in (extract_payload, remove_payload, is_signed):
        with pytest.raises(UnsupportedCarrier):
            use(data)
    with pytest.raises(UnsupportedCarrier):
        embed_payload(data, b"")


def test_cut_anywhere_before_the_scan() -> None:
    jpeg = embed_payload(file_of(JFIF, b"\xff\xff" + COMMENT, MPF), b"payload")
    scan = walk(jpeg)[-1]
    for size in range(2, scan.end):
        with pytest.raises(DamagedCarrier, match="byte"):
            extract_payload(jpeg[:size])
    for size in range(scan.end, len(jpeg)):
        assert extract_payload(jpeg[:size]) == b"payload"


@pytest.mark.parametrize("part", [b"\xff\0", SOI, EOI, b"\xff\xe1\0\1", b"\xff\xe1\0\0"])
def test_broken_segments(part: bytes) -> None:
    with pytest.raises(DamagedCarrier):
        extract_payload(file_of(JFIF, part))


def test_stray_bytes_between_segments_stay_where_they_are() -> None:
    jpeg = file_of(JFIF, b"junk", COMMENT)
    carried = embed_payload(jpeg, b"payload")
    assert extract_payload(carried) == b"payload"
    assert remove_payload(carried) == jpeg


def test_no_payload() -> None:
    with pytest.raises(PayloadMissing, match=r"\.rawback"):
        extract_payload(file_of(JFIF, foreign(b"c2pa", 10, 1)))


BOX = bytes.fromhex(
    "0000003b6a756d62"  # superbox
    "000000216a756d64586bd79b135d42899adfdcd66b96ab6c03" + b"rawback\0".hex()
    + "0000001262696462" + b"0123456789".hex()
)  # fmt: skip


def test_superbox_byte_for_byte() -> None:
    assert wrap(b"0123456789") == BOX
    assert unwrap(BOX) == b"0123456789"
    assert unwrap(BOX + b"behind") == b"0123456789"
    ours = segment(APP11, b"JP\x52\x42\0\0\0\1" + BOX)
    assert embed_payload(file_of(JFIF), b"0123456789") == file_of(JFIF, ours)


def test_unknown_boxes_in_the_superbox_are_skipped() -> None:
    extra = b"\0\0\0\x0ajson{}"
    inner = BOX[8:41] + extra + BOX[41:] + extra
    assert unwrap((8 + len(inner)).to_bytes(4, "big") + b"jumb" + inner) == b"0123456789"


def test_a_superbox_cut_anywhere() -> None:
    for size in range(len(BOX)):
        with pytest.raises(PayloadDamaged if size >= 32 else PayloadMissing):
            unwrap(BOX[:size])


def test_what_is_left_of_a_cut_superbox() -> None:
    start = BOX.index(b"0123456789")
    for size in range(start, len(BOX) + 1):
        assert unwrap(BOX[:size], tolerate_cut=True) == BOX[start:size]
    for size in range(32, start - 1):
        with pytest.raises(PayloadDamaged):
            unwrap(BOX[:size], tolerate_cut=True)


def test_what_is_left_of_a_box_that_lost_packets() -> None:
    payload = noise(3 * jumbf.PACKET)
    kept = app11.split(wrap(payload), 1)[:-2]
    jpeg = file_of(JFIF, *kept)
    with pytest.raises(PayloadDamaged, match="lost"):
        extract_payload(jpeg)
    left = extract_payload(jpeg, tolerate_cut=True)
    assert left == payload[: 2 * jumbf.PACKET - FIXED]


@pytest.mark.parametrize("length", [0, 1, 7, 41, 60])
def test_superbox_lengths_that_are_refused(length: int) -> None:
    with pytest.raises(PayloadDamaged, match="box"):
        unwrap(length.to_bytes(4, "big") + BOX[4:])


def test_more_than_a_box_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jumbf, "_MAX_BOX", 1000)
    assert len(wrap(bytes(1000 - 49))) == 1000
    with pytest.raises(RateUnreachable, match="rate"):
        wrap(bytes(1000 - 48))


def poke(data: bytes, edits: list[tuple[int, int]]) -> bytes:
    poked = bytearray(data)
    for position, value in edits:
        poked[position % len(poked)] = value
    return bytes(poked)


SAMPLE = embed_payload(
    file_of(JFIF, foreign(b"jpeg360", 20, 3), foreign(b"jpeg360", 20, 3)), b"payload"
)
pokes = st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 255)), max_size=6)


@given(pokes, st.integers(0, len(SAMPLE)), st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_bytes_give_a_result_or_our_error(
    edits: list[tuple[int, int]], size: int, whole: bool
) -> None:
    data = poke(SAMPLE, edits)[: None if whole else size]
    for use in (extract_payload, is_signed, unwrap):
        try:
            use(data)
        except RawbackError as error:
            message = str(error)
            assert message.endswith(".")
    try:
        carried = embed_payload(data, b"new", force=True)
    except RawbackError:
        return
    assert extract_payload(carried) == b"new"
    assert remove_payload(carried) == remove_payload(data)


def test_work_is_in_proportion_to_the_file() -> None:
    payload = bytes(20 << 20)
    start = time.process_time()
    assert remove_payload(embed_payload(file_of(JFIF), payload)) == file_of(JFIF)
    # A file of boxes that all claim the same packets, and more than there are.
    claims = segment(APP11, b"JP\0\1\0\0\0\1\0\x10\0\0jumb" + BOX[8:32])
    follow = [
        segment(APP11, b"JP\0\1" + z.to_bytes(4, "big") + b"\0\x10\0\0jumb") for z in range(2, 9000)
    ]
    remove_payload(file_of(*[claims] * 9000, *follow))
    assert time.process_time() - start < 5


def test_surface() -> None:
    assert sorted(container.__all__) == container.__all__
    assert all(hasattr(container, name) for name in container.__all__)
