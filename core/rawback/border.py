"""What lies around the visible area of a sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Border"]

_Sample = TypeVar("_Sample", bound=np.unsignedinteger)


@dataclass(frozen=True, slots=True)
class Border:
    """What lies around the visible area: optical black, mostly.

    Attributes:
        top: ``[rows, whole width]``; uint16, as all of them, or uint32 where it is of remainders.
        bottom: ``[rows, whole width]``.
        left: ``[H, columns]``, beside the visible area.
        right: ``[H, columns]``.
        recorded: Whether these are the sensor's samples; else they are constants in their place.
    """

    top: NDArray[np.unsignedinteger]
    bottom: NDArray[np.unsignedinteger]
    left: NDArray[np.unsignedinteger]
    right: NDArray[np.unsignedinteger]
    recorded: bool = True

    def __post_init__(self) -> None:
        parts = (self.top, self.bottom, self.left, self.right)
        kinds = {part.dtype for part in parts}
        alike = len(kinds) == 1 and kinds <= {np.dtype(np.uint16), np.dtype(np.uint32)}
        if (
            not alike
            or any(part.ndim != 2 for part in parts)
            or (self.top.shape[1] != self.bottom.shape[1] or len(self.left) != len(self.right))
        ):
            message = "a border is four parts [rows, columns] of one type that fit each other"
            raise ValueError(message)

    @classmethod
    def around(cls, whole: NDArray[np.unsignedinteger], area: tuple[int, int, int, int]) -> Border:
        """The border of a whole mosaic around an area: top, left, bottom and right."""
        top, left, bottom, right = area
        parts = (
            whole[:top],
            whole[bottom:],
            whole[top:bottom, :left],
            whole[top:bottom, right:],
        )
        above, below, beside, beyond = (
            np.array(part, dtype=whole.dtype, order="C") for part in parts
        )
        return cls(above, below, beside, beyond)

    @property
    def margins(self) -> tuple[int, int, int, int]:
        """Rows above, columns on the left, rows below, columns on the right."""
        return (len(self.top), self.left.shape[1], len(self.bottom), self.right.shape[1])

    def equals(self, other: Border) -> bool:
        """Whether all samples are the same."""
        pairs = zip(
            (self.top, self.bottom, self.left, self.right),
            (other.top, other.bottom, other.left, other.right),
            strict=True,
        )
        return all(np.array_equal(mine, others) for mine, others in pairs)

    def joined(self, cfa: NDArray[_Sample]) -> NDArray[_Sample]:
        """The whole mosaic, in the type of both."""
        middle = np.concatenate((self.left, cfa, self.right), axis=1)
        whole: NDArray[_Sample] = np.concatenate((self.top, middle, self.bottom), axis=0)
        return whole
