"""Hostile metadata: sections, raw files, JPEGs; and what is written from them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rawback import container, rawio
from rawback.bitstream import Section, SectionKind, read_metadata, unpack, write_rendering
from rawback.common.black_levels import offsets_from_header
from rawback.common.border import read_border
from rawback.jpegio import read_jpeg_metadata
from rawback.rawio import metadata_of_jpeg, write_dng
from rawback.types import NoiseModel, RawFrame
from rawback_lab.reliability.mutations import Mutator
from rawback_lab.reliability.shots import carriers, described_shot

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from rawback.bitstream import Header
    from rawback.metadata import Metadata

__all__ = ["feed_metadata"]


def feed_metadata(random: Random) -> tuple[Callable[[bytes], object], bytes]:
    """One of the readers, and bytes for it."""
    use, samples = random.choice(_readers())
    return use, Mutator(random, samples).changed(random.choice(samples))


def _written(metadata: Metadata) -> Metadata:
    """Through a section and a DNG, as a carrier and its restoring do."""
    again = read_metadata([write_rendering(metadata, from_jpeg=True)]).rendering
    if again != metadata:
        message = "other metadata came out of the section"
        raise AssertionError(message)
    return rawio.read_metadata(write_dng(rawio.with_metadata(_frame(), again)))


@cache
def _frame() -> RawFrame:
    return RawFrame(np.zeros((16, 16), np.uint16), "RGGB", (0.0,) * 4, 1023, NoiseModel(1e-4, 1e-6))


def _section(data: bytes) -> object:
    return _written(read_metadata([Section(SectionKind.METADATA, 0, 0, data)]).rendering)


def _raw(data: bytes) -> object:
    return _written(rawio.read_metadata(data))


def _jpeg(data: bytes) -> object:
    told = read_jpeg_metadata(data)
    return _written(metadata_of_jpeg(told.exif, told.xmp, told.iptc))


@cache
def _header() -> Header:
    return unpack(container.extract_payload(carriers()["described"])).header


def _border(data: bytes) -> object:
    return read_border([Section(SectionKind.BORDER, 0, 0, data)], _header())


def _border_samples(data: bytes) -> object:
    sections = unpack(container.extract_payload(carriers()["described"])).sections
    head = next(s for s in sections if (s.kind, s.layer) == (SectionKind.BORDER, 0))
    return read_border([head, Section(SectionKind.BORDER, 1, 0, data)], _header())


def _offsets(data: bytes) -> object:
    return offsets_from_header(replace(_header(), black_offsets=data))


@cache
def _readers() -> tuple[tuple[Callable[[bytes], object], tuple[bytes, ...]], ...]:
    """Readers, and honest bytes for each."""
    payloads = [unpack(container.extract_payload(file)) for file in carriers().values()]

    def of(kind: int, layer: int) -> tuple[bytes, ...]:
        return tuple(
            section.data
            for payload in payloads
            for section in payload.sections
            if (section.kind, section.layer) == (kind, layer)
        )

    raw, jpeg = described_shot()
    return (
        (_section, of(SectionKind.METADATA, 0)),
        (_raw, (raw,)),
        (_jpeg, (jpeg,)),
        (_border, of(SectionKind.BORDER, 0)),
        (_border_samples, of(SectionKind.BORDER, 1)),
        (_offsets, (_header().black_offsets,)),
    )
