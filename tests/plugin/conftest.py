"""What the tests of the helper and of the script share."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rawback_darktable.client import stop
from rawback_darktable.place import OVERRIDE
from rawback_lab.darktable_window import write_programs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def helper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program ``rawback-darktable`` of this checkout, with ``rawback`` beside it."""
    return write_programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper does its jobs itself."""
    monkeypatch.setenv(OVERRIDE, "")


@pytest.fixture
def service_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A place of its own for the service, which is stopped afterwards."""
    # Sockets have short names: pytest's own folders may be too deep.
    folder = Path(tempfile.mkdtemp(prefix="rb-", dir="/tmp"))
    monkeypatch.setenv(OVERRIDE, str(folder))
    paths = (str(ROOT / part) for part in ("core", "gui", "plugin_darktable"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    yield folder
    stop()
    shutil.rmtree(folder)
