"""Outputs: whole or not at all, never over a file that nobody gave up."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import signal
import stat
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from rawback import files
from rawback.errors import OutputRefused, RawbackError
from rawback.files import naming

from ..faults.small_disks import disk_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    b"plain.jpg",
    b"two words.jpg",
    b'it\'s "quoted" $HOME.jpg',
    b"new\nline\t.jpg",
    b"-o.jpg",
    b"[red]brackets[bold].jpg",
    b"\xff\xfe not text.jpg",
    "Grüße \N{RIGHT-TO-LEFT OVERRIDE}.jpg".encode(),
    b"long" * 62 + b".jpg",
]


@pytest.fixture(params=NAMES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / os.fsdecode(request.param)


@pytest.fixture
def linkless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that knows no hard links, such as those of memory cards."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)


@pytest.fixture(params=["renaming without replacing", "neither of them"])
def system_call(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is instead of links."""
    if request.param == "neither of them":
        monkeypatch.setattr(naming, "_system_call", lambda: None)
    elif naming._system_call() is None:
        pytest.skip("this system has no such call")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_any_name_is_written_read_and_shown(place: Path) -> None:
    assert files.write_file(place, b"data") == place
    assert names_in(place.parent) == [place.name]
    assert files.read_file(place) == b"data"
    shown = files.label(place.name)
    assert shown.isprintable()
    shown.encode()


def test_a_file_that_exists_is_kept(place: Path) -> None:
    place.write_bytes(b"old")
    with pytest.raises(OutputRefused, match="overwrite"):
        files.check_output(place, overwrite=False)
    with pytest.raises(OutputRefused, match="overwrite"):
        files.write_file(place, b"new")
    assert place.read_bytes() == b"old"
    assert names_in(place.parent) == [place.name]


def test_a_file_is_replaced_where_that_was_asked_for(place: Path) -> None:
    place.write_bytes(b"old")
    files.check_output(place, overwrite=True)
    files.write_file(place, b"new", overwrite=True)
    assert place.read_bytes() == b"new"
    assert names_in(place.parent) == [place.name]


@pytest.mark.usefixtures("linkless")
def test_without_links_it_is_the_same(tmp_path: Path) -> None:
    place = tmp_path / "x.jpg"
    files.write_file(place, b"first")
    with pytest.raises(OutputRefused, match="overwrite"):
        files.write_file(place, b"second")
    assert place.read_bytes() == b"first"
    assert files.replace_file(place, b"second").read_bytes() == b"first"
    assert place.read_bytes() == b"second"
    assert names_in(tmp_path) == ["x.jpg", "x.jpg_original"]


def test_a_file_changed_in_place_keeps_its_oldest_original(place: Path) -> None:
    place.write_bytes(b"first")
    if len(os.fsencode(place.name)) > 240:
        with pytest.raises(OutputRefused):
            files.replace_file(place, b"second")
        assert place.read_bytes() == b"first"
        return
    original = files.replace_file(place, b"second")
    assert (original.read_bytes(), place.read_bytes()) == (b"first", b"second")
    assert files.replace_file(place, b"third") == original
    assert (original.read_bytes(), place.read_bytes()) == (b"first", b"third")
    assert names_in(place.parent) == sorted([place.name, original.name])


