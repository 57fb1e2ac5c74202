"""Raw files of every encoding, written from the specifications alone: TIFF, DNG, CR2."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Tiff", "bits_of_rows", "cut_up", "tiff"]

_SHORT, _LONG = 3, 4


@dataclass(frozen=True, slots=True)
class Tiff:
    """What a TIFF-based raw says of its image.

    Attributes:
        rows: Rows of the image.
        columns: Pixels in a row.
        bits: Bits of a sample.
        samples: Samples of a pixel.
        compression: TIFF compression.
        tile: Rows and columns of tiles; None for strips.
        strip_rows: Rows of a strip.
        order: ``"<"`` or ``">"``.
        more: Other tags, all LONG.
        gaps: Bytes before each chunk.
        tail: Bytes behind everything.
        shuffled: Whether the chunks lie in the file in another order.
    """

    rows: int
    columns: int
    bits: int = 16
    samples: int = 1
    compression: int = 1
    tile: tuple[int, int] | None = None
    strip_rows: int | None = None
    order: str = "<"
    more: dict[int, Sequence[int]] = field(default_factory=dict)
    gaps: bytes = b""
    tail: bytes = b""
    shuffled: bool = False


def tiff(about: Tiff, chunks: Sequence[bytes]) -> bytes:
    """A file with one directory and an image of these chunks."""
    order = about.order
    tags: dict[int, tuple[int, Sequence[int]]] = {
        254: (_LONG, (0,)),
        256: (_LONG, (about.columns,)),
        257: (_LONG, (about.rows,)),
        258: (_SHORT, (about.bits,) * about.samples),
        259: (_SHORT, (about.compression,)),
        262: (_SHORT, (32803 if about.samples == 1 else 34892,)),
        277: (_SHORT, (about.samples,)),
        **{tag: (_LONG, values) for tag, values in about.more.items()},
    }
    if about.tile is None:
        tags |= {278: (_LONG, (about.strip_rows or about.rows,))}
    else:
        tags |= {322: (_LONG, (about.tile[1],)), 323: (_LONG, (about.tile[0],))}
    offsets, lengths = (273, 279) if about.tile is None else (324, 325)
    tags |= {offsets: (_LONG, [0] * len(chunks)), lengths: (_LONG, [len(c) for c in chunks])}
    at = 8 + len(_directory(tags, order))
    places = [0] * len(chunks)
    body = b""
    numbers = list(range(len(chunks)))
    for k in reversed(numbers) if about.shuffled else numbers:
        body += about.gaps
        places[k] = at + len(body)
        body += chunks[k]
    tags[offsets] = (_LONG, places)
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HI", 42, 8) + _directory(tags, order) + body + about.tail


def _directory(tags: dict[int, tuple[int, Sequence[int]]], order: str) -> bytes:
    entries, values = b"", b""
    start = 8 + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        kind, numbers = tags[tag]
        packed = struct.pack(f"{order}{len(numbers)}{'H' if kind == _SHORT else 'I'}", *numbers)
        if len(packed) > 4:
            place = struct.pack(order + "I", start + len(values))
            values += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + place
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + values


def cut_up(
    samples: NDArray[np.uint16], tile: tuple[int, int], fill: str = "edge"
) -> list[NDArray[np.uint16]]:
    """Tiles in reading order; those at the ends are filled up as `np.pad` does."""
    rows, columns = samples.shape
    pads = ((0, -rows % tile[0]), (0, -columns % tile[1]))
    whole: NDArray[np.uint16] = np.pad(samples, pads, mode=fill)  # type: ignore[call-overload]
    return [
        whole[top : top + tile[0], left : left + tile[1]]
        for top in range(0, whole.shape[0], tile[0])
        for left in range(0, whole.shape[1], tile[1])
    ]


def bits_of_rows(
    samples: NDArray[np.uint16],
    bits: int,
    *,
    lower_first: bool = False,
    word: int = 1,
    continuous: bool = False,
) -> list[bytes]:
    """Rows of samples as a stream of bits, one at a time and slowly."""
    rows = [samples.reshape(-1)] if continuous else list(samples)
    packed: list[bytes] = []
    for row in rows:
        texts = [f"{int(value):0{bits}b}" for value in row]
        stream = "".join(text[::-1] if lower_first else text for text in texts)
        stream += "0" * (-len(stream) % (8 * word))
        octets = [stream[k : k + 8] for k in range(0, len(stream), 8)]
        data = bytes(int(o[::-1] if lower_first else o, 2) for o in octets)
        packed.append(b"".join(data[k : k + word][::-1] for k in range(0, len(data), word)))
    return packed
