"""The original file itself: a raw file as a recipe, and back to the very same bytes.

Most raw files are a container around samples that are packed, or coded as lossless JPEG, in a way
that leaves an encoder little freedom. A *recipe* holds the container and that freedom, some
kilobytes; with the samples, which a lossless payload has anyway, it gives the file back: the same
SHA-256. Bytes and arrays in, bytes out (FORMAT.md, 3.14)::

    recipe      what is written, and read without numpy or the readers of raw files
    making      a file and its samples to a recipe, tried before it is given out
      tiff      how the file's tags allow its samples to lie in it
      search    where rows of samples stand in files of any other kind
      reading   image data decoded, with what is needed to code it again
      encodings names of what cannot be made again
    rebuilding  a recipe and the samples to the file
    layout      words for both: grid, chunks, codings
    image       samples to image data and back
    packing     samples of 8 to 16 bits in bytes
    samples     the file's grid of samples, told by the mosaic
    streams     bytes made smaller
"""

from __future__ import annotations

from rawback.original.recipe import Head, Recipe, read_recipe

__all__ = ["Head", "Recipe", "read_recipe"]
