"""Disks that run full, for the tests of faults."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import pytest

from .small_disks import Disk, disk_of

if TYPE_CHECKING:
    from pathlib import Path

MakeDisk: TypeAlias = Callable[[int], AbstractContextManager[Disk]]


@pytest.fixture
def make_disk(tmp_path: Path) -> MakeDisk:
    """Gives an empty disk of so many bytes, for as long as a context lasts."""
    return partial(disk_of, folder=tmp_path / "disk")


@pytest.fixture
def make_acted_disk(tmp_path: Path) -> MakeDisk:
    """The same as it is where mounting is not allowed."""
    return partial(disk_of, folder=tmp_path / "disk", acted=True)
