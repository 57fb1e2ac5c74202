"""Recipes of original files, honest ones and liars, and raw files that lie."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback import rawio
from rawback.bitstream.varint import write_varint
from rawback.original import Head, Recipe, read_recipe
from rawback.original.making import make_recipe, store_whole
from rawback.original.packing import Order, Packing
from rawback.original.rebuilding import rebuild
from rawback.original.recipe import write_recipe
from rawback.original.streams import Numbers, expand, shrink
from rawback_lab.reliability.mutations import Mutator
from rawback_lab.scenes import made_up_shot

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from numpy.typing import NDArray

__all__ = ["Original", "feed_recipes", "originals"]

_PARTS = ("container", "chunks", "samples", "patches")
_MOST = 1 << 22
_SIZE = (64, 96)


class Original(NamedTuple):
    """A raw file, its samples, and the recipe that makes it of them."""

    file: bytes
    mosaic: NDArray[np.uint16]
    recipe: bytes


@cache
def originals() -> tuple[Original, ...]:
    """One of each kind: two DNGs, a file of unknown kind, one with a table, one stored whole."""
    shot, _ = made_up_shot(*_SIZE)
    samples = (shot.cfa & 0xFFF).astype(np.uint16)
    rows = Packing(12, Order.LOWER_FIRST).pack(samples)
    odd = b"a maker's own" + b"".join(row.tobytes() + b"\0gap" for row in rows) + b"its notes"
    curve = (np.arange(4096) ** 2 // 256).astype(np.uint16)
    files = [
        (rawio.write_dng(shot), shot.cfa),
        (rawio.write_dng(shot, compression="ljpeg"), shot.cfa),
        (odd, samples),
        (rawio.write_dng(replace(shot, cfa=samples)), curve[samples]),
    ]
    made = [Original(file, mosaic, make_recipe(file, mosaic)) for file, mosaic in files]
    return (*made, Original(odd, samples, store_whole(odd)))


def feed_recipes(random: Random) -> tuple[Callable[[bytes], object], bytes]:
    """What to do with bytes, and the bytes: a recipe that lies, or a raw file that does."""
    original = random.choice(originals())
    mutator = Mutator(random, tuple(known.recipe for known in originals()))

    def make(data: bytes) -> bytes:
        return make_recipe(data, original.mosaic)

    def follow(data: bytes) -> bytes:
        file = rebuild(data, original.mosaic)
        if hashlib.sha256(file).digest() != read_recipe(data).head.digest:
            raise AssertionError
        return file

    draw = random.random()
    if draw < 0.2:
        return make, mutator.changed(original.file)
    if draw < 0.5:
        return follow, mutator.changed(original.recipe)
    return follow, _changed_inside(random, mutator, original.recipe)


def _changed_inside(random: Random, mutator: Mutator, data: bytes) -> bytes:
    """A recipe one part of which was taken out, changed, and put back so that it reads."""
    recipe = read_recipe(data)
    part = random.choice((*_PARTS, "head"))
    if part == "head":
        return write_recipe(replace(recipe, head=_changed_head(random, recipe.head)))
    coded: bytes = getattr(recipe, part)
    if part != "samples":
        return write_recipe(_with(recipe, part, shrink(mutator.changed(expand(coded, _MOST)))))
    if not coded:
        return write_recipe(recipe)
    reader = Numbers(coded)
    pieces: list[bytes] = []
    while reader.left:
        pieces.append(expand(reader.bytes(reader.next()), _MOST))
    at = random.randrange(len(pieces))
    pieces[at] = mutator.changed(pieces[at])
    packed = (write_varint(len(piece)) + piece for piece in map(shrink, pieces))
    return write_recipe(replace(recipe, samples=b"".join(packed)))


def _with(recipe: Recipe, part: str, coded: bytes) -> Recipe:
    parts = {name: getattr(recipe, name) for name in _PARTS} | {part: coded}
    return Recipe(recipe.head, **parts)


def _changed_head(random: Random, head: Head) -> Head:
    """Other numbers in the head, as far as a head may have them."""
    number = random.choice((0, 1, 2, 3, 5, 15, 16, 64, 4095, 65535, 1 << 20, (1 << 32) - 1))
    changes: tuple[Callable[[], Head], ...] = (
        lambda: replace(head, size=number),
        lambda: replace(head, method=max(number % 3, 1)),
        lambda: replace(head, grid=_one_changed(random, head.grid, number)),
        lambda: replace(head, place=_one_changed(random, head.place, number)),
        lambda: replace(head, coding=_one_changed(random, head.coding, number)),
    )
    return random.choice(changes[:1] if head.stored else changes)()


def _one_changed(random: Random, numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    at = random.randrange(len(numbers))
    return (*numbers[:at], number, *numbers[at + 1 :])
