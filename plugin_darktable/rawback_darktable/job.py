"""What a hook asks for."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

__all__ = ["KINDS", "Job"]

KINDS = ("quality", "size", "lossless")
"""How a rate can be given."""


@dataclass(frozen=True, slots=True)
class Job:
    """One raw to put into one JPEG, which is changed in place.

    Attributes:
        raw: Absolute path of the raw.
        jpeg: Absolute path of the JPEG.
        kind: One of `KINDS`.
        value: Quality from 0 to 100, or bytes; 0 for lossless.
        unguided: Code the raw on its own where the JPEG does not show it.
    """

    raw: str
    jpeg: str
    kind: str = "quality"
    value: float = 60
    unguided: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"{self.kind!r} is no kind of rate"
            raise ValueError(message)

    def to_json(self) -> str:
        """One line of ASCII; names that are no valid text survive as escapes."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is anything else.
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(text) from error
