"""What a JPEG tells of the shot it shows, for the raw that is restored from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.metadata import Directory, Entry, Metadata, TiffType
from rawback.rawio.collect import LARGEST_METADATA, entries_of, within_limit
from rawback.rawio.maker_notes import as_private_data
from rawback.rawio.tag_kinds import TAG_KINDS, TagKind, kind_of
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import read_ifds, read_ifds_at
from rawback.rawio.xmp import descriptive_xmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.rawio.tiff import Ifd

__all__ = ["metadata_of_jpeg"]

# These speak of the JPEG itself: who exported it and when, its colours, places in its pixels.
_OF_THE_JPEG = {
    269, 282, 283, 285, 296, 297, 301, 305, 306, 318, 319, 34377, 34675, 36880, 37396, 37520, 40964,
    41492, 41985, 42240, Tag.XMP, Tag.IPTC, Tag.DNG_PRIVATE_DATA,
}  # fmt: skip
_FIRST_DNG_TAG = 50700


def metadata_of_jpeg(exif: bytes, xmp: bytes, iptc: bytes) -> Metadata:
    """The tags of a JPEG that hold for its raw too.

    Args:
        exif: Its Exif, a TIFF stream; empty if there is none.
        xmp: Its XMP packet.
        iptc: Its IPTC records (IIM).

    Returns:
        Exposure, times, names, places, maker notes, captions and ratings.
    """
    ifds = read_ifds(exif)
    big_endian = bool(ifds) and ifds[0].order == ">"
    entries = list(_of_exif(ifds[0])) if ifds else []
    described = descriptive_xmp(xmp) if xmp else None
    if described is not None:
        entries.append(Entry(Directory.IMAGE, Tag.XMP, TiffType.BYTE, described))
    if iptc and len(iptc) <= LARGEST_METADATA:
        entries.append(Entry(Directory.IMAGE, Tag.IPTC, TiffType.UNDEFINED, iptc))
    return within_limit(Metadata(tuple(entries), big_endian))


def _of_exif(first: Ifd) -> Iterator[Entry]:
    yield from filter(_holds_for_the_raw, entries_of(first, Directory.IMAGE))
    for ifd in read_ifds_at(first, Tag.EXIF_IFD)[:1]:
        for entry in filter(_holds_for_the_raw, entries_of(ifd, Directory.EXIF)):
            if entry.tag != Tag.MAKER_NOTE:
                yield entry
            elif entry.data:
                offset, big_endian = ifd.places[entry.tag].offset, ifd.order == ">"
                private = as_private_data(entry.data, offset, big_endian=big_endian)
                yield Entry(Directory.IMAGE, Tag.DNG_PRIVATE_DATA, TiffType.BYTE, private)
    for ifd in read_ifds_at(first, Tag.GPS_IFD)[:1]:
        yield from entries_of(ifd, Directory.GPS)


def _holds_for_the_raw(entry: Entry) -> bool:
    if entry.tag in _OF_THE_JPEG or entry.tag >= _FIRST_DNG_TAG or entry.tag not in TAG_KINDS:
        return False
    # Of what an editor renders by only exposure is as it was: it stands among the Exif tags.
    return kind_of(entry.directory, entry.tag) is TagKind.PERSONAL or (
        entry.directory == Directory.EXIF
    )
