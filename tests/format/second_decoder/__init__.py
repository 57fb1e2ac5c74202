"""A decoder of carriers, written from FORMAT.md and independent of every other implementation.

`load_stored` reads the stored tables and network weights, `restore` gives the raw mosaic of a
carrier, `sensor_of` what lies around it and what the raw says about itself. Only the standard
library, numpy, safetensors and Pillow are used.
"""

from __future__ import annotations

from .refusal import NewerVersionError, RefusedError
from .restore import restore, sensor_of
from .stored import Stored, load_stored

__all__ = ["NewerVersionError", "RefusedError", "Stored", "load_stored", "restore", "sensor_of"]
