"""Where each raw pixel lies in the carrier, and the carrier's pixels on the raw grid.

`build_guide` evaluates a geometry in integers alone, so that encoder and decoder see the same
guide to the last bit, on every machine. What estimates one, once, in floats and with OpenCV, is
:mod:`rawback.geometry.registration`: only an encoder imports it, a decoder never loads it.
"""

from __future__ import annotations

from rawback.geometry.guide import build_guide
from rawback.geometry.model import Geometry
from rawback.geometry.transform import Aligned, Mesh, Transform, Warped

__all__ = ["Aligned", "Geometry", "Mesh", "Transform", "Warped", "build_guide"]
