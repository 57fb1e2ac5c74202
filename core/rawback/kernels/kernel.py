"""Call a kernel with arrays.

A kernel is declared once, as a module's constant, with what it takes::

    _add = Kernel("add", Read(np.int32, 1), Integer, Write(np.int32, 1))
    _add(values, 3, found)

and called with just these. Every array goes with its sizes and strides, so the kernel can keep
inside it whatever is asked for. While it runs, other threads run too.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rawback.errors import RawbackError
from rawback.kernels.library import INSTALL_AGAIN, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Integer", "Kernel", "Read", "Write"]

_AXES = 4
_ONE, _NONE = (1,) * _AXES, (0,) * _AXES
"""Sizes and strides of axes that an array does not have."""


_array = struct.Struct(f"P{2 * _AXES}q").pack
"""Makes an ARRAY of kernels.h."""


@dataclass(frozen=True, slots=True)
class Read:
    """An array that a kernel reads: its element type and number of axes."""

    dtype: type[np.generic]
    axes: int

    def pass_on(self, argument: NDArray[Any]) -> Any:
        """What C is given for an array.

        Raises:
            TypeError: It is of another type, has other axes, or its innermost axis has gaps.
        """
        dtype = np.dtype(self.dtype)
        shape, strides = argument.shape, argument.strides
        if argument.dtype != dtype or len(shape) != self.axes or not argument.flags.aligned:
            message = f"{argument.dtype} with {len(shape)} axes, not {dtype} with {self.axes}"
            raise TypeError(message)
        item, missing = dtype.itemsize, _AXES - self.axes
        if strides[-1] != item and shape[-1] > 1 and argument.size:
            message = "the innermost axis of an array for a kernel has gaps"
            raise TypeError(message)
        steps = [stride // item for stride in strides]
        return _array(argument.ctypes.data, *shape, *_ONE[:missing], *steps, *_NONE[:missing])


@dataclass(frozen=True, slots=True)
class Write(Read):
    """An array that a kernel writes, or reads and writes."""

    def pass_on(self, argument: NDArray[Any]) -> Any:
        """What C is given for an array.

        Raises:
            TypeError: As for `Read`, or the array is read-only.
        """
        if not argument.flags.writeable:
            message = "a read-only array for a kernel to write"
            raise TypeError(message)
        return Read.pass_on(self, argument)


class Integer:
    """An integer that a kernel takes: ``int64_t``."""

    @staticmethod
    def pass_on(argument: int) -> ctypes.c_int64:
        """What C is given for an integer.

        Raises:
            OverflowError: It has more than 64 bits.
        """
        if not -(1 << 63) <= argument < 1 << 63:
            message = f"{argument} has more than 64 bits"
            raise OverflowError(message)
        return ctypes.c_int64(argument)


class Kernel:
    """A function of the compiled library, looked up when it is first called."""

    def __init__(self, name: str, *takes: Read | type[Integer]) -> None:
        self.name = name
        self.takes = takes
        self._function: Callable[..., int] | None = None

    def __call__(self, *arguments: Any) -> int:
        """Run the kernel.

        Returns:
            What the kernel returns, at least 0.

        Raises:
            RawbackError: The compiled library is missing or does not fit.
            TypeError: An argument is not what the kernel takes.
            ValueError: Arguments do not fit each other; a bug in the caller.
        """
        function = self._function or self._bound()
        passed = [t.pass_on(a) for t, a in zip(self.takes, arguments, strict=True)]
        result = function(*passed)
        if result < 0:
            message = f"kernel {self.name}: arguments do not fit each other, line {-result}"
            raise ValueError(message)
        return result

    def _bound(self) -> Callable[..., int]:
        library = load()
        try:
            function = library[f"rawback_{self.name}"]
        except AttributeError as error:
            message = f'{library._name} has no kernel "{self.name}". {INSTALL_AGAIN}'
            raise RawbackError(message) from error
        function.restype = ctypes.c_int64
        self._function = function
        return function
