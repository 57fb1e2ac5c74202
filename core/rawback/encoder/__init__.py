"""From a raw and its JPEG to a payload: everything that only an encoder does.

::

    raw, JPEG --registration--> guide --fits--> base --learned_layer--> latents
                                  sections <--payload_builder-- base, latents, a step
                                                                  ^
                                     size_search, psnr_search, or a quality

Nothing here is normative: it may change freely, as long as the payloads it makes read alike.
"""

from __future__ import annotations

from rawback.encoder.encoder import Session, prepare
from rawback.encoder.geometries import plain_geometries
from rawback.encoder.payload_builder import Attached, Encoded
from rawback.encoder.preview import Previews

__all__ = ["Attached", "Encoded", "Previews", "Session", "plain_geometries", "prepare"]
