"""Outputs keep what files have besides their bytes: permissions, owner, attributes, times."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from rawback import files

if TYPE_CHECKING:
    from pathlib import Path

    if sys.platform != "win32":
        from collections.abc import Iterator

LONG_AGO = (1_000_000_000_123_456_789, 1_100_000_000_987_654_321)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has none of these")


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def source(tmp_path: Path, usual_umask: None) -> Path:
    """A file with attributes, of long ago, that the umask would not allow."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"was")
    path.chmod(0o666)
    try:
        os.setxattr(path, "user.xdg.tags", b"holiday")
    except OSError:
        pytest.skip("this file system knows no extended attributes")
    os.utime(path, ns=LONG_AGO)
    return path


def times(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_atime_ns, seen.st_mtime_ns


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_file_replaced_in_place_keeps_everything(source: Path, keep_times: bool) -> None:
    files.replace_file(source, b"is", keep_times=keep_times)
    assert source.read_bytes() == b"is"
    assert mode(source) == 0o666
    assert os.getxattr(source, "user.xdg.tags") == b"holiday"
    assert (times(source)[1] == LONG_AGO[1]) is keep_times
    kept = source.with_name("photo.jpg_original")
    assert (kept.read_bytes(), mode(kept), times(kept)[1]) == (b"was", 0o666, LONG_AGO[1])


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_new_file_is_like_what_it_is_made_from(source: Path, keep_times: bool) -> None:
    output = source.with_name("new.jpg")
    files.write_file(output, b"is", like=source, keep_times=keep_times)
    # The umask still counts.
    assert mode(output) == 0o644
    assert os.getxattr(output, "user.xdg.tags") == b"holiday"
    assert (times(output) == LONG_AGO) is keep_times


def test_what_is_overwritten_keeps_its_own_but_gets_the_times_of_the_source(source: Path) -> None:
    output = source.with_name("old.jpg")
    output.write_bytes(b"old")
    output.chmod(0o604)
    os.setxattr(output, "user.rating", b"5")
    files.write_file(output, b"is", overwrite=True, like=source, keep_times=True)
    assert mode(output) == 0o604
    assert os.listxattr(output) == ["user.rating"]
    assert times(output) == LONG_AGO
    files.write_file(output, b"more", overwrite=True, keep_times=True)
    assert times(output)[1] == LONG_AGO[1]


def test_a_file_nobody_may_write_is_replaced_and_stays_so(source: Path) -> None:
    source.chmod(0o444)
    files.replace_file(source, b"is")
    assert (source.read_bytes(), mode(source)) == (b"is", 0o444)
    assert os.getxattr(source, "user.xdg.tags") == b"holiday"


@pytest.mark.skipif(os.getuid() != 0 if sys.platform != "win32" else True, reason="needs root")
def test_a_file_replaced_keeps_its_owner(source: Path) -> None:
    os.chown(source, 1234, 2345)
    files.replace_file(source, b"is")
    assert (source.stat().st_uid, source.stat().st_gid) == (1234, 2345)


def test_attributes_that_cannot_be_copied_stay_away(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "setxattr", refuse)
    output = files.write_file(source.with_name("new.jpg"), b"is", like=source)
    assert output.read_bytes() == b"is"
