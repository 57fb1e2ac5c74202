"""The decoder of `second_decoder` restores every golden carrier bit for bit."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback._api.metadata import dng_frame
from rawback.bitstream import read_metadata, unpack
from rawback.common.border import read_border
from rawback.container import extract_payload
from rawback.decoder import decode
from rawback.geometry import Aligned
from rawback.jpegio import decode_jpeg
from rawback.mosaic import Mosaic
from rawback.original.making import make_recipe
from rawback.rate import Rate
from rawback_lab.reliability.recipes import originals

from ..golden.make import carrier_of, mosaic_shot
from ..original.unusual import unusual
from .second_decoder import (
    RefusedError,
    Stored,
    load_stored,
    numbers_of,
    restore,
    restore_all,
    sensor_of,
)
from .second_decoder.carrier import CONTENT_TYPE, payload_bytes, superbox_of
from .second_decoder.mosaics import Frame, pattern_of
from .second_decoder.original import original
from .second_decoder.payload import Source, crc32c, read_header
from .second_decoder.restore import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.metadata import Metadata

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
PACKAGE = HERE.parents[1] / "core" / "rawback"
DIGESTS: dict[str, str] = {
    name: entry["sha256"]
    for name, entry in json.loads((GOLDEN / "digests.json").read_text("utf-8")).items()
}


@pytest.fixture(scope="module")
def stored() -> Stored:
    """The tables and networks of the golden carriers."""
    return load_stored(PACKAGE / "common", PACKAGE / "weights")


def golden(name: str) -> bytes:
    """The bytes of a golden carrier."""
    return (GOLDEN / f"{name}.jpg").read_bytes()


def digest(jpeg: bytes, stored: Stored) -> str:
    """The digest of what a carrier restores."""
    mosaic, remainders = restore_all(jpeg, stored)
    found = hashlib.sha256(mosaic.astype("<u2").tobytes())
    if remainders is not None:
        found.update(remainders.astype("<u4").tobytes())
    return found.hexdigest()


def test_it_stands_alone() -> None:
    """It imports nothing of the library, nor what the library computes with."""
    allowed = {*sys.stdlib_module_names, "numpy", "safetensors", "PIL"}
    for file in (HERE / "second_decoder").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").partition(".")[0] in allowed


@pytest.mark.parametrize("name", DIGESTS)
def test_restores_golden(name: str, stored: Stored) -> None:
    """The mosaic of a golden carrier has its digest."""
    assert digest(golden(name), stored) == DIGESTS[name]


@pytest.mark.parametrize("name", ["floats", "ratios"])
def test_restores_golden_numbers(name: str, stored: Stored) -> None:
    """All numbers, those around the visible area too, are those of the library."""
    jpeg = golden(name)
    carrier, payload = decode_jpeg(jpeg), unpack(extract_payload(jpeg))
    ours = dng_frame(decode(payload, carrier), payload, carrier).whole_numbers
    bits = numbers_of(jpeg, *restore_all(jpeg, stored))
    np.testing.assert_array_equal(bits, ours.view(np.uint32))


@pytest.mark.parametrize("name", ["bordered", "above", "lossy"])
def test_reads_what_surrounds_golden(name: str, stored: Stored) -> None:
    """Border and metadata are what the library makes of them."""
    jpeg = golden(name)
    whole, told = sensor_of(jpeg, restore(jpeg, stored))
    payload = unpack(extract_payload(jpeg))
    ours = decode(payload, decode_jpeg(jpeg)).cfa
    border = read_border(payload.sections, payload.header)
    np.testing.assert_array_equal(whole, ours if border is None else border.joined(ours))
    metadata = read_metadata(payload.sections)
    assert told.from_jpeg is metadata.from_jpeg
    assert told.big_endian is metadata.rendering.big_endian
    assert told.rendering == tags(metadata.rendering)
    assert told.personal == (None if metadata.personal is None else tags(metadata.personal))


@pytest.mark.parametrize(
    ("pattern", "height", "width", "rate"),
    [
        ("RRGG/RRGG/GGBB/GGBB", 22, 31, Rate.lossless()),
        ("W", 23, 30, Rate.lossless()),
        ("R+G+B", 21, 25, Rate.lossless()),
        ("R+G+B", 40, 50, Rate.quality(40)),
        ("RGBW", 24, 31, Rate.quality(60)),
        ("BGGRGG/RGGBGG/GBRGRB/RGGBGG/BGGRGG/GRBGBR", 25, 32, Rate.quality(60)),
        # Cells that have not equally many of each channel, and tiles that begin within the pattern.
        ("RGBGG", 6, 1034, Rate.lossless()),
    ],
)
def test_restores_every_mosaic(
    pattern: str, height: int, width: int, rate: Rate, stored: Stored
) -> None:
    """The mosaic is that which the library restores, in frames of few pixels."""
    colours = 3 if "+" in pattern else len(Mosaic.parse(pattern).colours)
    black = (64.0, 66.0, 63.5, 65.0)[:colours]
    frame, jpeg = mosaic_shot(pattern, height, width, black, 1)
    carrier = carrier_of(frame, jpeg, rate, Aligned())
    ours = decode(unpack(extract_payload(carrier)), decode_jpeg(carrier)).cfa
    np.testing.assert_array_equal(restore(carrier, stored), ours)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "RG/GB",
            "RG",
            "RGRG/GBGB",
            "GRGR/BGBG/GRGR/BGBG",
            "RGBGG",
            "RRB/GGB",
            "R/G/B",
            "EC/WM/YR",
        ),
        *("R+G+B", "B+G+R", "R+G", "R+G+B+W", "", "R/", "rggb", "RGB/RG", "W" * 16, "W" * 17),
        *("/".join("W" * 16), "/".join("W" * 17), "RGBWC", "RRRGB", "GRGB/RGGG", "CC/C", "X"),
    ],
)
def test_reads_patterns_as_the_library_does(text: str) -> None:
    """Channels, palette and cells of patterns, and which texts are none (3.5)."""
    try:
        ours = Mosaic.parse(text)
    except ValueError:
        with pytest.raises(RefusedError):
            pattern_of(text)
        return
    found = pattern_of(text)
    assert (found.colours, found.rows) == (ours.colours, ours.pattern)
    assert (found.palette, found.side, found.planes) == (ours.palette, ours.cell, ours.planes)
    frame = Frame(found, 13, 17)
    layout = ours.layout()
    for y, x in np.ndindex(frame.rows, frame.columns):
        cell = layout[y % layout.shape[0], x % layout.shape[1]]
        np.testing.assert_array_equal(frame.order[y, x], cell[:, 0])


def tags(metadata: Metadata) -> dict[tuple[int, int], tuple[int, bytes]]:
    """Type and bytes by directory and number."""
    return {(e.directory, e.tag): (e.type, e.data) for e in metadata.entries}


def segment(body: bytes) -> bytes:
    """An APP11 segment."""
    return b"\xff\xeb" + (len(body) + 2).to_bytes(2, "big") + body


def box(kind: bytes, data: bytes) -> bytes:
    """A box of JUMBF."""
    return (len(data) + 8).to_bytes(4, "big") + kind + data


def packets(payload: bytes) -> list[bytes]:
    """The bodies of the packets that carry a payload (1.2)."""
    description = box(b"jumd", CONTENT_TYPE + b"\x03rawback\0")
    whole = box(b"jumb", description + box(b"bidb", payload))
    starts = range(8, len(whole), 65_517)
    return [
        b"JP\x52\x42" + number.to_bytes(4, "big") + whole[:8] + whole[start : start + 65_517]
        for number, start in enumerate(starts, 1)
    ]


def embedded(jpeg: bytes, bodies: list[bytes]) -> bytes:
    """A JPEG with other APP11 segments than it has, right behind its first marker."""
    at = 2
    rest = []
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at + 1] != 0xEB:
            rest.append(jpeg[at:end])
        at = end
    return b"".join([jpeg[:2], *map(segment, bodies), *rest, jpeg[at:]])


def long_payload(jpeg: bytes) -> bytes:
    """The payload of a JPEG with a long section of an unknown kind behind it (2.2)."""
    size = 150_000
    head = bytes([200, 0, 0, size & 127 | 128, size >> 7 & 127 | 128, size >> 14])
    section = head + np.random.default_rng(1).bytes(size)
    return payload_bytes(superbox_of(jpeg)) + section + crc32c(section).to_bytes(4, "big")


def test_reads_several_packets(stored: Stored) -> None:
    """A superbox may have several packets, and segments of others may be between them."""
    jpeg = golden("lossless")
    first, *others = packets(long_payload(jpeg))
    between = embedded(jpeg, [b"JP\x02\x11 of others", first, b"others", *others])
    assert digest(between, stored) == DIGESTS["lossless"]


def test_reads_what_was_split_anew(stored: Stored) -> None:
    """Bodies that were joined and split elsewhere are read all the same (1.3)."""
    jpeg = golden("lossless")
    joined = b"some other segment" + b"".join(packets(long_payload(jpeg)))
    split = [joined[at : at + 65_533] for at in range(0, len(joined), 65_533)]
    assert digest(embedded(jpeg, split), stored) == DIGESTS["lossless"]


def test_refuses_a_missing_packet(stored: Stored) -> None:
    """A superbox with a missing packet is damaged (1.3)."""
    jpeg = golden("lossless")
    first, _second, *others = packets(long_payload(jpeg))
    with pytest.raises(RefusedError):
        restore(embedded(jpeg, [first, *others]), stored)


def cuts(payload: bytes) -> Iterator[bytes]:
    """The payload cut behind its base, behind the section after it and so on (2)."""
    source = Source(payload)
    read_header(source)
    base = False
    while not source.at_end:
        base = source.number(1) == BASE or base
        source.varint()
        source.varint()
        source.take(source.varint())
        source.take(4)
        if base:
            yield payload[: source.at]


@pytest.mark.parametrize("name", ["lossless", "learned"])
def test_cut_payloads_come_closer(name: str, stored: Stored) -> None:
    """What is restored of a cut payload differs less and less from the whole mosaic."""
    jpeg = golden(name)
    whole = restore(jpeg, stored).astype(np.int64)
    parts = list(cuts(payload_bytes(superbox_of(jpeg))))
    found = [restore(embedded(jpeg, packets(part)), stored) for part in parts]
    distances = [float(np.abs(mosaic.astype(np.int64) - whole).mean()) for mosaic in found]
    assert distances[-1] == 0 < distances[0]
    assert all(after <= 1.02 * before for before, after in pairwise(distances))


@pytest.mark.parametrize("kind", range(5))
def test_makes_raw_files_again(kind: int) -> None:
    """Recipes of the library, of every kind, give the very file here too (3.12)."""
    made = originals()[kind]
    assert original(made.recipe, made.mosaic) == made.file
    with pytest.raises(RefusedError):
        original(made.recipe[:-1], made.mosaic)


@pytest.mark.parametrize("coding", ["slices", "cells", "corner", "wide", "restarts", "border"])
def test_makes_unusual_raw_files_again(coding: str) -> None:
    """The same for files of kinds that few cameras make (3.12)."""
    file, mosaic, origin = unusual(coding)
    recipe = make_recipe(file, mosaic, origin=origin)
    assert original(recipe, mosaic) == file
