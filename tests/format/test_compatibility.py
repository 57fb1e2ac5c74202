"""Old reads new and new reads old, held against a second reader written from FORMAT.md alone."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rawback
from rawback import container
from rawback.bitstream import FORMAT_VERSION, Payload, Section, cbor, pack, unpack

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
NAMES = sorted(json.loads((GOLDEN / "digests.json").read_text("utf-8")))


def second_reader() -> Any:
    spec = importlib.util.spec_from_file_location("second_reader", HERE / "second_reader.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules["second_reader"] = module
    spec.loader.exec_module(module)
    return module


READER = second_reader()


def carrier(name: str) -> bytes:
    return (GOLDEN / f"{name}.jpg").read_bytes()


def as_lists(value: Any) -> Any:
    if isinstance(value, tuple):
        return [as_lists(item) for item in value]
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: as_lists(item) for key, item in value.items()}
    return value


def by_second_reader(file: bytes) -> Any:
    return READER.read(READER.payload_of(READER.superbox(file)))


def test_the_second_reader_stands_alone() -> None:
    tree = ast.parse((HERE / "second_reader.py").read_text("utf-8"))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    allowed = {"__future__", "struct", "zlib", "bisect", "dataclasses", "itertools", "typing"}
    assert imported <= allowed


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_every_stored_carrier_as_the_library_does(name: str) -> None:
    file = carrier(name)
    ours = unpack(container.extract_payload(file))
    theirs = by_second_reader(file)
    assert theirs.version == ours.header.version
    assert theirs.whole
    assert theirs.skipped == []
    for field, value in theirs.header.items():
        assert value == as_lists(getattr(ours.header, field)), field
    told = [(s.kind, s.layer, s.tile, s.data) for s in theirs.sections]
    assert told == [(s.kind, s.layer, s.tile, s.data) for s in ours.sections]


def test_it_follows_a_payload_through_many_packets() -> None:
    packed = container.extract_payload(carrier("lossy"))
    extended = replace(unpack(packed), sections=(Section(99, 0, 0, bytes(range(256)) * 800),))
    file = container.embed_payload(carrier("lossy"), pack(extended))
    found = by_second_reader(file)
    assert [section.data for section in found.skipped] == [bytes(range(256)) * 800]


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_what_is_left_after_a_cut(name: str) -> None:
    packed = container.extract_payload(carrier(name))
    sections = unpack(packed).sections
    for size in range(len(packed) - 1, len(packed) - 400, -37):
        found = READER.read(packed[:size])
        left = unpack(packed[:size], tolerate_cut=True).sections
        assert len(found.sections) == len(left) < len(sections)
        assert not found.whole or size == len(pack(Payload(unpack(packed).header, left)))


def newer(
    name: str, *, version: tuple[int, int], unknown: dict[int, bytes], sections: tuple[Section, ...]
) -> bytes:
    """A stored carrier as a later version might write it."""
    payload = unpack(container.extract_payload(carrier(name)))
    extra = {key: cbor.encode(value) for key, value in unknown.items()}
    header = replace(payload.header, version=version, extra=extra)
    first, *rest = payload.sections
    later = replace(payload, header=header, sections=(first, *sections, *rest, *sections))
    return container.embed_payload(carrier(name), pack(later))


UNKNOWN = (Section(200, 3, 1, b"of a later version"), Section(77, 0, 0, b""))


@pytest.mark.parametrize("name", ["lossy", "lossless"])
def test_a_newer_minor_version_restores_the_same(name: str) -> None:
    major, minor = FORMAT_VERSION
    file = newer(
        name, version=(major, minor + 5), unknown={60: b"new", 900: b"x"}, sections=UNKNOWN
    )
    assert rawback.verify(file).intact
    assert rawback.inspect(file).format_version == f"{major}.{minor + 5}"
    assert [s.kind for s in rawback.inspect(file).sections].count("unknown") == 4
    restored, result = rawback.restore_bytes(file)
    assert restored == rawback.restore_bytes(carrier(name))[0]
    assert result.exact is (name == "lossless")
    found = by_second_reader(file)
    assert found.unknown == {60: b"new", 900: b"x"}
    assert {(s.kind, s.data) for s in found.skipped} == {(s.kind, s.data) for s in UNKNOWN}


def test_shrinking_keeps_what_it_does_not_know() -> None:
    file = newer("lossy", version=(2, 9), unknown={61: b"new"}, sections=UNKNOWN)
    size = rawback.inspect(file).payload_bytes
    smaller, result = rawback.shrink_bytes(file, size - 1)
    assert result.payload_bytes < size
    found = by_second_reader(smaller)
    assert found.version == (2, 9)
    assert found.unknown == {61: b"new"}
    assert {section.kind for section in found.skipped} == {200, 77}
    assert rawback.verify(smaller).intact


def test_a_newer_major_version_is_refused_and_can_be_stripped() -> None:
    packed = bytearray(container.extract_payload(carrier("lossy")))
    packed[4] = 3
    file = container.embed_payload(carrier("lossy"), bytes(packed))
    for use in (
        rawback.inspect,
        rawback.verify,
        rawback.restore_bytes,
        lambda data: rawback.restore_bytes(data, salvage=True),
        lambda data: rawback.shrink_bytes(data, 2000),
    ):
        with pytest.raises(rawback.PayloadTooNew, match=r"format 3\.0.*update"):
            use(file)
    assert rawback.strip_bytes(file) == container.remove_payload(carrier("lossy"))
    with pytest.raises(READER.TooNew):
        by_second_reader(file)


@pytest.mark.parametrize("major", [0, 1])
def test_there_is_no_older_major_version(major: int) -> None:
    packed = bytearray(container.extract_payload(carrier("lossy")))
    packed[4] = major
    with pytest.raises(rawback.PayloadDamaged, match="never released"):
        unpack(bytes(packed))
    with pytest.raises(READER.Refused):
        READER.read(bytes(packed))


def test_damage_is_found_by_both() -> None:
    packed = bytearray(container.extract_payload(carrier("lossy")))
    packed[-10] ^= 1
    assert not READER.read(bytes(packed)).whole
    assert len(READER.read(bytes(packed)).sections) == len(
        unpack(bytes(packed), tolerate_cut=True).sections
    )
    packed[20] ^= 1
    with pytest.raises(READER.Refused):
        READER.read(bytes(packed))
    with pytest.raises(rawback.PayloadDamaged):
        unpack(bytes(packed))
