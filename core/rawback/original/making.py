"""A raw file and its samples to a recipe, which is tried before it is given out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback.bitstream.varint import write_varint
from rawback.errors import OriginalUnavailable
from rawback.original.encodings import encoding_of
from rawback.original.layout import LosslessJpeg, Packed, Rectangle
from rawback.original.reading import ImageData, decode_jpegs, read_jpegs, read_samples
from rawback.original.rebuilding import assembled, rebuild
from rawback.original.recipe import MOST_NAME, Head, Recipe, read_recipe, write_recipe
from rawback.original.samples import code_grid
from rawback.original.search import searched_layouts
from rawback.original.streams import fold, shrink
from rawback.original.tiff import layouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.original.layout import Layout
    from rawback.original.reading import Jpeg

__all__ = ["make_recipe", "store_whole"]

_FEW_PATCHED = 256
"""Of a file's bytes, one in so many may be patched."""


class _Draft(NamedTuple):
    """A recipe without its patches, and whether the mosaic has the very samples of the file."""

    recipe: Recipe
    plain: bool


def make_recipe(
    data: bytes,
    mosaic: NDArray[np.uint16],
    *,
    name: str = "",
    origin: tuple[int, int] = (0, 0),
) -> bytes:
    """Say how a raw file is made again from its samples.

    Args:
        data: The raw file.
        mosaic: Its samples, uint16 ``[H, W]`` or ``[H, W, planes]``; best all that it has.
        name: The file's name, without folders; what is over 255 bytes is cut off.
        origin: Row and column of the mosaic among all samples of the file.

    Returns:
        The recipe. Before it is returned, the very file was made with it.

    Raises:
        OriginalUnavailable: The file keeps its samples in a way that is not reproduced; the
            message names it.
    """
    flat = np.ascontiguousarray(mosaic.reshape(mosaic.shape[0], -1))
    planes = flat.shape[1] // mosaic.shape[1]
    place = Rectangle(origin[0], origin[1] * planes, *flat.shape)
    head = _head(data, name)
    drafts = chain(_drafts(data, flat, place, head), _searched_drafts(data, flat, head))
    recipes = (_patched(draft, data, mosaic) for draft in _likeliest_first(drafts))
    recipe = next(filter(None, recipes), None)
    if recipe is None:
        raise OriginalUnavailable(_refusal(data))
    return recipe


def _likeliest_first(drafts: Iterator[_Draft]) -> Iterator[Recipe]:
    """Those whose samples need no table at once; then the others, the shortest first.

    A table can turn anything into anything, so of two layouts the one without is meant.
    """
    others: list[Recipe] = []
    for recipe, plain in drafts:
        if plain:
            yield recipe
        else:
            others.append(recipe)
    yield from sorted(others, key=lambda recipe: len(recipe.samples))


def store_whole(data: bytes, *, name: str = "") -> bytes:
    """A recipe that is the file itself, made smaller where that is possible.

    Args:
        data: The file.
        name: As for `make_recipe`.
    """
    recipe = write_recipe(Recipe(_head(data, name), shrink(data)))
    rebuild(recipe, None)
    return recipe


def _head(data: bytes, name: str) -> Head:
    short = name.encode("utf-8", "replace")[:MOST_NAME].decode("utf-8", "ignore")
    return Head(short, len(data), hashlib.sha256(data).digest())


def _refusal(data: bytes) -> str:
    return (
        f"The raw file cannot be made again from its samples: {encoding_of(data)}. Embed it "
        "without its original, or store the whole file besides (--store-original), which takes "
        f"{len(shrink(data)):,} bytes more."
    )


def _drafts(
    data: bytes, flat: NDArray[np.uint16], place: Rectangle, head: Head
) -> Iterator[_Draft]:
    """Recipes by the file's tags."""
    decoded: dict[tuple[int, bool], list[Jpeg | None]] = {}
    for layout in layouts(data, (place.rows, place.columns)):
        grid = layout.grid
        if place.top + place.rows > grid.rows or place.left + place.columns > grid.columns:
            continue
        try:
            if isinstance(layout.coding, Packed):
                image = read_samples(data, layout, layout.coding)
            else:
                image = _read_jpegs(data, layout, layout.coding, flat, place, decoded)
        except ValueError:
            continue
        draft = _draft(data, image, flat, place, head)
        if draft is not None:
            yield draft


