"""Full disks and folders that cannot be written to: an error of ours, and all is as it was."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import rawback

from .small_disks import PAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import MakeDisk

COARSE = rawback.Rate.quality(20)

JOBS: dict[str, Callable[[Path], Any]] = {
    "embed": lambda at: rawback.embed(at / "photo.dng", at / "photo.jpg", rate=COARSE),
    "verified": lambda at: rawback.embed(
        at / "photo.dng", at / "photo.jpg", rate=COARSE, verify=True
    ),
    "in place": lambda at: rawback.embed(
        at / "photo.dng", at / "photo.jpg", rate=COARSE, in_place=True
    ),
    "in place, no copy": lambda at: rawback.embed(
        at / "photo.dng", at / "photo.jpg", rate=COARSE, in_place=True, keep_original=False
    ),
    "sidecar": lambda at: rawback.embed(
        at / "photo.dng", at / "photo.jpg", rate=COARSE, sidecar=True
    ),
    "restore": lambda at: rawback.restore(at / "carrier.jpg"),
    "shrink": lambda at: rawback.shrink(at / "carrier.jpg", 5000, at / "small.jpg"),
    "strip": lambda at: rawback.strip(at / "carrier.jpg", at / "bare.jpg"),
}


@pytest.fixture
def inputs(shot: tuple[bytes, bytes], lossless_carrier: bytes) -> dict[str, bytes]:
    raw, jpeg = shot
    return {"photo.dng": raw, "photo.jpg": jpeg, "carrier.jpg": lossless_carrier}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("name", JOBS)
def test_wherever_the_disk_runs_full(
    make_disk: MakeDisk, inputs: dict[str, bytes], name: str
) -> None:
    fail_until_there_is_room(make_disk, inputs, name)


@pytest.mark.parametrize("name", ["in place", "sidecar", "strip"])
def test_wherever_a_disk_that_cannot_be_mounted_runs_full(
    make_acted_disk: MakeDisk, inputs: dict[str, bytes], name: str
) -> None:
    fail_until_there_is_room(make_acted_disk, inputs, name)


def fail_until_there_is_room(make_disk: MakeDisk, inputs: dict[str, bytes], name: str) -> None:
    """Room grows page by page, so that the disk runs full at every write, until there is enough."""
    needed = sum(-(-len(data) // PAGE) * PAGE for data in inputs.values())
    full = 0
    for pages in range(0, 100, 1 if name != "restore" else 4):
        with make_disk(needed + pages * PAGE) as disk:
            fill(disk.folder, inputs)
            done = False
            with suppress(rawback.OutputRefused):
                JOBS[name](disk.folder)
                done = True
            if done:
                assert full > 0
                assert len(contents(disk.folder)) == 3 + (name != "in place, no copy")
                return
            full += 1
            assert contents(disk.folder) == inputs
    pytest.fail("the job never found enough room")


@pytest.mark.parametrize("name", JOBS)
def test_a_disk_that_is_only_to_be_read(
    make_disk: MakeDisk, inputs: dict[str, bytes], name: str
) -> None:
    with make_disk(1 << 20) as disk:
        fill(disk.folder, inputs)
        disk.make_read_only()
        with pytest.raises(rawback.OutputRefused, match="cannot be written"):
            JOBS[name](disk.folder)
        assert contents(disk.folder) == inputs


def test_a_disk_that_cannot_be_mounted_and_is_only_to_be_read(
    make_acted_disk: MakeDisk, inputs: dict[str, bytes]
) -> None:
    with make_acted_disk(1 << 20) as disk:
        fill(disk.folder, inputs)
        disk.make_read_only()
        for name in ("embed", "in place", "strip"):
            with pytest.raises(rawback.OutputRefused, match="cannot be written"):
                JOBS[name](disk.folder)
        assert contents(disk.folder) == inputs


def test_carriers_on_a_disk_that_is_only_to_be_read_can_be_used(
    make_disk: MakeDisk, inputs: dict[str, bytes], tmp_path: Path
) -> None:
    with make_disk(1 << 20) as disk:
        fill(disk.folder, inputs)
        disk.make_read_only()
        carrier, raw = disk.folder / "carrier.jpg", disk.folder / "photo.dng"
        assert rawback.verify(carrier, raw=raw).exact
        assert rawback.inspect(carrier).intact
        assert rawback.restore(carrier, tmp_path / "again.dng").exact
        assert rawback.embed(raw, disk.folder / "photo.jpg", tmp_path / "c.jpg").output
