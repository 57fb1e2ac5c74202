"""What values a header field may have: small predicates that are put together.

Each maker returns a function from any value to whether it is allowed. Types are compared exactly
(a bool is no whole number), so that what passes is written and read back as the very same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

__all__ = ["Rule", "either", "like", "nothing", "octets", "row", "rows", "table", "text", "whole"]

Rule: TypeAlias = Callable[[object], bool]


def nothing(value: object) -> bool:
    """No value; the only rule that is used as it is."""
    return value is None


def whole(low: int, high: int) -> Rule:
    """A whole number from `low` to `high`, both included."""
    return lambda value: type(value) is int and low <= value <= high


def octets(low: int, high: int) -> Rule:
    """A byte string of `low` to `high` bytes."""
    return lambda value: type(value) is bytes and low <= len(value) <= high


def text(limit: int) -> Rule:
    """Text of at most `limit` bytes in UTF-8."""

    def allows(value: object) -> bool:
        if type(value) is not str or len(value) > limit:
            return False
        try:
            return len(value.encode("utf-8")) <= limit
        except UnicodeEncodeError:
            return False

    return allows


def like(expression: str) -> Rule:
    """Text that matches a regular expression as a whole."""
    return lambda value: type(value) is str and re.fullmatch(expression, value) is not None


def row(*rules: Rule) -> Rule:
    """A tuple with one value for each of `rules`."""

    def allows(value: object) -> bool:
        return (
            type(value) is tuple
            and len(value) == len(rules)
            and all(rule(item) for rule, item in zip(rules, value, strict=True))
        )

    return allows


def rows(rule: Rule, low: int, high: int) -> Rule:
    """A tuple of `low` to `high` values that all keep to `rule`."""

    def allows(value: object) -> bool:
        return type(value) is tuple and low <= len(value) <= high and all(map(rule, value))

    return allows


def either(*rules: Rule) -> Rule:
    """A value that keeps to at least one of `rules`."""
    return lambda value: any(rule(value) for rule in rules)


def table(key: Rule, entry: Rule, limit: int) -> Rule:
    """A mapping of at most `limit` entries."""

    def allows(value: object) -> bool:
        return (
            isinstance(value, Mapping)
            and len(value) <= limit
            and all(key(name) and entry(item) for name, item in value.items())
        )

    return allows
