"""Inner loops in C, compiled when the package is built; see README.md beside this file.

What is decided, read, written or configured stays in Python, in the rooms that call them.
"""

from rawback.kernels.kernel import Integer, Kernel, Read, Write
from rawback.kernels.library import VARIANTS, load

__all__ = ["VARIANTS", "Integer", "Kernel", "Read", "Write", "load"]
