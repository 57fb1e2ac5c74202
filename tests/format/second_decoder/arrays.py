"""Names of array types (part 3 of FORMAT.md: whole numbers unless said otherwise)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes8 = npt.NDArray[np.uint8]
Mosaic = npt.NDArray[np.uint16]
Array = TypeVar("Array", npt.NDArray[np.int64], npt.NDArray[np.bool_])
