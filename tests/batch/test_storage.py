"""Files elsewhere: an FTP server on this machine, and fsspec's memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

import rawback
from rawback.batch.storage import (
    display_name,
    fingerprint,
    is_local,
    list_files,
    read_bytes,
    read_head,
    to_path,
    write_remote,
)

from .conftest import COARSE, Watcher

pytest.importorskip("upath")


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Shot = tuple[bytes, bytes]


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder in fsspec's memory."""
    import fsspec

    system = fsspec.filesystem("memory")
    system.makedirs("/library", exist_ok=True)
    yield "memory://library"
    system.rm("/library", recursive=True)


def put(url: str, data: bytes) -> None:
    write_remote(to_path(url), data, overwrite=True)


def test_places(tmp_path: Path, memory: str) -> None:
    assert to_path("a/b") == type(tmp_path)("a/b")
    assert to_path(f"file://{tmp_path}/x%20y") == tmp_path / "x y"
    assert is_local(to_path("x"))
    there = to_path(f"{memory}/a.dng")
    assert not is_local(there)
    assert (there.stem, there.suffix, display_name(there)) == (
        "a",
        ".dng",
        "memory://library/a.dng",
    )
    for url in ("no-such-kind://x", "rawback://x"):
        with pytest.raises(rawback.RawbackError, match="check the URL"):
            to_path(url)


def test_reading_and_writing(memory: str) -> None:
    place = to_path(f"{memory}/deep/a.bin")
    assert fingerprint(place) is None
    for read in (read_bytes, lambda path: read_head(path, 10)):
        with pytest.raises(rawback.RawbackError, match="cannot be read"):
            read(place)
    write_remote(place, b"0123456789", overwrite=False)
    assert read_bytes(place) == b"0123456789"
    assert read_head(place, 4) == b"0123"
    before = fingerprint(place)
    with pytest.raises(rawback.OutputRefused, match="exists already"):
        write_remote(place, b"other", overwrite=False)
    assert fingerprint(place) == before
    write_remote(place, b"something else", overwrite=True)
    assert fingerprint(place) != before
    put(f"{memory}/b.bin", b"b")
    put(f"{memory}/.hidden", b"h")
    assert [file.name for file in list_files(to_path(memory), recursive=False)] == ["b.bin"]
    assert [file.name for file in list_files(to_path(memory), recursive=True)] == [
        "b.bin",
        "a.bin",
    ]


def test_what_is_not_written_whole_is_told_of(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place: Any = to_path(f"{memory}/a.bin")
    monkeypatch.setattr(type(place.fs), "cat_file", lambda *_, **__: b"cut")
    with pytest.raises(rawback.OutputRefused, match="does not hold what was written"):
        write_remote(place, b"whole", overwrite=True)


@pytest.mark.usefixtures("serial")
@pytest.mark.parametrize("kind", ["memory", "ftp"])
def test_a_library_elsewhere(
    kind: str, request: pytest.FixtureRequest, shot: Shot, tmp_path: Path
) -> None:
    url: str = request.getfixturevalue(kind)
    if kind == "memory":
        for name in "abc":
            put(f"{url}/{name}.dng", shot[0] if name != "b" else b"II*\0 cut short")
            put(f"{url}/{name}.jpg", shot[1])
    journal = tmp_path / "journal"
    watcher = Watcher()
    report = rawback.embed_many([url], rate=COARSE, journal=journal, watcher=watcher)
    assert watcher.statuses == {
        "a.rawback.jpg": "done",
        "b.rawback.jpg": "failed",
        "c.rawback.jpg": "done",
    }
    assert "secret" not in str(report.as_dict())
    carrier = read_bytes(to_path(f"{url}/a.rawback.jpg"))
    assert rawback.strip_bytes(carrier) == shot[1]
    assert rawback.verify(carrier, raw=shot[0]).intact
    again = rawback.embed_many([url], rate=COARSE, journal=journal)
    assert (again.unchanged, again.done) == (2, 0)
    put(f"{url}/a.jpg", shot[1] + b"\0")
    again = rawback.embed_many([url], rate=COARSE, journal=journal)
    assert (again.unchanged, again.done) == (1, 1)
    names = {file.name for file in list_files(to_path(url), recursive=True)}
    assert {name for name in names if "rawback" in name} == {"a.rawback.jpg", "c.rawback.jpg"}

    back = rawback.restore_many([url], tmp_path / "back")
    assert (back.done, back.complete) == (2, True)
    assert sorted(os.listdir(tmp_path / "back"))[1:] == ["a.rawback.dng", "c.rawback.dng"]  # noqa: PTH208
    with pytest.raises(rawback.RawbackError, match="needs a folder on this machine"):
        rawback.restore_many([url])


@pytest.mark.usefixtures("serial")
def test_jpegs_elsewhere_are_not_changed_in_place(memory: str, shot: Shot, tmp_path: Path) -> None:
    for ending, data in zip(("dng", "jpg"), shot, strict=True):
        put(f"{memory}/a.{ending}", data)
    report = rawback.embed_many([memory], rate=COARSE, journal=tmp_path / "journal", in_place=True)
    assert "give an output folder" in report.failures[0].error[1]  # type: ignore[index]
    assert read_bytes(to_path(f"{memory}/a.jpg")) == shot[1]
