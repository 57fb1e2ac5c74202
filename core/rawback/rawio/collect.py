"""The tags of a raw file, of whatever format, as they are to be carried over.

A DNG's are taken as they stand, those of its first directory and of its raw image together, and
those of each further camera profile. Of other formats only known tags are taken: what else they
hold describes their own structure.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from rawback.metadata import Directory, Entry, Metadata, TiffType
from rawback.rawio.ciff import read_ciff
from rawback.rawio.maker_notes import as_private_data
from rawback.rawio.probe import is_dng, main_ifd
from rawback.rawio.tag_kinds import TAG_KINDS, TagKind, kind_of
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import Ifd, read_ifds, read_ifds_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LARGEST_METADATA", "MOST_TAGS", "entries_of", "read_metadata", "within_limit"]

LARGEST_METADATA = 1 << 24
"""Bytes that the values of all tags together may take."""

MOST_TAGS = 1 << 12
"""Tags that a raw may have."""

_MOST_PROFILES = 64
_FIRST_DNG_TAG = 50700

# What begins a camera profile outside the chain of directories (DNG specification,
# ExtraCameraProfiles): a TIFF header with another magic number.
_PROFILE_MAGIC = 0x4352

_SAFE = 1

# None, and lossless JPEG; others came with later versions of the specification.
_PLAIN_COMPRESSIONS, _PLAIN_VERSION = (1, 7), bytes((1, 4, 0, 0))


class _Stream(NamedTuple):
    """A TIFF stream in a raw file, and what its first directory is."""

    data: memoryview
    directory: Directory


class _Container(NamedTuple):
    """A raw format that is no TIFF itself, and where it keeps TIFF streams.

    Attributes:
        at: Where `signature` stands.
        signature: How the file begins.
        marks: What stands right before each stream, and what the stream's first directory is.
        skip: Bytes between a mark and its stream.
    """

    at: int
    signature: bytes
    marks: tuple[tuple[bytes, Directory], ...]
    skip: int


# The first IFD, the Exif IFD and the GPS IFD of Canon's CR3; the Exif segment in the preview of
# Fujifilm's RAF; the TTW block of Minolta's MRW.
_CONTAINERS = (
    _Container(
        4,
        b"ftypcrx ",
        ((b"CMT1", Directory.IMAGE), (b"CMT2", Directory.EXIF), (b"CMT4", Directory.GPS)),
        0,
    ),
    _Container(0, b"FUJIFILMCCD-RAW", ((b"Exif\0\0", Directory.IMAGE),), 0),
    _Container(0, b"\0MRM", ((b"\0TTW", Directory.IMAGE),), 4),
)
_CANON_NOTES = b"CMT3"
_SEARCHED = 1 << 20


def read_metadata(data: bytes) -> Metadata:
    """Read the tags of a raw file.

    Args:
        data: The file, or the first mebibyte of it.

    Returns:
        What was found, structure left out; empty where nothing was.
    """
    ciff = read_ciff(data)
    if ciff is not None:
        return within_limit(ciff)
    metadata = Metadata()
    for stream in _streams(data):
        ifds = read_ifds(stream.data)
        if not ifds:
            continue
        found = _of_dng(ifds) if is_dng(ifds) else _of_other(ifds, stream.directory)
        if not metadata.entries:
            metadata = Metadata((), found.big_endian)
        metadata = metadata.filled(found.ordered(big_endian=metadata.big_endian).entries)
    # Of what format samples are depends on what is read of them.
    return within_limit(metadata.without(Tag.SAMPLE_FORMAT))


def _streams(data: bytes) -> Iterator[_Stream]:
    """The TIFF streams in a raw file that describe the main image."""
    for container in _CONTAINERS:
        if data.startswith(container.signature, container.at):
            for mark, directory in container.marks:
                place = data.find(mark, 0, _SEARCHED)
                if place >= 0:
                    start = place + len(mark) + container.skip
                    yield _Stream(memoryview(data)[start:], directory)
            return
    yield _Stream(memoryview(data), Directory.IMAGE)


def entries_of(ifd: Ifd, directory: int) -> list[Entry]:
    """All tags of a directory that can be read and are not structure.

    Stops where the values together would be larger than any metadata may be: entries may point
    to the same bytes again and again.
    """
    entries: list[Entry] = []
    size = 0
    for tag, place in ifd.places.items():
        if place.type == TiffType.IFD or kind_of(directory, tag) is TagKind.STRUCTURE:
            continue
        entry = ifd.entry(tag, directory)
        if entry is None:
            continue
        size += len(entry.data)
        if size > LARGEST_METADATA:
            break
        entries.append(entry)
    return entries


def _described(first: Ifd, exif: Sequence[Ifd]) -> list[Entry]:
    """The tags of the Exif, GPS and interoperability directories."""
    entries: list[Entry] = []
    for ifd in exif[:1]:
        entries += entries_of(ifd, Directory.EXIF)
        for inner in read_ifds_at(ifd, Tag.INTEROPERABILITY_IFD)[:1]:
            entries += entries_of(inner, Directory.INTEROPERABILITY)
    for ifd in read_ifds_at(first, Tag.GPS_IFD)[:1]:
        entries += entries_of(ifd, Directory.GPS)
    return entries


def _of_dng(ifds: Sequence[Ifd]) -> Metadata:
    first, big_endian = ifds[0], ifds[0].order == ">"
    main = main_ifd(ifds)
    exif = read_ifds_at(first, Tag.EXIF_IFD)
    entries = _described(first, exif)
    for number, profile in enumerate(_profiles(first)):
        entries += entries_of(profile, Directory.PROFILE + number)
    metadata = Metadata(tuple(entries_of(first, Directory.IMAGE)), big_endian)
    if main is not None and main is not first:
        metadata = metadata.updated(entries_of(main, Directory.IMAGE))
    metadata = metadata.filled(entries)
    metadata = _with_plain_version(metadata, main)
    safe = metadata.integers(Tag.MAKER_NOTE_SAFETY) == (_SAFE,)
    if exif and not safe and Tag.DNG_PRIVATE_DATA not in metadata:
        metadata = _with_private_notes(metadata, exif[0])
    return metadata


def _with_plain_version(metadata: Metadata, main: Ifd | None) -> Metadata:
    """Less what a reader had to know only for how the samples were compressed."""
    version = metadata.get(Tag.DNG_BACKWARD_VERSION)
    if main is None or version is None or version.data <= _PLAIN_VERSION:
        return metadata
    if main.integer(Tag.COMPRESSION, 1) in _PLAIN_COMPRESSIONS:
        return metadata
    entry = Entry(Directory.IMAGE, Tag.DNG_BACKWARD_VERSION, TiffType.BYTE, _PLAIN_VERSION)
    return metadata.updated([entry])


def _profiles(first: Ifd) -> Iterator[Ifd]:
    for at in first.integers(Tag.EXTRA_CAMERA_PROFILES)[:_MOST_PROFILES]:
        stream = first.data[at:] if 0 < at < len(first.data) else first.data[:0]
        magic = struct.pack(first.order + "H", _PROFILE_MAGIC)
        if len(stream) >= 8 and bytes(stream[2:4]) == magic:
            # Read as the TIFF stream that it is but for its magic number.
            head = bytes(stream[:2]) + struct.pack(first.order + "H", 42)
            size = min(len(stream), LARGEST_METADATA)
            yield from read_ifds(head + bytes(stream[4:size]))[:1]


def _of_other(ifds: Sequence[Ifd], directory: Directory) -> Metadata:
    first, big_endian = ifds[0], ifds[0].order == ">"
    if directory is not Directory.IMAGE:
        metadata = Metadata(tuple(entries_of(first, directory)), big_endian)
        return metadata if directory is not Directory.EXIF else _with_private_notes(metadata, first)
    exif = [inner for ifd in ifds for inner in read_ifds_at(ifd, Tag.EXIF_IFD)]
    known = (e for e in entries_of(first, directory) if e.tag in TAG_KINDS)
    entries = [entry for entry in known if entry.tag < _FIRST_DNG_TAG]
    metadata = Metadata(tuple(entries), big_endian).filled(_described(first, exif))
    for ifd in ifds[1:]:
        # Names and exposure stand in another directory in some formats.
        more = (
            e for e in entries_of(ifd, directory) if kind_of(directory, e.tag) is TagKind.RENDERING
        )
        metadata = metadata.filled(entry for entry in more if entry.tag < _FIRST_DNG_TAG)
    return _with_private_notes(metadata, exif[0]) if exif else metadata


def _with_private_notes(metadata: Metadata, exif: Ifd) -> Metadata:
    """With maker notes as they survive a move: in DNGPrivateData, told where they lay."""
    place, note = exif.places.get(Tag.MAKER_NOTE), metadata.get(Tag.MAKER_NOTE, Directory.EXIF)
    if place is None or note is None or not note.data:
        return metadata
    private = as_private_data(note.data, place.offset, big_endian=metadata.big_endian)
    entry = Entry(Directory.IMAGE, Tag.DNG_PRIVATE_DATA, TiffType.BYTE, private)
    return metadata.without(Tag.MAKER_NOTE, directory=Directory.EXIF).updated([entry])


def within_limit(metadata: Metadata) -> Metadata:
    """Less the largest values, personal ones first, where all together would be too much."""
    size = sum(len(entry.data) for entry in metadata.entries)
    if size <= LARGEST_METADATA and len(metadata.entries) <= MOST_TAGS:
        return metadata
    kept = set(metadata.entries)
    for entry in sorted(
        metadata.entries,
        key=lambda e: (kind_of(e.directory, e.tag) is TagKind.RENDERING, -len(e.data)),
    ):
        if size <= LARGEST_METADATA and len(kept) <= MOST_TAGS:
            break
        kept.remove(entry)
        size -= len(entry.data)
    return Metadata(tuple(kept), metadata.big_endian)
