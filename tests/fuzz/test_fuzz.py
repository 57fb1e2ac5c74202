"""Hostile bytes: some in every run, and all that ever broke a rule; see `reliability.fuzz`."""

from __future__ import annotations

import io
from collections import deque
from contextlib import suppress
from itertools import repeat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import rawback
from rawback.jpegio import decode_jpeg
from rawback.jpegio.structure import read_structure
from rawback_lab.reliability.fuzz import SECONDS, SHARE, Tally, fuzz, honest_peak, judge
from rawback_lab.reliability.limits import TookTooLong, measured
from rawback_lab.reliability.targets import honest, replay

FINDS = sorted(path for path in (Path(__file__).parent / "finds").glob("*") if path.is_file())


def silent(_: int, __: Tally) -> None:
    pass


@pytest.mark.parametrize(
    ("what", "count"),
    [("parsers", 2000), ("metadata", 2000), ("recipes", 1000), ("restore", 60)],
)
def test_hostile_bytes_are_a_result_or_an_error_of_ours(what: str, count: int) -> None:
    tally = fuzz(what, range(count), 20, silent)
    assert tally.finds == []
    assert tally.outcomes["result"] > 0
    assert tally.outcomes["PayloadDamaged"] > 0
    assert tally.slowest < SECONDS


@pytest.mark.parametrize("path", FINDS, ids=lambda path: path.name)
def test_what_once_broke_a_rule_does_so_no_more(path: Path) -> None:
    data = path.read_bytes()
    tally = Tally()
    most = SHARE * honest_peak()
    for choice in range(4):
        judge(lambda choice=choice: replay(data, choice), data, tally, most)  # type: ignore[misc]
    for use in (rawback.inspect, rawback.strip_bytes):
        judge(lambda use=use: use(data), data, tally, most)  # type: ignore[misc]
    assert tally.finds == []


def test_there_are_regression_files() -> None:
    assert FINDS


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    which=st.integers(0, len(honest()) - 1),
    edits=st.lists(st.tuples(st.integers(0, 12_000), st.binary(max_size=5)), max_size=4),
)
def test_any_edit_of_any_carrier(which: int, edits: list[tuple[int, bytes]]) -> None:
    data = bytearray(honest()[which])
    for at, new in edits:
        data[at : at + len(new)] = new
    for use in (rawback.inspect, rawback.verify, rawback.strip_bytes, rawback.restore_bytes):
        with suppress(rawback.RawbackError):
            use(bytes(data))


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    made = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 120, 30)).save(made, "JPEG", progressive=True)
    data = made.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + b"\xff\xd9"


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    read_structure(many_scans(80))
    decode_jpeg(many_scans(80))
    with pytest.raises(rawback.UnsupportedCarrier, match="scans"):
        decode_jpeg(many_scans(2000))


def test_the_judge_tells_what_breaks_a_rule() -> None:
    tally = Tally()

    def fail() -> None:
        raise KeyError

    def refuse() -> None:
        message = "no"
        raise rawback.PayloadDamaged(message)

    def endless() -> None:
        with measured(0.05):
            deque((len(data) for data in repeat(b"")), maxlen=0)

    for use in (fail, refuse, bytes):
        judge(use, b"x", tally, 1 << 40)
    judge(bytes, b"y", tally, 1)
    assert tally.outcomes == {"! KeyError": 1, "PayloadDamaged": 1, "result": 1, "! memory": 1}
    assert [(outcome, data) for outcome, _, data in tally.finds] == [
        ("! KeyError", b"x"),
        ("! memory", b"y"),
    ]
    with pytest.raises(TookTooLong):
        endless()
