"""Disks that run full, and what the tests of faults share."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

Disk: TypeAlias = Callable[[int], AbstractContextManager[Path]]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Mounts an empty disk of so many bytes, for as long as a context lasts."""

    @contextlib.contextmanager
    def mounted(size: int) -> Iterator[Path]:
        place = tmp_path / "disk"
        place.mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("mounting a disk takes more rights than there are")
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)

    return mounted
