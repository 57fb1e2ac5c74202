# SPDX-License-Identifier: GPL-3.0-or-later
"""What the canvas paints: parts of the sources, rendered at the screen's resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback_gui.models.errormap import default_range, errors_of, picture_of, reduced
from rawback_gui.models.orientation import Region, to_raw, to_upright, upright
from rawback_gui.models.rendering import develop, light_of, scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback_gui.controllers.document import Document
    from rawback_gui.models.state import Source, ViewState

__all__ = ["Mark", "Picture", "Pictures", "raw_region", "render", "render_marks"]

_CLIPPED = 254
_RAW_MARK, _CARRIER_MARK = (255, 46, 99), (0, 190, 255)


@dataclass(frozen=True, slots=True)
class Picture:
    """A rendered part of a source.

    Attributes:
        region: Which part, in upright raw pixels.
        pixels: uint8 ``[h, w, 3]``, upright, any resolution.
    """

    region: Region
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Mark:
    """Places that are to be seen through the picture.

    Attributes:
        region: In upright raw pixels.
        pixels: uint8 ``[h, w, 4]``: colour and opacity.
    """

    region: Region
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pictures:
    """All that a state shows, by source.

    Attributes:
        generation: Later ones are newer.
        sources: The pictures.
        raw_clipping: Where the sensor clips; None where that is not shown.
        carrier_clipping: Where the JPEG clips; None where that is not shown.
        error_top: The value at the end of the error map's scale; None without one.
        complete: Whether all of it is at the rate that was asked for.
    """

    generation: int
    sources: dict[Source, Picture]
    raw_clipping: Mark | None = None
    carrier_clipping: Mark | None = None
    error_top: float | None = None
    complete: bool = True


def raw_region(document: Document, region: Region) -> Region:
    """A region of the upright picture as a region of the raw, beginning at a whole 2x2 cell."""
    frame = document.frame
    left, top, width, height = to_raw(region, frame.orientation, frame.width, frame.height)
    right, bottom = left + width, top + height
    left, top = max(left, 0) // 2 * 2, max(top, 0) // 2 * 2
    return left, top, min(right, frame.width) - left, min(bottom, frame.height) - top


def render(
    document: Document,
    source: Source,
    restored: NDArray[np.uint16] | None,
    state: ViewState,
    region: Region,
) -> tuple[Picture, float | None] | None:
    """Render a part of a source.

    Args:
        document: What is open.
        source: Which source.
        restored: The restored mosaic of the whole frame, as far as it is needed.
        state: How to render.
        region: In upright raw pixels.

    Returns:
        The picture, and for an error map the value at the end of its scale; None where there is
        no such source yet.
    """
    frame = document.frame
    left, top, width, height = raw_region(document, region)
    part = (slice(top, top + height), slice(left, left + width))
    zoom = state.viewport.zoom
    size = _size(width, zoom), _size(height, zoom)
    error_top = None
    if source == "carrier":
        if document.guide is None:
            return None
        pixels = _averaged(document.guide.pixels[part], size)
    elif source == "error":
        if restored is None or document.session is None:
            return None
        original = document.session.original.cfa[part]
        errors = errors_of(original, restored[part], frame, state.errors)
        errors = reduced(errors, state.errors, max(math.floor(1 / zoom), 1))
        error_top = state.errors.top or default_range(errors)
        pixels = picture_of(errors, state.errors, error_top)
    else:
        cfa = restored if source == "restored" else _original(document)
        if cfa is None:
            return None
        neutral = state.development.neutral or frame.neutral
        light = light_of(cfa[part], frame, neutral, halved=zoom <= 0.5)
        pixels = develop(scaled(light, *size), frame, state.development)
    place = _upright_region(document, (left, top, width, height))
    return Picture(place, _turned(pixels, frame.orientation)), error_top


def render_marks(
    document: Document, state: ViewState, region: Region
) -> tuple[Mark | None, Mark | None]:
    """Where the raw and where the carrier clip, as far as the state shows that."""
    frame = document.frame
    left, top, width, height = raw_region(document, region)
    part = (slice(top, top + height), slice(left, left + width))
    place = _upright_region(document, (left, top, width, height))
    size = _size(width, state.viewport.zoom), _size(height, state.viewport.zoom)
    raw = carrier = None
    if state.raw_clipping:
        clipped = frame.cfa[part] >= frame.white
        raw = Mark(place, _turned(_marked(clipped, size, _RAW_MARK), frame.orientation))
    if state.carrier_clipping and document.guide is not None:
        clipped = document.guide.pixels[part].max(axis=2) >= _CLIPPED
        carrier = Mark(place, _turned(_marked(clipped, size, _CARRIER_MARK), frame.orientation))
    return raw, carrier


def _original(document: Document) -> NDArray[np.uint16] | None:
    return None if document.session is None else document.session.original.cfa


def _size(side: int, zoom: float) -> int:
    return max(1, round(side * zoom)) if zoom < 1 else side


def _upright_region(document: Document, region: Region) -> Region:
    frame = document.frame
    return to_upright(region, frame.orientation, frame.width, frame.height)


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(upright(pixels, orientation))


def _averaged(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if pixels.shape[1] <= size[0] and pixels.shape[0] <= size[1]:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _marked(
    clipped: NDArray[np.bool_], size: tuple[int, int], colour: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Colour where something is clipped, however little of a pixel of the screen."""
    cover = clipped.astype(np.float32)
    if clipped.shape[1] > size[0] or clipped.shape[0] > size[1]:
        cover = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.float32)
    marked = np.empty((*cover.shape, 4), np.uint8)
    marked[..., :3] = colour
    marked[..., 3] = np.where(cover > 0, 120 + 110 * np.minimum(cover, 1), 0)
    return marked