def _read_jpegs(
    data: bytes,
    layout: Layout,
    coding: LosslessJpeg,
    flat: NDArray[np.uint16],
    place: Rectangle,
    decoded: dict[tuple[int, bool], list[Jpeg | None]],
) -> ImageData:
    """Decode lossless JPEG, unless that was done for another layout of the same chunks."""
    key = layout.chunks[0].offset, coding.wide
    if key not in decoded:
        decoded[key] = decode_jpegs(data, layout, wide=coding.wide)
    return read_jpegs(decoded[key], layout, coding, flat, place)


def _searched_drafts(data: bytes, flat: NDArray[np.uint16], head: Head) -> Iterator[_Draft]:
    place = Rectangle(0, 0, *flat.shape)
    for layout in searched_layouts(data, flat):
        if isinstance(layout.coding, Packed):
            image = read_samples(data, layout, layout.coding)
            draft = _draft(data, image, flat, place, head)
            if draft is not None:
                yield draft


def _draft(
    data: bytes, image: ImageData, flat: NDArray[np.uint16], place: Rectangle, head: Head
) -> _Draft | None:
    """A recipe; None if the mosaic does not tell the image data."""
    samples = code_grid(image.stored, flat, place)
    if samples is None:
        return None
    ends = [0, *(start + size for start, size in image.extents)]
    starts = [*(start for start, _ in image.extents), len(data)]
    container = b"".join(data[end:start] for end, start in zip(ends, starts, strict=True))
    grid, coding = image.layout.grid, image.layout.coding
    head = replace(
        head,
        method=1 if isinstance(coding, Packed) else 2,
        grid=(grid.rows, grid.columns, grid.chunk_rows, grid.chunk_columns),
        place=tuple(place),
        coding=coding.numbers(),
    )
    chunks = shrink(_spelled_chunks(image))
    return _Draft(Recipe(head, shrink(container), chunks, samples.coded), samples.plain)


def _spelled_chunks(image: ImageData) -> bytes:
    """Numbers of the chunks, and how many bytes of the container stand before each."""
    grid, coding, chunks = image.layout.grid, image.layout.coding, image.layout.chunks
    numbers = [len(chunks)]
    expected = end = 0
    for place, chunk in enumerate(chunks):
        numbers += [fold(chunk.number - expected), chunk.offset - end]
        expected = chunk.number + 1
        if isinstance(coding, Packed):
            end = chunk.offset + coding.chunk_bytes(grid.rectangle(chunk.number))
        else:
            numbers.append(chunk.head << 1 | chunk.pad)
            end = chunk.offset + image.extents[place][1]
    return b"".join(map(write_varint, numbers))


def _patched(draft: Recipe, data: bytes, mosaic: NDArray[np.uint16]) -> bytes | None:
    """A recipe that makes the very file, patching bytes that come out wrong; None if many do."""
    file = np.frombuffer(assembled(draft, mosaic), dtype=np.uint8)
    original = np.frombuffer(data, dtype=np.uint8)
    wrong = np.flatnonzero(file != original)
    if wrong.size * _FEW_PATCHED > file.size:
        return None
    steps = np.diff(wrong, prepend=-1) - 1
    patches = (
        write_varint(step) + bytes((byte,))
        for step, byte in zip(steps.tolist(), original[wrong].tolist(), strict=True)
    )
    whole = replace(draft, patches=shrink(b"".join(patches)))
    recipe = write_recipe(whole)
    # Without patches the file is the original already, if only the recipe reads as it was meant.
    if wrong.size or read_recipe(recipe) != draft:
        rebuild(recipe, mosaic)
    return recipe
