"""Cut, broken, changed and foreign files: found, named, and where possible survived."""

from __future__ import annotations

import contextlib
import io
import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import rawback
from rawback import bitstream, container, rawio

if TYPE_CHECKING:
    from collections.abc import Callable

Shot = tuple[bytes, bytes]
COARSE = rawback.Rate.quality(20)


def repacked(carrier: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The carrier with its packed payload changed."""
    return container.embed_payload(carrier, change(container.extract_payload(carrier)))


def first(size: int, packed: bytes) -> bytes:
    """What is left of a payload that was cut."""
    return packed[:size]


def boundaries(carrier: bytes) -> tuple[int, ...]:
    """Sizes of the payload with the base, the section after it, ... and all sections."""
    payload = bitstream.unpack(container.extract_payload(carrier))
    kinds = [section.kind for section in payload.sections]
    return bitstream.section_offsets(payload)[kinds.index(bitstream.SectionKind.BASE) + 1 :]


def saved(picture: Image.Image, **options: object) -> bytes:
    data = io.BytesIO()
    picture.save(data, "JPEG", **{"quality": 92, **options})
    return data.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return picture.convert("RGB")


def errors_of(carrier: bytes, truth: bytes, *, salvage: bool = False) -> float:
    dng, _ = rawback.restore_bytes(carrier, salvage=salvage)
    difference = rawio.read_raw(dng).cfa.astype(float) - rawio.read_raw(truth).cfa
    return float(np.square(difference).mean())


def test_a_payload_cut_between_sections_restores_coarser(
    shot: Shot, lossless_carrier: bytes
) -> None:
    errors = []
    for end in boundaries(lossless_carrier):
        cut = repacked(lossless_carrier, partial(first, end))
        assert rawback.verify(cut).status == "intact"
        errors.append(errors_of(cut, shot[0]))
    assert errors[-1] == 0
    assert errors[0] > errors[len(errors) // 2] > 0


def test_a_payload_cut_within_a_section_is_refused_or_salvaged(
    shot: Shot, lossless_carrier: bytes
) -> None:
    ends = boundaries(lossless_carrier)
    for before, after in itertools.pairwise(ends):
        middle = (before + after) // 2
        cut = repacked(lossless_carrier, partial(first, middle))
        assert rawback.verify(cut).status == "payload cut"
        with pytest.raises(rawback.PayloadDamaged, match="sections before"):
            rawback.restore_bytes(cut)
        whole = repacked(lossless_carrier, partial(first, before))
        salvaged, result = rawback.restore_bytes(cut, salvage=True)
        assert not result.complete
        assert result.exact is (before == ends[-2])  # what is left out then are personal tags
        np.testing.assert_array_equal(
            rawio.read_raw(salvaged).cfa, rawio.read_raw(rawback.restore_bytes(whole)[0]).cfa
        )


def test_one_flipped_bit_in_each_section_is_found(lossless_carrier: bytes) -> None:
    packed = container.extract_payload(lossless_carrier)
    ends = (0, *bitstream.section_offsets(bitstream.unpack(packed)))
    for start, end in itertools.pairwise(ends):
        place = (start + end) // 2
        bent = bytearray(packed)
        bent[place] ^= 1
        carrier = container.embed_payload(lossless_carrier, bytes(bent))
        assert rawback.verify(carrier).status == "payload damaged"
        with pytest.raises(rawback.PayloadDamaged):
            rawback.restore_bytes(carrier)


@pytest.mark.parametrize("last", [1, 2])
def test_what_comes_before_a_damaged_section_is_salvaged(
    shot: Shot, lossless_carrier: bytes, last: int
) -> None:
    before, after = boundaries(lossless_carrier)[-last - 1 :][:2]
    middle = (before + after) // 2

    def bend(packed: bytes) -> bytes:
        return packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]

    carrier = repacked(lossless_carrier, bend)
    cut = repacked(lossless_carrier, partial(first, before))
    assert errors_of(carrier, shot[0], salvage=True) == errors_of(cut, shot[0])
    assert not rawback.inspect(carrier).intact


def test_a_detached_payload_that_did_not_arrive_whole(lossless_carrier: bytes, shot: Shot) -> None:
    sidecar = container.wrap(container.extract_payload(lossless_carrier))
    short = sidecar[: len(sidecar) * 2 // 3]
    assert rawback.verify(shot[1], sidecar=short).status == "payload cut"
    with pytest.raises(rawback.PayloadDamaged, match="fetch"):
        rawback.restore_bytes(shot[1], sidecar=short)
    _, result = rawback.restore_bytes(shot[1], sidecar=short, salvage=True)
    assert not result.complete


def test_a_cut_where_a_section_ends_is_still_found_by_its_box(
    lossless_carrier: bytes, shot: Shot
) -> None:
    packed = container.extract_payload(lossless_carrier)
    start = len(container.wrap(packed)) - len(packed)
    short = container.wrap(packed)[: start + boundaries(lossless_carrier)[1]]
    assert rawback.verify(shot[1], sidecar=short).status == "payload cut"
    _, result = rawback.restore_bytes(shot[1], sidecar=short, salvage=True)
    assert not result.complete


@pytest.mark.parametrize("salvage", [False, True])
def test_pixels_changed_after_embedding(shot: Shot, lossless_carrier: bytes, salvage: bool) -> None:
    picture = opened(shot[1])
    edited = picture.point(lambda code: min(code + 2, 255))
    for changed in (edited, picture.rotate(180), picture.crop((0, 0, 100, 100))):
        payload = container.extract_payload(lossless_carrier)
        carrier = container.embed_payload(saved(changed), payload)
        assert rawback.verify(carrier).status == "pixels changed"
        with pytest.raises(rawback.PixelsChanged):
            rawback.restore_bytes(carrier, salvage=salvage)


def test_metadata_may_change(lossless_carrier: bytes) -> None:
    comment = b"\xff\xfe\0\x09by hand"
    carrier = lossless_carrier[:2] + comment + lossless_carrier[2:]
    assert rawback.verify(carrier).status == "intact"
    assert rawback.restore_bytes(carrier)[1].exact


def test_a_jpeg_without_a_payload(shot: Shot) -> None:
    assert rawback.verify(shot[1]).status == "payload missing"
    for use in (
        lambda: rawback.restore_bytes(shot[1]),
        lambda: rawback.inspect(shot[1]),
        lambda: rawback.shrink_bytes(shot[1], 1000),
        lambda: rawback.strip_bytes(shot[1]),
    ):
        with pytest.raises(rawback.PayloadMissing):
            use()


def test_a_payload_of_the_future(lossless_carrier: bytes) -> None:
    carrier = repacked(lossless_carrier, lambda packed: packed[:4] + b"\x09" + packed[5:])
    for use in (rawback.restore_bytes, rawback.inspect, rawback.verify):
        with pytest.raises(rawback.PayloadTooNew, match="update"):
            use(carrier)


def test_verifying_against_the_raw(shot: Shot, lossless_carrier: bytes) -> None:
    found = rawback.verify(lossless_carrier, raw=shot[0])
    assert (found.status, found.exact) == ("intact", True)
    coarse, result = rawback.embed_bytes(*shot, rate=COARSE)
    found = rawback.verify(coarse, raw=shot[0])
    assert found.exact is False
    assert found.psnr_db == pytest.approx(result.psnr_db, abs=0.05)
    frame = rawio.read_raw(shot[0])
    smaller = rawio.write_dng(frame.excerpt(frame.cfa[:60, :80].copy()))
    with pytest.raises(rawback.ShotMismatch, match="80 x 60"):
        rawback.verify(lossless_carrier, raw=smaller)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_cut_raws(shot: Shot, share: float) -> None:
    with pytest.raises((rawback.DamagedRaw, rawback.UnsupportedRaw)):
        rawback.embed_bytes(shot[0][: int(share * len(shot[0]))], shot[1])


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_cut_jpegs(shot: Shot, lossless_carrier: bytes, share: float) -> None:
    with pytest.raises(rawback.DamagedCarrier):
        rawback.embed_bytes(shot[0], shot[1][: int(share * len(shot[1]))])
    short = lossless_carrier[: int(share * len(lossless_carrier))]
    for use in (rawback.restore_bytes, rawback.verify):
        with pytest.raises(rawback.DamagedCarrier):
            use(short)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(100), bytes(1000), b"\xff\xd8"])
def test_carriers_that_are_no_jpeg(shot: Shot, data: bytes) -> None:
    for use in (
        lambda: rawback.embed_bytes(shot[0], data),
        lambda: rawback.restore_bytes(data),
        lambda: rawback.inspect(data),
        lambda: rawback.verify(data),
        lambda: rawback.shrink_bytes(data, 1000),
        lambda: rawback.strip_bytes(data),
    ):
        with pytest.raises((rawback.UnsupportedCarrier, rawback.DamagedCarrier)):
            use()


def test_cmyk_and_12_bit_jpegs_cannot_carry(shot: Shot) -> None:
    cmyk = saved(opened(shot[1]).convert("CMYK"))
    start = shot[1].index(b"\xff\xc0")
    twelve = shot[1][:start] + b"\xff\xc1" + shot[1][start + 2 : start + 4] + b"\x0c"
    twelve += shot[1][start + 5 :]
    for jpeg in (cmyk, twelve):
        with pytest.raises(rawback.UnsupportedCarrier):
            rawback.embed_bytes(shot[0], jpeg)


@pytest.mark.parametrize("kind", ["progressive", "grey"])
def test_progressive_and_grey_jpegs_do_carry(shot: Shot, kind: str) -> None:
    picture = opened(shot[1])
    jpeg = (
        saved(picture, progressive=True) if kind == "progressive" else saved(picture.convert("L"))
    )
    carrier, _ = rawback.embed_bytes(shot[0], jpeg, rate=rawback.Rate.lossless())
    assert rawback.restore_bytes(carrier)[1].exact


def test_a_jpeg_of_another_shot(shot: Shot) -> None:
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (10, 13, 3)).astype(np.uint8)
    other = saved(Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC))
    with pytest.raises(rawback.ShotMismatch):
        rawback.embed_bytes(shot[0], other)
    for rate in (rawback.Rate.quality(50), rawback.Rate.lossless()):
        carrier, result = rawback.embed_bytes(shot[0], other, rate=rate, unguided=True)
        assert not result.guided
        assert rawback.verify(carrier, raw=shot[0]).psnr_db == pytest.approx(result.psnr_db)
        assert rawback.strip_bytes(carrier) == other


def test_files_the_wrong_way_round(shot: Shot) -> None:
    with pytest.raises(rawback.UnsupportedCarrier):
        rawback.embed_bytes(shot[1], shot[0])
    with pytest.raises(rawback.UnsupportedRaw, match="JPEG"):
        rawback.embed_bytes(shot[1], shot[1])


def signed(jpeg: bytes) -> bytes:
    """The JPEG with a box that C2PA software takes for its manifest."""
    described = bytes.fromhex("63327061001100108000" + "00aa00389b71") + b"\x03c2pa\0"
    content = (8 + len(described)).to_bytes(4, "big") + b"jumd" + described
    box = (8 + len(content)).to_bytes(4, "big") + b"jumb" + content
    body = b"JP\x02\x11\0\0\0\1" + box
    return jpeg[:2] + b"\xff\xeb" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def test_signed_jpegs_need_force(shot: Shot) -> None:
    jpeg = signed(shot[1])
    with pytest.raises(rawback.SignedCarrier, match="sign"):
        rawback.embed_bytes(shot[0], jpeg, rate=COARSE)
    carrier, result = rawback.embed_bytes(shot[0], jpeg, rate=COARSE, force=True)
    assert rawback.strip_bytes(carrier) == jpeg
    assert rawback.shrink_bytes(carrier, result.payload_bytes - 1)[1].removed_bytes > 0


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_bytes_give_a_result_or_our_error(
    lossless_carrier: bytes, edits: list[tuple[float, int]]
) -> None:
    data = bytearray(lossless_carrier)
    for place, value in edits:
        data[int(place * (len(data) - 1))] = value
    for use in (rawback.inspect, rawback.verify, rawback.strip_bytes):
        with contextlib.suppress(rawback.RawbackError):
            use(bytes(data))
