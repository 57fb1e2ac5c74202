"""Where raw pixels lie in the carrier: as registration finds, or where it cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.errors import ShotMismatch
from rawback.geometry import Aligned, Geometry
from rawback.geometry.registration import register
from rawback.orientation import oriented_size

if TYPE_CHECKING:
    from rawback.jpegio import DecodedJpeg
    from rawback.types import RawFrame

__all__ = ["plain_geometries", "registered_geometry"]


def plain_geometries(frame: RawFrame, carrier: DecodedJpeg) -> list[Geometry]:
    """Where a raw may lie in a JPEG that it cannot be found on: a dark frame, a flat field.

    Returns:
        Nowhere: the raw is then coded on its own. And pixel on pixel, where sizes allow it.
    """
    raw_size = frame.width, frame.height
    height, width = carrier.pixels.shape[:2]
    geometries = [Geometry.disjoint(raw_size, (width, height))]
    for orientation in dict.fromkeys((frame.orientation, 1)):
        if oriented_size(orientation, *raw_size) == (width, height):
            geometries.append(Geometry(raw_size, (width, height), Aligned(orientation)))
            break
    return geometries


def registered_geometry(frame: RawFrame, carrier: DecodedJpeg, *, unguided: bool) -> Geometry:
    """Register a raw with its JPEG; nowhere where it does not show it and that is allowed."""
    try:
        return register(frame, carrier.pixels).geometry
    except ShotMismatch:
        if not unguided:
            raise
    height, width = carrier.pixels.shape[:2]
    return Geometry.disjoint((frame.width, frame.height), (width, height))
