"""Names of the ways in which raw files keep their samples, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.rawio.tags import Tag
from rawback.rawio.tiff import read_ifds

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["encoding_of"]

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (6, b"HEAPCCDR", "Canon's compressed CRW"),
    (4, b"ftypcrx ", "Canon's compressed CR3"),
    (0, b"FUJIFILMCCD-RAW", "Fujifilm's compressed RAF"),
    (0, b"FOVb", "Sigma's compressed X3F"),
    (0, b"\0MRM", "Minolta's MRW"),
    (0, b"IIRO", "Olympus's compressed ORF"),
    (0, b"IIRS", "Olympus's compressed ORF"),
    (0, b"MMOR", "Olympus's compressed ORF"),
    (0, b"IIU\0", "Panasonic's compressed RW2"),
    (0, b"qktk", "the compression of Apple's QuickTake 100"),
    (0, b"qktn", "the compression of Apple's QuickTake 150"),
)
_COMPRESSIONS: Mapping[int, str] = {
    6: "lossy JPEG",
    7: "lossy JPEG",
    8: "Deflate (ZIP)",
    9: "GoPro's VC-5",
    32767: "Sony's compressed ARW",
    32769: "Epson's compressed ERF",
    32770: "Samsung's compressed SRW",
    32773: "PackBits",
    32867: "Kodak's compressed KDC",
    34713: "Nikon's compressed NEF",
    34892: "lossy JPEG",
    50013: "VC-5",
    52546: "JPEG XL",
    65000: "Kodak's compressed DCR",
    65535: "Pentax's compressed PEF",
}
_LOSSLESS = b"\xff\xc3"
_FLOAT = 3


def encoding_of(data: bytes) -> str:
    """Say how a file keeps its samples: ``"its image data is Nikon's compressed NEF"``.

    Args:
        data: A raw file whose image data cannot be made again.
    """
    for at, mark, name in _SIGNATURES:
        if data.startswith(mark, at):
            return f"its image data is {name}"
    ifds = [ifd for ifd in read_ifds(data) if ifd.extents()]
    if not ifds:
        return "how it keeps its image data is not known"
    largest = max(ifds, key=lambda ifd: sum(size for _, size in ifd.extents()))
    compression = largest.integer(Tag.COMPRESSION, 1)
    offset = largest.extents()[0][0]
    if compression in (6, 7) and _LOSSLESS in data[offset : offset + 4096]:
        return "its image data is lossless JPEG of a kind that is not known"
    if compression == 1 and largest.integer(Tag.SAMPLE_FORMAT, 1) == _FLOAT:
        return "its image data is floating point numbers"
    if compression == 1:
        return "its image data is packed in a way that is not known"
    unknown = f"compressed in a way that is not known (TIFF compression {compression})"
    return f"its image data is {_COMPRESSIONS.get(compression, unknown)}"
