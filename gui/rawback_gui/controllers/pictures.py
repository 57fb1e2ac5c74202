# SPDX-License-Identifier: GPL-3.0-or-later
"""What the canvas paints: parts of the sources, rendered at the screen's resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback_gui.controllers.errors import errors_in
from rawback_gui.models import clipping
from rawback_gui.models.demosaic import camera_light, resized
from rawback_gui.models.errormap import (
    ErrorView,
    default_range,
    picture_of,
    reduced,
)
from rawback_gui.models.orientation import Region, to_raw, to_upright, upright
from rawback_gui.models.planes import cell_of
from rawback_gui.models.rendering import jpeg_gains, neutral_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    import rawback
    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.restoring import RestoredBuffer
    from rawback_gui.models.clipping import Clipping
    from rawback_gui.models.state import Source, ViewState

__all__ = [
    "BLANK",
    "CLIPPING_COLOURS",
    "ErrorScale",
    "Mark",
    "Outside",
    "Picture",
    "Pictures",
    "blanked",
    "raw_region",
    "render",
    "render_errors",
    "render_marks",
    "render_outside",
]

BLANK = 49
"""The grey, as a code, of what is not there yet: a bit lighter than the canvas."""

CLIPPING_COLOURS: dict[Clipping, tuple[int, int, int]] = {
    "jpeg_highlights": (255, 46, 99),
    "jpeg_shadows": (64, 128, 255),
    "raw_highlights": (255, 190, 0),
    "raw_shadows": (0, 210, 170),
}


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
class Outside:
    """What of the picture the JPEG does not show.

    Attributes:
        region: The part that is looked at, in upright raw pixels.
        mask: bool ``[h, w]``, upright, any resolution.
        label: Where there is most room for a word, in upright raw pixels.
        room: The distance from there to the JPEG, in upright raw pixels.
    """

    region: Region
    mask: NDArray[np.bool_]
    label: tuple[float, float]
    room: float


@dataclass(frozen=True, slots=True)
class ErrorScale:
    """What the colours of an error map stand for.

    Attributes:
        view: Kind, unit, channel and colours.
        top: Value at the end of the scale.
    """

    view: ErrorView
    top: float


@dataclass(frozen=True, slots=True)
class Pictures:
    """All that a state shows, by source.

    Attributes:
        generation: Later ones are newer.
        opening: Of the document that they are of.
        rate: Of the restored raw and the error map in them; None where there is neither.
        sources: The pictures.
        marks: Where something clips, as far as that is shown.
        outside: What the JPEG does not show; None where it shows all.
        error_scale: Of the error map; None without one.
        complete: Whether all of it is at the rate.
    """

    generation: int = 0
    opening: int = 0
    rate: rawback.Rate | None = None
    sources: dict[Source, Picture] = field(default_factory=dict)
    marks: dict[Clipping, Mark] = field(default_factory=dict)
    outside: Outside | None = None
    error_scale: ErrorScale | None = None
    complete: bool = True


def raw_region(document: Document, region: Region) -> Region:
    """A region of the upright picture as a region of the raw, beginning at a whole pattern."""
    frame = document.frame
    left, top, width, height = to_raw(region, frame.orientation, frame.width, frame.height)
    right, bottom = left + width, top + height
    down, across = cell_of(frame.mosaic)
    left, top = max(left, 0) // across * across, max(top, 0) // down * down
    return left, top, min(right, frame.width) - left, min(bottom, frame.height) - top


def render(
    document: Document,
    source: Source,
    restored: NDArray[np.uint16] | None,
    state: ViewState,
    region: Region,
) -> Picture | None:
    """Render a part of a source other than the error map.

    Args:
        document: What is open.
        source: Which source.
        restored: The restored mosaic of the whole frame, as far as it is needed.
        state: How to render.
        region: In upright raw pixels.

    Returns:
        None where there is no such source yet.
    """
    frame, development = document.frame, state.development
    place, part, size = _part(document, state, region)
    look = document.look(development.rendering)
    if source == "carrier":
        if document.guide is None:
            return None
        pixels = _averaged(document.guide.pixels[part], size)
        made_with = document.look("neutral" if development.rendering == "linear" else "match")
        if development.rendering == "neutral":
            made_with = look
        gains = jpeg_gains(frame, development)
        pixels = look.push(pixels, development.exposure, gains, made_with)
    else:
        cfa = restored if source == "restored" else _original(document)
        if cfa is None:
            return None
        neutral = neutral_of(frame, development)
        light = camera_light(cfa[part], frame, neutral, halved=state.viewport.zoom <= 0.5)
        pixels = look.develop(resized(light, *size), development.exposure)
    return Picture(place, _turned(pixels, frame.orientation))


def blanked(
    document: Document, picture: Picture, region: Region, buffer: RestoredBuffer
) -> Picture:
    """A picture of the restored raw without what was never restored yet.

    Args:
        document: What is open.
        picture: Rendered from the buffer.
        region: The part that was asked for, in upright raw pixels.
        buffer: What is restored so far.
    """
    height, width, _ = picture.pixels.shape
    turned = document.frame.orientation >= 5
    size = (height, width) if turned else (width, height)
    missing = buffer.never(raw_region(document, region), size)
    if missing is None:
        return picture
    pixels = picture.pixels.copy()
    pixels[upright(missing, document.frame.orientation)] = BLANK
    return Picture(picture.region, pixels)


def render_errors(
    document: Document,
    restored: NDArray[np.uint16],
    state: ViewState,
    region: Region,
    top: float | None,
) -> tuple[Picture, ErrorScale] | None:
    """Render a part of the error map.

    Args:
        document: What is open.
        restored: The restored mosaic of the whole frame, all there in the region.
        state: How to render.
        region: In upright raw pixels.
        top: The value at the end of the scale; None for one that suits what is in the region.

    Returns:
        The picture and its scale; None without an original.
    """
    if document.session is None:
        return None
    raw = raw_region(document, region)
    place = _part(document, state, region)[0]
    exposure = state.development.exposure
    errors = errors_in(document.session, restored, raw, state.errors, exposure)
    errors = reduced(errors, state.errors, max(math.floor(1 / state.viewport.zoom), 1))
    top = top or default_range(errors)
    pixels = picture_of(errors, state.errors, top)
    picture = Picture(place, _turned(pixels, document.frame.orientation))
    return picture, ErrorScale(state.errors, top)


def render_marks(document: Document, state: ViewState, region: Region) -> dict[Clipping, Mark]:
    """Where the raw and the JPEG clip, as far as the state shows that."""
    frame, guide = document.frame, document.guide
    place, part, size = _part(document, state, region)
    marks: dict[Clipping, Mark] = {}
    for name in sorted(state.clipping):
        if name == "raw_highlights":
            clipped = clipping.raw_highlights(frame.cfa[part], frame)
        elif name == "raw_shadows":
            clipped = clipping.raw_shadows(frame.cfa[part], frame)
        elif guide is None or not document.registered:
            continue
        else:
            find = clipping.jpeg_highlights
            if name == "jpeg_shadows":
                find = clipping.jpeg_shadows
            clipped = find(guide.pixels[part]) & (guide.mask[part] > 0)
        pixels = _marked(clipped, size, CLIPPING_COLOURS[name])
        marks[name] = Mark(place, _turned(pixels, frame.orientation))
    return marks


def render_outside(document: Document, state: ViewState, region: Region) -> Outside | None:
    """What of a region the JPEG does not show; None where it shows all."""
    if document.guide is None:
        return None
    place, part, size = _part(document, state, region)
    mask = document.guide.mask[part]
    if mask.all():
        return None
    small = mask
    if mask.shape[1] > size[0] or mask.shape[0] > size[1]:
        small = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    outside = _turned(small, document.frame.orientation) == 0
    framed = np.pad(outside.astype(np.uint8), 1)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    scale = place[2] / outside.shape[1]
    return Outside(
        place,
        outside,
        (place[0] + (int(column) + 0.5) * scale, place[1] + (int(row) + 0.5) * scale),
        float(distance.max()) * scale,
    )


def _part(
    document: Document, state: ViewState, region: Region
) -> tuple[Region, tuple[slice, slice], tuple[int, int]]:
    """Where a region is on the screen, its samples, and the most pixels that they need there."""
    frame, zoom = document.frame, state.viewport.zoom
    left, top, width, height = raw_region(document, region)
    place = to_upright((left, top, width, height), frame.orientation, frame.width, frame.height)
    part = (slice(top, top + height), slice(left, left + width))
    return place, part, (_size(width, zoom), _size(height, zoom))


def _original(document: Document) -> NDArray[np.uint16] | None:
    return None if document.session is None else document.session.original.cfa


def _size(side: int, zoom: float) -> int:
    return max(1, round(side * zoom)) if zoom < 1 else side


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
