"""What files do on Windows and macOS, by simulation: neither was there to run the tests."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rawback import files
from rawback.batch import storage, workers
from rawback.errors import OutputRefused
from rawback.files import naming


@pytest.fixture(params=["NTFS", "exFAT"])
def windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows, as far as writing files goes: renaming replaces nothing, and open files stay put.

    NTFS has hard links, exFAT has none.
    """
    renamed, replaced = Path.rename, Path.replace

    def rename(path: Path, target: Path) -> Path:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        check_closed(path)
        return renamed(path, target)

    def replace(path: Path, target: Path) -> Path:
        check_closed(path)
        return replaced(path, target)

    def check_closed(path: Path) -> None:
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 -- names of descriptors
            try:
                opened = Path(f"/proc/self/fd/{name}").resolve()
            except OSError:
                continue
            if opened == path.resolve():
                raise PermissionError(errno.EACCES, "used by another process", path)

    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, "Incorrect function")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(Path, "replace", replace)
    if request.param == "exFAT":
        monkeypatch.setattr(os, "link", link)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux which files are open")
@pytest.mark.usefixtures("windows")
def test_writing_on_windows(tmp_path: Path) -> None:
    place = tmp_path / "x.jpg"
    files.write_file(place, b"first")
    with pytest.raises(OutputRefused, match="exists already"):
        files.write_file(place, b"second")
    assert place.read_bytes() == b"first"
    files.write_file(place, b"second", overwrite=True)
    assert files.replace_file(place, b"third").read_bytes() == b"second"
    assert place.read_bytes() == b"third"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jpg", "x.jpg_original"]


def test_renaming_without_replacing_on_macos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[bytes, bytes, int]] = []

    class Call:
        argtypes: tuple[object, ...] = ()

        def __call__(self, old: bytes, new: bytes, flags: int) -> int:
            calls.append((old, new, flags))
            if os.path.lexists(new):
                ctypes.set_errno(errno.EEXIST)
                return -1
            os.rename(old, new)  # noqa: PTH104 -- names are bytes
            return 0

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(renamex_np=Call()))
    monkeypatch.setattr(os, "link", refuse)
    naming._system_call.cache_clear()
    try:
        place = tmp_path / "x.jpg"
        files.write_file(place, b"first")
        with pytest.raises(OutputRefused, match="exists already"):
            files.write_file(place, b"second")
        assert place.read_bytes() == b"first"
        rename_exclusively = 4
        assert [call[1:] for call in calls] == [(os.fsencode(place), rename_exclusively)] * 2
    finally:
        naming._system_call.cache_clear()


def test_drives_in_file_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "os", SimpleNamespace(name="nt", PathLike=os.PathLike))
    assert storage.to_path("file:///C:/pictures/a%20b.jpg") == Path("C:/pictures/a b.jpg")


def test_cores_where_the_system_does_not_tell_which_are_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert workers._cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers._cores() == 1
