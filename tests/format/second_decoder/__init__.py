"""A decoder of carriers, written from FORMAT.md and independent of every other implementation.

`load_stored` reads the stored tables and network weights, `restore` gives the raw mosaic of a
carrier, `restore_all` what its samples leave out of floating point numbers too, `numbers_of` these
numbers, `sensor_of` what lies around it and what the raw says about itself. Only the standard
library, numpy, safetensors and Pillow are used.
"""

from __future__ import annotations

from .refusal import NewerVersionError, RefusedError
from .restore import numbers_of, restore, restore_all, sensor_of
from .stored import Stored, load_stored

__all__ = [
    "NewerVersionError",
    "RefusedError",
    "Stored",
    "load_stored",
    "numbers_of",
    "restore",
    "restore_all",
    "sensor_of",
]