def test_links_lead_to_the_file_that_is_changed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.jpg", tmp_path / "link.jpg"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with pytest.raises(OutputRefused):
        files.write_file(link, b"new")
    files.write_file(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert files.replace_file(link, b"newer") == tmp_path / "real.jpg_original"
    assert real.read_bytes() == b"newer"


def test_a_dangling_link_is_a_name_that_is_taken(tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(tmp_path / "nowhere.jpg")
    for use in (
        lambda: files.check_output(link, overwrite=False),
        lambda: files.write_file(link, b"new"),
    ):
        with pytest.raises(OutputRefused, match="exists"):
            use()


@pytest.mark.parametrize("source_mode", [0o600, 0o640, 0o644, 0o444])
def test_what_is_made_from_a_private_file_is_private(tmp_path: Path, source_mode: int) -> None:
    source, place = tmp_path / "source", tmp_path / "x.jpg"
    source.touch()
    source.chmod(source_mode)
    previous = os.umask(0o022)
    try:
        files.write_file(place, b"", like=source)
    finally:
        os.umask(previous)
    assert mode(place) == source_mode | 0o600


def test_new_files_heed_the_umask_and_replaced_ones_keep_their_permissions(tmp_path: Path) -> None:
    place = tmp_path / "x.jpg"
    previous = os.umask(0o027)
    try:
        files.write_file(place, b"")
        assert mode(place) == 0o640
        place.chmod(0o600)
        files.write_file(place, b"", overwrite=True)
        assert mode(place) == 0o600
    finally:
        os.umask(previous)


def test_an_input_is_never_the_output(tmp_path: Path) -> None:
    raw = tmp_path / "photo.dng"
    raw.write_bytes(b"the only copy")
    (tmp_path / "same.dng").hardlink_to(raw)
    for output in (raw, tmp_path / "same.dng", tmp_path / "." / "photo.dng"):
        with pytest.raises(OutputRefused, match="input"):
            files.check_output(output, overwrite=True, inputs=(raw,))


@pytest.mark.parametrize("output", ["nowhere/x.jpg", "plain.jpg/x.jpg", "folder", "x\0.jpg"])
def test_places_that_cannot_be_written(tmp_path: Path, output: str) -> None:
    (tmp_path / "plain.jpg").touch()
    (tmp_path / "folder").mkdir()
    for overwrite in (False, True):
        with pytest.raises(OutputRefused):
            files.check_output(tmp_path / output, overwrite=overwrite)
        with pytest.raises(OutputRefused):
            files.write_file(tmp_path / output, b"data", overwrite=overwrite)
    assert names_in(tmp_path) == ["folder", "plain.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that not even root writes to")
def test_a_folder_that_is_not_writable() -> None:
    with pytest.raises(OutputRefused, match="cannot be written"):
        files.write_file("/proc/self/x.jpg", b"data")


@pytest.mark.parametrize("name", ["missing", "folder", "x\0"])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(RawbackError, match="cannot be read"):
        files.read_file(tmp_path / name)


@pytest.mark.parametrize("step", ["os.fsync", "os.link", "pathlib.Path.replace"])
def test_an_interruption_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    place = tmp_path / "x.jpg"
    place.write_bytes(b"old")

    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.replace_file(place, b"new")
    if step != "pathlib.Path.replace":
        with pytest.raises(KeyboardInterrupt):
            files.write_file(tmp_path / "y.jpg", b"new")
    assert place.read_bytes() == b"old"
    assert names_in(tmp_path) == ["x.jpg"]


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / ".rawback-0123456789abcdef.tmp"
    others = [tmp_path / name for name in (".rawback-x.tmp", "rawback-0123456789abcdef.tmp")]
    for path in (left, *others):
        path.write_bytes(b"half a fi")
    files.write_file(tmp_path / "x.jpg", b"data")
    assert names_in(tmp_path) == sorted(["x.jpg", *(path.name for path in others)])


def test_what_is_being_written_is_not_swept_away(tmp_path: Path) -> None:
    def meanwhile(draft: Path) -> None:
        files.write_file(tmp_path / "y.jpg", b"other")
        assert draft.read_bytes() == b"data"

    files.write_file(tmp_path / "x.jpg", b"data", check=meanwhile)
    assert names_in(tmp_path) == ["x.jpg", "y.jpg"]


def test_a_draft_that_is_swept_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    swept: list[Path] = []

    def late(descriptor: int, operation: int) -> None:
        if not swept and operation == fcntl.LOCK_EX:
            swept.extend(tmp_path.glob(".rawback-*.tmp"))
            for draft in swept:
                draft.unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    files.write_file(tmp_path / "x.jpg", b"data")
    assert len(swept) == 1
    assert names_in(tmp_path) == ["x.jpg"]
    assert (tmp_path / "x.jpg").read_bytes() == b"data"


@pytest.mark.parametrize("replace", [files.replace_file, files.write_file])
def test_a_file_that_is_no_longer_what_it_was_is_kept(tmp_path: Path, replace: Any) -> None:
    place = tmp_path / "x.jpg"
    place.write_bytes(b"newer")
    options = {"overwrite": True} if replace is files.write_file else {}
    with pytest.raises(OutputRefused, match="changed since"):
        replace(place, b"data", was=b"old", **options)
    assert place.read_bytes() == b"newer"
    assert names_in(tmp_path) == ["x.jpg"]
    replace(place, b"data", was=b"newer", **options)
    assert place.read_bytes() == b"data"


@pytest.mark.usefixtures("linkless")
@pytest.mark.parametrize("failure", [errno.EINVAL, errno.ENOSYS])
def test_a_file_system_that_cannot_rename_exclusively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: int
) -> None:
    def refuse(*_: bytes) -> int:
        ctypes.set_errno(failure)
        return -1

    monkeypatch.setattr(naming, "_system_call", lambda: refuse)
    place = tmp_path / "x.jpg"
    files.write_file(place, b"data")
    with pytest.raises(OutputRefused, match="exists already"):
        files.write_file(place, b"other")
    assert place.read_bytes() == b"data"
    assert names_in(tmp_path) == ["x.jpg"]


@pytest.mark.usefixtures("linkless", "system_call")
def test_a_name_that_somebody_takes_meanwhile(tmp_path: Path) -> None:
    place = tmp_path / "x.jpg"

    def meanwhile(_: Path) -> None:
        place.write_bytes(b"theirs")

    with pytest.raises(OutputRefused, match="exists already"):
        files.write_file(place, b"data", check=meanwhile)
    assert place.read_bytes() == b"theirs"
    assert names_in(tmp_path) == ["x.jpg"]


@pytest.mark.usefixtures("linkless", "system_call")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_a_kill_at_any_step_leaves_no_empty_file(tmp_path: Path) -> None:
    """A child kills itself at its first step, at its second one, and so on, until it is through."""
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        child = os.fork()
        if not child:
            try:
                _kill_at_event(number)
                files.write_file(folder / "x.jpg", b"data")
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.path.lexists(folder / "x.jpg"):
            assert (folder / "x.jpg").read_bytes() == b"data"
        if not status:
            assert number > 3
            assert names_in(folder) == ["x.jpg"]
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
    pytest.fail("the child never got through")


def _kill_at_event(number: int) -> None:
    """End this process at the system call of a number that files are asked for."""
    seen = 0

    def look(event: str, _arguments: object) -> None:
        nonlocal seen
        if event.startswith(("open", "os.", "fcntl.", "ctypes.")):
            seen += 1
            if seen == number + 1:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


@pytest.mark.parametrize("acted", [False, True], ids=["mounted", "acted"])
def test_a_full_disk_keeps_what_it_has(tmp_path: Path, acted: bool) -> None:
    with disk_of(65536, tmp_path / "disk", acted=acted) as disk:
        place = disk.folder / "x.jpg"
        files.write_file(place, b"old")
        for overwrite in (False, True):
            with pytest.raises(OutputRefused, match="make room"):
                files.write_file(
                    disk.folder / f"{overwrite}.jpg", bytes(200_000), overwrite=overwrite
                )
        with pytest.raises(OutputRefused, match="make room"):
            files.write_file(place, bytes(200_000), overwrite=True)
        with pytest.raises(OutputRefused, match="make room"):
            files.replace_file(place, bytes(200_000))
        assert place.read_bytes() == b"old"
        assert names_in(disk.folder) == ["x.jpg"]


def test_a_limit_on_file_sizes_is_a_full_disk_too(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputRefused, match="make room"):
            files.write_file(tmp_path / "x.jpg", bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names_in(tmp_path) == []
