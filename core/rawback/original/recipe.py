"""The recipe: what gives back a raw file, once its samples are there (FORMAT.md, 3.14).

::

    length of the head | head, CBOR | then four times: length | bytes

The four parts are the file's bytes that are no image data, in their order; where the chunks of
image data lie between them; what the mosaic does not tell of the samples; and single bytes that
come out wrong. A file that is stored whole has the first part only.

Reading is done without numpy: `rawback info` asks what a recipe is good for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rawback.bitstream import cbor
from rawback.bitstream.rules import octets, rows, text, whole
from rawback.bitstream.varint import write_varint
from rawback.errors import PayloadDamaged
from rawback.original.streams import Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawback.bitstream.rules import Rule

__all__ = ["MOST_NAME", "STORED", "Head", "Recipe", "damaged", "read_recipe", "write_recipe"]

STORED, _PACKED, _LOSSLESS_JPEG = 0, 1, 2

MOST_NAME = 255
"""Bytes of a file's name in UTF-8."""

_METHODS: Mapping[int, str] = {
    STORED: "stored whole",
    _PACKED: "uncompressed",
    _LOSSLESS_JPEG: "lossless JPEG",
}
_PARTS = 4
_number = whole(0, (1 << 32) - 1)


@dataclass(frozen=True, slots=True)
class Head:
    """What is said of the original file.

    Attributes:
        name: Its name, without folders; empty where it had none.
        size: Its bytes.
        digest: Its SHA-256.
        method: 0 if it is stored whole, 1 if its samples are packed, 2 if they are lossless JPEG.
        grid: Rows and columns of the grid, and of its chunks.
        place: Top, left, rows and columns of the mosaic on the grid.
        coding: Numbers of `rawback.original.layout.Packed` or `LosslessJpeg`.

    Raises:
        ValueError: A field is out of range.
    """

    name: str
    size: int
    digest: bytes
    method: int = STORED
    grid: tuple[int, ...] = ()
    place: tuple[int, ...] = ()
    coding: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for _, attribute, rule in _FIELDS:
            if not rule(getattr(self, attribute)):
                message = f"a recipe whose {attribute} is out of range"
                raise ValueError(message)
        sizes = {len(self.grid), len(self.place)}
        if sizes != ({0} if self.stored else {4}):
            message = "a recipe without the grid that it needs"
            raise ValueError(message)

    @property
    def stored(self) -> bool:
        """Whether the file is stored whole, so that nothing else is needed."""
        return self.method == STORED

    @property
    def encoding(self) -> str:
        """How the file keeps its image data, or that it is stored whole, in words."""
        return _METHODS[self.method]


_FIELDS: tuple[tuple[int, str, Rule], ...] = (
    (1, "name", text(MOST_NAME)),
    (2, "size", _number),
    (3, "digest", octets(32, 32)),
    (4, "method", whole(STORED, _LOSSLESS_JPEG)),
    (5, "grid", rows(_number, 0, 4)),
    (6, "place", rows(_number, 0, 4)),
    (7, "coding", rows(_number, 0, 64)),
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A head and the parts that go with it, each of them spelled.

    Attributes:
        head: What is said of the file.
        container: Its bytes that are no image data.
        chunks: Where those of image data lie.
        samples: What the mosaic does not tell.
        patches: Bytes that come out wrong.
    """

    head: Head
    container: bytes
    chunks: bytes = b""
    samples: bytes = b""
    patches: bytes = b""


def damaged(error: Exception) -> PayloadDamaged:
    """What to raise for a recipe that is none."""
    message = (
        f"What gives back the original file is damaged ({error}); fetch the carrier again, or "
        "restore a DNG."
    )
    return PayloadDamaged(message)


def write_recipe(recipe: Recipe) -> bytes:
    """Spell a recipe."""
    head = recipe.head
    body = cbor.encode({key: getattr(head, name) for key, name, _ in _FIELDS})
    parts = (body, recipe.container, recipe.chunks, recipe.samples, recipe.patches)
    return b"".join(write_varint(len(part)) + part for part in parts)


def read_recipe(data: bytes) -> Recipe:
    """Read a recipe; its parts are not looked into yet.

    Raises:
        PayloadDamaged: The bytes spell none.
    """
    try:
        reader = Numbers(data)
        head, *parts = (reader.bytes(reader.next()) for _ in range(1 + _PARTS))
        reader.end()
        return Recipe(_read_head(head), *parts)
    except ValueError as error:
        raise damaged(error) from error


def _read_head(data: bytes) -> Head:
    fields: Any = cbor.decode(data)
    if not isinstance(fields, dict) or list(fields) != [key for key, _, _ in _FIELDS]:
        message = "another head"
        raise ValueError(message)
    return Head(*fields.values())
