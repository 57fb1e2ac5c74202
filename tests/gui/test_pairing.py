# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files belong together, and what new ones are called."""

from __future__ import annotations

from pathlib import Path

from rawback_gui.models.filenames import proposed, shortened, with_ending
from rawback_gui.models.pairing import Pair, neighbour, pair_up, partner_of, taken_by


def test_files_are_paired_by_name(tmp_path: Path) -> None:
    for name in ("a.NEF", "a.jpg", "a.rawback.jpg", "b.cr2", "c.JPEG", "note.txt"):
        (tmp_path / name).touch()
    found = pair_up([tmp_path])
    names = [(p.raw and p.raw.name, p.jpeg and p.jpeg.name) for p in found.pairs]
    assert names == [
        ("a.NEF", "a.jpg"),
        (None, "a.rawback.jpg"),
        ("b.cr2", None),
        (None, "c.JPEG"),
    ]
    assert [path.name for path in found.ignored] == ["note.txt"]


def test_one_raw_and_one_jpeg_go_together_whatever_their_names(tmp_path: Path) -> None:
    raw, jpeg = tmp_path / "IMG_1.dng", tmp_path / "final edit.jpg"
    raw.touch()
    jpeg.touch()
    assert pair_up([jpeg, raw]).pairs == (Pair(raw, jpeg),)
    sorted_ = pair_up([jpeg, tmp_path / "gone.dng"])
    assert sorted_.ignored == ()
    assert sorted_.missing == (tmp_path / "gone.dng",)


def test_what_cannot_be_told_is_left_to_people(tmp_path: Path) -> None:
    for name in ("a.dng", "a.nef", "a.jpg"):
        (tmp_path / name).touch()
    files = [pair.files for pair in pair_up([tmp_path]).pairs]
    assert files == [(tmp_path / name,) for name in ("a.dng", "a.jpg", "a.nef")]


def test_a_partner_is_found_beside(tmp_path: Path, shot: tuple[bytes, bytes]) -> None:
    raw, jpeg = tmp_path / "IMG_1.DNG", tmp_path / "img_1.jpg"
    raw.write_bytes(shot[0])
    jpeg.write_bytes(shot[1])
    assert partner_of(Pair(raw, None)) == Pair(raw, jpeg)
    assert partner_of(Pair(None, jpeg)) == Pair(raw, jpeg)
    assert partner_of(Pair(raw, jpeg)) == Pair(raw, jpeg)
    (tmp_path / "img_1_01.jpg").write_bytes(shot[1])
    assert partner_of(Pair(raw, None)) == Pair(raw, jpeg)
    lonely = tmp_path / "other.jpg"
    lonely.write_bytes(shot[1])
    assert partner_of(Pair(None, lonely)) == Pair(None, lonely)
    # What is dropped on an open raw is taken, unless it has a raw of its own.
    opened = tmp_path / "open.dng"
    assert taken_by(Pair(opened, None), Pair(None, lonely)) == Pair(None, lonely)
    opened.touch()
    assert taken_by(Pair(opened, None), Pair(None, lonely)) == Pair(opened, lonely)
    assert taken_by(Pair(opened, None), Pair(None, jpeg)) == Pair(raw, jpeg)
    assert taken_by(None, Pair(None, lonely)) == Pair(None, lonely)


def test_a_carrier_is_opened_alone(
    tmp_path: Path, shot: tuple[bytes, bytes], lossless_carrier: bytes
) -> None:
    raw, carrier = tmp_path / "a.dng", tmp_path / "a.jpg"
    raw.write_bytes(shot[0])
    carrier.write_bytes(lossless_carrier)
    assert partner_of(Pair(None, carrier)) == Pair(None, carrier)


def test_neighbours_in_a_folder() -> None:
    shots = tuple(Pair(Path(f"{name}.dng"), Path(f"{name}.jpg")) for name in "abc")
    assert neighbour(shots, Pair(Path("b.dng"), None), 1) == shots[2]
    assert neighbour(shots, shots[1], -1) == shots[0]
    assert neighbour(shots, shots[2], 1) is None
    assert neighbour(shots, Pair(Path("z.dng"), None), 1) is None


def test_names_of_files() -> None:
    assert proposed(Path("a/photo.rawback.jpg"), ".rawback.dng") == Path("a/photo.rawback.dng")
    assert with_ending(Path("a/photo"), (".jpg", ".jpeg")) == Path("a/photo.jpg")
    assert with_ending(Path("a/photo.JPEG"), (".jpg", ".jpeg")) == Path("a/photo.JPEG")
    assert with_ending(Path("a/v1.2"), (".jpg",)) == Path("a/v1.2.jpg")
    long = "x" * 150 + ".dng"
    assert len(shortened(long, 40)) == 40
    assert shortened(long, 40).endswith(".dng")
    assert shortened("short.dng", 40) == "short.dng"
