"""Where each raw pixel lies in the carrier, and the carrier's pixels on the raw grid.

`register` estimates the map, once, in floats and with OpenCV; what it returns is integers.
`build_guide` evaluates those in integers alone, so that encoder and decoder see the same guide
to the last bit, on every machine.
"""

from __future__ import annotations

from rawback.geometry.guide import build_guide
from rawback.geometry.model import Geometry
from rawback.geometry.placement import Aligned, Mesh, Placement, Warped
from rawback.geometry.registering import MATCH, Registration, register

__all__ = [
    "MATCH",
    "Aligned",
    "Geometry",
    "Mesh",
    "Placement",
    "Registration",
    "Warped",
    "build_guide",
    "register",
]
