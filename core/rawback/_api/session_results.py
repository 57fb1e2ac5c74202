"""What a session hands out: previews, payloads that were made, and where their bits went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback._api.metadata import MetadataChoice
    from rawback._api.results import CarrierInfo, EmbedResult
    from rawback.rate import Rate
    from rawback.types import RawFrame, Region

__all__ = [
    "Encoding",
    "Overlay",
    "Preview",
    "SectionEnd",
    "bits_per_tile",
    "order_masks",
    "section_ends",
]


_ATTACHED = ("metadata", "border")
"""Sections that do not say what the samples are."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A part of the mosaic at one rate.

    Attributes:
        region: Which part.
        original: uint16 ``[height, width]``, as the camera gave it.
        restored: The same as the payload would restore it.
        predicted: The same as the base alone predicts it.
    """

    region: Region
    original: NDArray[np.uint16]
    restored: NDArray[np.uint16]
    predicted: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Overlay:
    """A figure for every place of the frame, to be laid over the picture.

    Attributes:
        name: What it is, for programs.
        title: What it is, for people.
        unit: Of the values.
        values: float32 ``[rows, columns]``, 0 or more, in the sensor's orientation.
        cell: Raw pixels along each side of a value's square; the last ones may be cut short.
        mask: Whether values are 0 or 1, and only the squares of 1 are meant.
    """

    name: str
    title: str
    unit: str
    values: NDArray[np.float32]
    cell: int
    mask: bool = False


@dataclass(frozen=True, slots=True)
class SectionEnd:
    """A place at which a payload can be cut.

    Attributes:
        kind: Of the sections before it, as in `SectionInfo`.
        layer: Theirs.
        payload_bytes: Bytes up to here, packaging counted.
    """

    kind: str
    layer: int
    payload_bytes: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """A shot coded at one rate.

    Attributes:
        rate: What was asked for.
        metadata: What the payload was to tell of the raw.
        carrier: The bytes of the JPEG with the payload.
        sidecar: The bytes of the payload as a file of its own.
        restored: The frame that comes back.
        result: Figures over the whole frame, and the sections.
        ends: Where the payload can be cut, in rising order.
        overlays: Where its bits went, and in which order latents are coded.
    """

    rate: Rate
    metadata: MetadataChoice
    carrier: bytes
    sidecar: bytes
    restored: RawFrame
    result: EmbedResult
    ends: tuple[SectionEnd, ...]
    overlays: tuple[Overlay, ...]


def section_ends(result: EmbedResult) -> tuple[SectionEnd, ...]:
    """Ends of the kinds and layers of a payload's sections."""
    ends: list[SectionEnd] = []
    size = 0
    for section in result.sections:
        size += section.bytes
        if section.kind in ("packaging", "header") or (section.kind in _ATTACHED and not ends):
            continue
        if section.kind in _ATTACHED:
            # What ends a lossless payload is of one piece with its samples.
            last = ends.pop()
            ends.append(SectionEnd(last.kind, last.layer, size))
            continue
        if ends and (ends[-1].kind, ends[-1].layer) == (section.kind, section.layer):
            ends.pop()
        ends.append(SectionEnd(section.kind, section.layer, size))
    return tuple(ends)


_OF_TILES = ("latents", "residual", "exact", "remainder")


def bits_per_tile(result: EmbedResult | CarrierInfo, pixels: int) -> Overlay:
    """Bits of all sections that belong to one tile, per raw pixel of it.

    Args:
        result: Tells of the sections.
        pixels: Along a side of a cell of the frame.
    """
    from rawback.common.tiles import tile_regions

    regions = tile_regions(result.width, result.height, pixels)
    bits = np.zeros(len(regions))
    for section in result.sections:
        if section.kind in _OF_TILES and section.tile < len(bits):
            bits[section.tile] += 8 * section.bytes
    areas = np.array([width * height for _, _, width, height in regions])
    columns = sum(top == 0 for _, top, _, _ in regions)
    values = (bits / areas).astype(np.float32).reshape(-1, columns)
    cell = regions[1][0] if columns > 1 else max(result.width, result.height)
    if len(values) > 1:
        cell = regions[columns][1]
    return Overlay("bits", "Bits per tile", "bpp", values, cell)


def order_masks(steps: NDArray[np.uint8] | None, pixels: int) -> tuple[Overlay, ...]:
    """Where the latents of each step lie; nothing without latents.

    Args:
        steps: uint8 ``[h, w]``: the step, from 1, of the latent that covers each cell.
        pixels: Along a side of a cell.
    """
    if steps is None:
        return ()
    cell = _coarsest_cell(steps)
    steps = steps[::cell, ::cell]
    return tuple(
        Overlay(
            f"order-{step}",
            f"Order mask, step {step}",
            "",
            (steps == step).astype(np.float32),
            pixels * cell,
            mask=True,
        )
        for step in range(1, int(steps.max()) + 1)
    )


def _coarsest_cell(quads: NDArray[np.uint8]) -> int:
    """Side of the largest squares of equal quads, a power of 2, that the array is made of."""
    height, width = quads.shape
    cell = 1
    while cell < min(height, width):
        corners = quads[:: 2 * cell, :: 2 * cell]
        whole = corners.repeat(2 * cell, axis=0).repeat(2 * cell, axis=1)
        if not np.array_equal(whole[:height, :width], quads):
            break
        cell *= 2
    return cell
