"""What a reader does with data it must not restore (introduction of part 3 of FORMAT.md)."""

from __future__ import annotations

from typing import NoReturn


class RefusedError(Exception):
    """The data break the format, or need what this reader does not have."""


class NewerVersionError(RefusedError):
    """The payload has a newer major version (2.1)."""


def refuse(reason: str) -> NoReturn:
    """Raise `RefusedError`."""
    raise RefusedError(reason)


def require(condition: bool, reason: str) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        refuse(reason)
