"""The codec: the one place where the rooms meet.

::

    encode   raw, JPEG --geometry--> guide --tone--> base --residual--> sections
    decode   sections, JPEG --geometry--> guide --tone--> base --residual--> raw

Both sides run the same code wherever they must agree: the prediction (:mod:`.prediction`), the
layers' coefficients (:mod:`.coefficients`), the header's numbers (:mod:`.headers`).
"""

from rawback.codec.decoder import Progress, coded_steps, decode
from rawback.codec.draft import Encoded
from rawback.codec.encoder import Session, prepare
from rawback.codec.preview import Operating, Previews, carried_guide, tile_regions
from rawback.codec.rate import Rate
from rawback.codec.stored import load
from rawback.codec.threads import set_threads

__all__ = [
    "Encoded",
    "Operating",
    "Previews",
    "Progress",
    "Rate",
    "Session",
    "carried_guide",
    "coded_steps",
    "decode",
    "load",
    "prepare",
    "set_threads",
    "tile_regions",
]
