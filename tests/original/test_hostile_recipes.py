"""Recipes that lie, told one by one; `rawback_lab.reliability.fuzz` has them by the thousand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rawback.bitstream.varint import write_varint
from rawback.errors import OriginalUnavailable, PayloadDamaged, VerificationFailed
from rawback.ljpeg import compress
from rawback.original import Recipe, read_recipe
from rawback.original.making import make_recipe, store_whole
from rawback.original.rebuilding import rebuild
from rawback.original.recipe import write_recipe

from .writers import Tiff, bits_of_rows, cut_up, tiff

MOSAIC = np.random.default_rng(0).integers(0, 4096, (24, 40), np.uint16)
PACKED = tiff(Tiff(24, 40, 12), [b"".join(bits_of_rows(MOSAIC, 12))])
TILED = tiff(
    Tiff(24, 40, 16, compression=7, tile=(16, 16), tail=b"."),
    [compress(tile.reshape(16, 8, 2)) for tile in cut_up(MOSAIC, (16, 16))],
)
FILES = {"packed": PACKED, "lossless JPEG": TILED, "stored": PACKED}


def recipe_of(kind: str) -> bytes:
    return store_whole(FILES[kind]) if kind == "stored" else make_recipe(FILES[kind], MOSAIC)


@pytest.mark.parametrize("kind", FILES)
def test_another_file_than_the_digest_names_is_thrown_away(kind: str) -> None:
    whole = read_recipe(recipe_of(kind))
    for head in (
        replace(whole.head, digest=bytes(32)),
        replace(whole.head, size=whole.head.size + 1),
    ):
        with pytest.raises((VerificationFailed, PayloadDamaged)):
            rebuild(write_recipe(replace(whole, head=head)), MOSAIC)
    with pytest.raises(VerificationFailed, match="SHA-256"):
        rebuild(write_recipe(replace(whole, head=replace(whole.head, digest=bytes(32)))), MOSAIC)


@pytest.mark.parametrize("kind", ["packed", "lossless JPEG"])
def test_another_mosaic_is_refused(kind: str) -> None:
    recipe = recipe_of(kind)
    other = MOSAIC.copy()
    other[7, 7] ^= 1
    with pytest.raises(VerificationFailed, match="SHA-256"):
        rebuild(recipe, other)
    with pytest.raises(PayloadDamaged, match="another mosaic"):
        rebuild(recipe, MOSAIC[:-2])
    with pytest.raises(OriginalUnavailable, match="all samples"):
        rebuild(recipe, None)


def test_bombs_are_refused_before_they_go_off() -> None:
    whole = read_recipe(recipe_of("packed"))
    # A run that promises 4 GB of zeros.
    bomb = bytes((1,)) + write_varint((1 << 32) - 1) + write_varint(4) + b"\0\0\0\0"
    for hostile in (
        replace(whole, container=bomb),
        replace(whole, chunks=bomb),
        replace(whole, patches=bomb),
    ):
        with pytest.raises(PayloadDamaged):
            rebuild(write_recipe(hostile), MOSAIC)
    for head in (
        replace(whole.head, grid=(65535, 65535, 65535, 65535)),
        replace(whole.head, size=(1 << 32) - 1),
    ):
        with pytest.raises(PayloadDamaged):
            rebuild(write_recipe(replace(whole, head=head)), MOSAIC)


@pytest.mark.parametrize("cut", [0, 1, 10, 60, 100])
def test_cut_recipes_are_refused(cut: int) -> None:
    with pytest.raises(PayloadDamaged, match="damaged"):
        read_recipe(recipe_of("packed")[:cut])


def test_recipes_read_as_they_were_written() -> None:
    recipe = read_recipe(recipe_of("lossless JPEG"))
    assert read_recipe(write_recipe(recipe)) == recipe
    named = Recipe(replace(recipe.head, name="é" * 100), b"c", b"h", b"s", b"p")
    assert read_recipe(write_recipe(named)) == named


def test_long_names_are_cut_between_letters() -> None:
    recipe = store_whole(b"data", name="ü" * 200 + ".dng")
    assert read_recipe(recipe).head.name == "ü" * 127


def test_reading_a_recipe_loads_no_numpy() -> None:
    code = "import sys, rawback.original; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
