"""Payloads that pass their checksums and are wrong all the same: a raw, or an error of ours."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawback.bitstream import Header, Payload, Section, SectionKind, unpack
from rawback.common.header_fields import ResidualParameters
from rawback.container import extract_payload
from rawback.decoder import decode
from rawback.errors import PayloadDamaged, PayloadTooNew, PixelsChanged, RawbackError
from rawback.jpegio import DecodedJpeg, decode_jpeg
from rawback.mosaic import Mosaic
from rawback.rate import Rate
from rawback.residual import KLT, LEVELS, MAX_SLOPE, MAX_STEP_CODE, Pixels, Quantiser
from rawback_lab.scenes import Trial, made_up_shot

from ..mosaics import BAYER, KINDS

GOLDEN = Path(__file__).parents[1] / "golden"

MANY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def tiny() -> Trial:
    """45 x 34 pixels."""
    return Trial.of(*made_up_shot(34, 45))


@pytest.fixture(scope="module", params=[Rate.quality(85), Rate.lossless()], ids=["lossy", "exact"])
def payload(tiny: Trial, request: pytest.FixtureRequest) -> Payload:
    return tiny.payload(request.param)


def decoded(tiny: Trial, payload: Payload) -> None:
    with suppress(RawbackError):
        found = tiny.decode(payload)
        assert found.cfa.shape == tiny.frame.cfa.shape


def with_data(payload: Payload, index: int, data: bytes) -> Payload:
    sections = list(payload.sections)
    sections[index] = replace(sections[index], data=data)
    return replace(payload, sections=tuple(sections))


@MANY
@given(data=st.data())
def test_a_changed_byte_in_a_section(tiny: Trial, payload: Payload, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(payload.sections) - 1))
    changed = bytearray(payload.sections[index].data)
    at = data.draw(st.integers(0, min(len(changed) - 1, 200)))
    changed[at] ^= data.draw(st.integers(1, 255))
    decoded(tiny, with_data(payload, index, bytes(changed)))


def test_pixels_that_repeat_others_of_another_list_are_refused() -> None:
    carrier = (GOLDEN / "interpolated.jpg").read_bytes()
    payload = unpack(extract_payload(carrier))
    places = [(section.kind, section.layer) for section in payload.sections]
    at = places.index((SectionKind.CODES, 1))
    changed = with_data(payload, at, bytes([Pixels.REPEATING]) + payload.sections[at].data[1:])
    with pytest.raises(PayloadDamaged, match="without that layer"):
        decode(changed, decode_jpeg(carrier))


@MANY
@given(data=st.data())
def test_garbage_in_a_section(tiny: Trial, payload: Payload, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(payload.sections) - 1))
    garbage = data.draw(
        st.one_of(
            st.binary(max_size=64),
            st.sampled_from([b"", b"\0" * 200, b"\xff" * 200, b"\x80" * 3000]),
            st.sampled_from([section.data for section in payload.sections]),
            st.integers(0, 300).map(lambda size: payload.sections[index].data[:size]),
        )
    )
    decoded(tiny, with_data(payload, index, garbage))


@MANY
@given(data=st.data())
def test_sections_out_of_order_missing_or_renamed(
    tiny: Trial, payload: Payload, data: st.DataObject
) -> None:
    sections = data.draw(st.permutations(payload.sections))[: data.draw(st.integers(0, 9))]
    renamed = [
        replace(
            section,
            kind=data.draw(st.sampled_from([section.kind, section.kind, 3, 200])),
            layer=data.draw(st.sampled_from([section.layer, 1, 2**32 - 1])),
            tile=data.draw(st.sampled_from([0, 0, 1, 2**32 - 1])),
        )
        for section in sections
    ]
    decoded(tiny, replace(payload, sections=tuple(renamed)))


HEADERS: dict[str, st.SearchStrategy[Any]] = {
    "black": st.lists(st.integers(0, 60_000 * 256), min_size=1, max_size=4).map(tuple),
    "white": st.integers(1, 65535),
    "ceiling": st.integers(0, 65535),
    "black_offsets": st.binary(max_size=200),
    "noise": st.tuples(
        *[st.tuples(st.integers(0, 2**53 - 1), st.integers(-255, 0))] * 2,
    ),
    "pattern": st.sampled_from(
        [*map(str, [*BAYER[:3], *KINDS.values()]), "RGBCM", "R/GB", "B+B+B"]
    ),
    "geometry": st.one_of(st.binary(max_size=40), st.integers(0, 255).map(lambda n: bytes([n]))),
    "residual": st.binary(max_size=64),
    "cfa_digest": st.binary(min_size=32, max_size=32),
    "width": st.integers(2, 300),
    "height": st.integers(2, 300),
    "orientation": st.integers(1, 8),
}


@MANY
@given(data=st.data())
def test_a_header_that_says_something_else(
    tiny: Trial, payload: Payload, data: st.DataObject
) -> None:
    changes = data.draw(
        st.lists(st.sampled_from(sorted(HEADERS)), min_size=1, max_size=2, unique=True)
    )
    with suppress(RawbackError, ValueError):
        values = {name: data.draw(HEADERS[name]) for name in changes}
        if "pattern" in changes and data.draw(st.booleans()):
            values["black"] = payload.header.black[: len(Mosaic.parse(values["pattern"]).colours)]
        header = replace(payload.header, **values)
        _decoded_any_size(tiny, replace(payload, header=header))


def _decoded_any_size(tiny: Trial, payload: Payload) -> None:
    try:
        found = tiny.decode(payload)
    except ValueError as error:
        message = "foreign errors must not come out"
        raise AssertionError(message) from error
    assert found.cfa.shape[:2] == (payload.header.height, payload.header.width)
    assert found.pattern == payload.header.pattern


@pytest.mark.parametrize("levels", [((1 << 23) - 1, 32768), (65534 * 256 + 255, 65535)])
def test_levels_that_nearly_touch_do_not_ask_for_endless_tables(
    tiny: Trial, levels: tuple[int, int]
) -> None:
    payload = tiny.payload(Rate.lossless())
    black, white = levels
    header = replace(payload.header, black=(black, 0, black, 0), white=white)
    decoded(tiny, replace(payload, header=header))


def test_a_payload_for_other_pixels_is_refused(tiny: Trial) -> None:
    payload = tiny.payload(Rate.quality(0))
    pixels = tiny.carrier.pixels.copy()
    pixels[3, 5, 1] ^= 1
    with pytest.raises(PixelsChanged, match="restore from a copy"):
        decode(payload, DecodedJpeg(pixels, 1))
    with pytest.raises(PixelsChanged, match="restore from a copy"):
        decode(payload, DecodedJpeg(tiny.carrier.pixels[:-1], 1))


def test_a_payload_coded_with_other_tables_is_too_new(tiny: Trial) -> None:
    payload = tiny.payload(Rate.quality(0))
    header = replace(payload.header, tables=bytes(8))
    with pytest.raises(PayloadTooNew, match="update it"):
        tiny.decode(replace(payload, header=header))


def test_a_geometry_that_is_none_is_refused(tiny: Trial) -> None:
    payload = tiny.payload(Rate.quality(0))
    for geometry in (b"\xff", b"\x10\x01", b"\0\0"):
        with pytest.raises(PayloadDamaged):
            tiny.decode(replace(payload, header=replace(payload.header, geometry=geometry)))


def test_a_payload_without_its_base_is_refused(tiny: Trial) -> None:
    payload = tiny.payload(Rate.quality(85))
    others = tuple(s for s in payload.sections if s.kind != SectionKind.BASE)
    for sections in ((), others):
        with pytest.raises(PayloadDamaged, match="before the section of its base"):
            tiny.decode(replace(payload, sections=sections))


def test_a_section_that_comes_twice_is_refused(tiny: Trial) -> None:
    payload = tiny.payload(Rate.quality(85))
    with pytest.raises(PayloadDamaged, match="a section twice"):
        tiny.decode(replace(payload, sections=(*payload.sections, payload.sections[-1])))


def test_sections_of_unknown_kinds_are_skipped(tiny: Trial) -> None:
    payload = tiny.payload(Rate.quality(85))
    more = (Section(77, 0, 0, b"later"), *payload.sections, Section(78, 0, 0, b""))
    assert np.array_equal(
        tiny.decode(replace(payload, sections=more)).cfa, tiny.decode(payload).cfa
    )


def test_a_mosaic_that_does_not_match_its_digest_is_refused(tiny: Trial) -> None:
    payload = tiny.payload(Rate.lossless())
    header = replace(payload.header, cfa_digest=bytes(32))
    with pytest.raises(PayloadDamaged, match="bit for bit"):
        tiny.decode(replace(payload, header=header))


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32), st.data())
def test_residual_parameters_round_trip(layers: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    code = data.draw(st.integers(32 * (layers - 1), MAX_STEP_CODE))
    steepest = min(MAX_SLOPE, (code - 32 * (layers - 1)) // LEVELS)
    planes = data.draw(st.sampled_from([3, 4, 9, 16]))
    slopes = tuple(rng.integers(0, steepest + 1, planes).tolist())
    quantisers = tuple(
        Quantiser(code - 32 * layer, int(near), int(far), slopes)
        for layer, (near, far) in enumerate(rng.integers(0, 8, (layers, 2)))
    )
    transform = KLT(rng.integers(-127, 128, (planes, planes)).astype(np.int8))
    written = ResidualParameters(transform, quantisers, 2).to_bytes()
    found = ResidualParameters.from_bytes(written, planes)
    assert found.quantisers == quantisers
    assert np.array_equal(found.transform.matrix, transform.matrix)
    assert found.weight_power == 2


@given(st.binary(max_size=512), st.sampled_from([3, 4, 9, 16]))
def test_any_residual_parameters_are_such_or_refused(data: bytes, planes: int) -> None:
    try:
        found = ResidualParameters.from_bytes(data, planes)
    except PayloadDamaged:
        return
    assert found.to_bytes() == data
    assert all(0 <= q.step_code <= MAX_STEP_CODE for q in found.quantisers)
    assert all(0 <= slope <= MAX_SLOPE for slope in found.quantisers[0].slopes)


def test_headers_of_the_tests_are_headers(tiny: Trial) -> None:
    assert set(HEADERS) <= set(Header.__dataclass_fields__)
