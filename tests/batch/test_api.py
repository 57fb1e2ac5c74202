"""Whole folders: errors stop nobody, and a second run does only what is left or has changed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
import struct
from typing import TYPE_CHECKING

import pytest

import rawback
from rawback.batch.journal import Journal

from .conftest import COARSE, Watcher, names_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("serial")

Shot = tuple[bytes, bytes]


def embed(*sources: Path, **options: object) -> tuple[rawback.BatchReport, dict[str, str]]:
    watcher = Watcher()
    # All shots of the library show the same.
    given = {"rate": COARSE, "watcher": watcher, "match": "times", **options}
    report = rawback.embed_many(sources, **given)  # type: ignore[arg-type]
    return report, watcher.statuses


def test_errors_stop_nobody(library: Path, shot: Shot) -> None:
    report, statuses = embed(library)
    assert statuses == {"a.rawback.jpg": "done", "b.rawback.jpg": "failed", "c.rawback.jpg": "done"}
    assert (report.total, report.done, report.failed, report.complete) == (3, 2, 1, False)
    (failure,) = report.failures
    assert failure.error is not None
    assert failure.error[0] == "DamagedRaw"
    assert failure.inputs == (library / "b.dng", library / "b.jpg")
    found = rawback.verify(library / "a.rawback.jpg", raw=library / "a.dng")
    assert found.intact
    assert rawback.strip_bytes((library / "c.rawback.jpg").read_bytes()) == shot[1]
    assert "b.rawback.jpg" not in names_in(library)
    assert report.input_bytes == 2 * sum(map(len, shot))
    assert report.payload_bytes == 2 * rawback.inspect(library / "a.rawback.jpg").payload_bytes
    assert report.saved_bytes == 2 * len(shot[0]) - report.payload_bytes


def test_everything_is_verified_unless_it_is_not_wanted(library: Path) -> None:
    for wanted, options in ((True, {}), (False, {"verify": False, "overwrite": True})):
        watcher = Watcher()
        embed(library, watcher=watcher, **options)
        figures = [outcome.figures for outcome in watcher.outcomes if outcome.status == "done"]
        assert [f.verified for f in figures if isinstance(f, rawback.EmbedResult)] == [wanted] * 2


def test_raw_files_and_times_are_kept_where_that_is_wanted(library: Path, shot: Shot) -> None:
    (library / "b.dng").unlink()
    os.utime(library / "a.jpg", ns=(1_000_000_000, 1_000_000_000))
    wanted: dict[str, object] = {"original": True, "rate": None, "keep_times": True}
    _, statuses = embed(library, **wanted)
    assert statuses == {"a.rawback.jpg": "done", "c.rawback.jpg": "done"}
    carrier = library / "a.rawback.jpg"
    assert carrier.stat().st_mtime_ns == 1_000_000_000
    found = rawback.inspect(carrier).raw_file
    assert found is not None
    assert found.name == "a.dng"
    assert rawback.restore_bytes(carrier.read_bytes(), original=True)[0] == shot[0]
    assert set(embed(library, **wanted)[1].values()) == {"unchanged"}
    # Another wish is another job.
    lossless = rawback.Rate.lossless()
    assert set(embed(library, rate=lossless)[1].values()) == {"done"}


def test_a_second_run_does_what_is_left(library: Path, shot: Shot) -> None:
    embed(library)
    (library / "b.dng").write_bytes(shot[0])
    before = (library / "a.rawback.jpg").stat().st_mtime_ns
    report, statuses = embed(library)
    assert statuses == {
        "a.rawback.jpg": "unchanged",
        "b.rawback.jpg": "done",
        "c.rawback.jpg": "unchanged",
    }
    assert report.complete
    assert (report.done, report.unchanged) == (1, 2)
    assert (library / "a.rawback.jpg").stat().st_mtime_ns == before
    assert set(embed(library)[1].values()) == {"unchanged"}


@pytest.mark.parametrize("changed", ["raw", "jpeg", "rate", "unguided", "output gone"])
def test_what_changed_is_done_again(library: Path, changed: str) -> None:
    (library / "b.dng").unlink()
    embed(library)
    options: dict[str, object] = {}
    expected = {"a.rawback.jpg": "done", "c.rawback.jpg": "unchanged"}
    if changed in ("raw", "jpeg"):
        os.utime(library / ("a.dng" if changed == "raw" else "a.jpg"), ns=(1, 1))
    elif changed == "output gone":
        (library / "a.rawback.jpg").unlink()
    else:
        options = {"rate": rawback.Rate.quality(1)} if changed == "rate" else {"unguided": True}
        expected["c.rawback.jpg"] = "done"
    report, statuses = embed(library, **options)
    assert statuses == expected
    assert report.complete
    assert set(embed(library, **options)[1].values()) == {"unchanged"}


def test_files_of_others_are_never_replaced_unasked(library: Path) -> None:
    (library / "a.rawback.jpg").write_bytes(b"somebody's")
    report, statuses = embed(library)
    assert statuses["a.rawback.jpg"] == "failed"
    assert "left alone" in report.failures[0].error[1]  # type: ignore[index]
    assert (library / "a.rawback.jpg").read_bytes() == b"somebody's"
    assert embed(library, overwrite=True)[1]["a.rawback.jpg"] == "done"
    assert embed(library)[1]["a.rawback.jpg"] == "unchanged"


def test_a_carrier_that_was_tagged_stays(library: Path) -> None:
    embed(library)
    carrier = library / "a.rawback.jpg"
    data = carrier.read_bytes()
    carrier.write_bytes(data[:2] + b"\xff\xfe\x00\x06nice" + data[2:])
    kept = carrier.read_bytes()
    for _ in range(2):
        assert embed(library)[1]["a.rawback.jpg"] == "unchanged"
        assert carrier.read_bytes() == kept


def test_a_carrier_that_lost_its_raw_is_told_of_and_kept(library: Path, shot: Shot) -> None:
    embed(library)
    carrier = library / "a.rawback.jpg"
    carrier.write_bytes(shot[1])
    report, statuses = embed(library)
    assert statuses["a.rawback.jpg"] == "failed"
    assert "was changed since" in report.failures[0].error[1]  # type: ignore[index]
    os.utime(library / "a.dng", ns=(1, 1))
    assert embed(library)[1]["a.rawback.jpg"] == "failed"
    assert carrier.read_bytes() == shot[1]
    assert embed(library, overwrite=True)[1]["a.rawback.jpg"] == "done"


def test_an_output_that_was_started_is_this_batchs_own(library: Path) -> None:
    class Killed(BaseException):
        """What a kill looks like from within: nothing is noted any more."""

    def kill(outcome: rawback.Outcome) -> None:
        if outcome.output.name == "a.rawback.jpg":
            raise Killed

    finish = Journal.finish
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "finish", lambda self, outcome: kill(outcome))
        with pytest.raises(Killed):
            embed(library)
    assert Journal.finish is finish
    assert (library / "a.rawback.jpg").exists()
    assert embed(library)[1]["a.rawback.jpg"] == "done"


def test_jpegs_are_changed_in_place(library: Path, shot: Shot) -> None:
    report, statuses = embed(library, in_place=True)
    assert statuses == {"a.jpg": "done", "b.jpg": "failed", "c.jpg": "done"}
    assert report.done == 2
    made = ["a.dng", "a.jpg", "a.jpg_original", "b.dng", "b.jpg"]
    assert names_in(library) == [*made, "c.dng", "c.jpg", "c.jpg_original"]
    assert rawback.verify(library / "a.jpg", raw=library / "a.dng").intact
    assert (library / "a.jpg_original").read_bytes() == shot[1]
    assert (library / "b.jpg").read_bytes() == shot[1]
    changed = (library / "a.jpg").read_bytes()
    (library / "b.dng").write_bytes(shot[0])
    again = {"a.jpg": "unchanged", "b.jpg": "done", "c.jpg": "unchanged"}
    assert embed(library, in_place=True)[1] == again
    assert (library / "a.jpg").read_bytes() == changed


@pytest.mark.parametrize("changed", ["raw", "rate", "tagged", "exported anew", "killed"])
def test_what_changed_in_place_is_done_again(library: Path, shot: Shot, changed: str) -> None:
    (library / "b.dng").unlink()
    embed(library, in_place=True)
    jpeg = library / "a.jpg"
    data = jpeg.read_bytes()
    options: dict[str, object] = {"in_place": True}
    expected = {"a.jpg": "done", "c.jpg": "unchanged"}
    if changed == "raw":
        os.utime(library / "a.dng", ns=(1, 1))
    elif changed == "rate":
        options["rate"] = rawback.Rate.quality(1)
        expected["c.jpg"] = "done"
    elif changed == "tagged":
        jpeg.write_bytes(data[:2] + b"\xff\xfe\x00\x06nice" + data[2:])
        expected["a.jpg"] = "unchanged"
    elif changed == "exported anew":
        jpeg.write_bytes(shot[1])
    else:
        (library / ".rawback-batch.sqlite").unlink()
        expected["c.jpg"] = "done"
    before = jpeg.read_bytes()
    report, statuses = embed(library, **options)
    assert statuses == expected
    assert report.complete
    assert rawback.verify(jpeg, raw=library / "a.dng").intact
    assert (jpeg.read_bytes() == before) == (changed in ("raw", "tagged", "killed"))
    assert (library / "a.jpg_original").read_bytes() == shot[1]
    assert set(embed(library, **options)[1].values()) == {"unchanged"}


def test_in_place_and_elsewhere_exclude_each_other(library: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        rawback.embed_many([library], tmp_path / "out", in_place=True)


def test_outputs_get_the_folders_of_their_jpegs(tmp_path: Path, library: Path, shot: Shot) -> None:
    (library / "2024" / "may").mkdir(parents=True)
    (library / "2024" / "may" / "d.jpg").write_bytes(shot[1])
    (library / "d.dng").write_bytes(shot[0])
    out = tmp_path / "out" / "deep"
    report = rawback.embed_many([library], out, rate=COARSE, recursive=True)
    assert report.done == 3
    assert (out / "2024" / "may" / "d.rawback.jpg").exists()
    assert not [name for name in names_in(library) if "rawback" in name]
    back = rawback.restore_many([out], tmp_path / "dngs", recursive=True)
    assert (back.done, back.total) == (3, 3)
    assert (tmp_path / "dngs" / "2024" / "may" / "d.rawback.dng").exists()


def test_jpegs_of_one_name_get_carriers_of_their_own(library: Path, shot: Shot) -> None:
    for name in ("a.jpeg", "a.JPG"):
        (library / name).write_bytes(shot[1])
    _, statuses = embed(library)
    made = {name for name, status in statuses.items() if status == "done"}
    assert made == {
        "a.rawback.jpg",
        "a.jpeg.rawback.jpg",
        "a.JPG.rawback.jpg",
        "c.rawback.jpg",
    }
    again = embed(library)[1]
    assert {again[name] for name in made} == {"unchanged"}
    back = rawback.restore_many([library / name for name in made])
    assert (back.done, back.failed) == (4, 0)
    assert (library / "a.JPG.rawback.dng").exists()


def test_two_cards_into_one_folder(library: Path, tmp_path: Path, shot: Shot) -> None:
    cards = [tmp_path / "card1", tmp_path / "card2"]
    for card in cards:
        card.mkdir()
        for ending, data in zip((".dng", ".jpg"), shot, strict=True):
            (card / f"IMG_1{ending}").write_bytes(data + card.name.encode())
    out = tmp_path / "out"
    reports = [rawback.embed_many(folders, out, rate=COARSE) for folders in (cards, cards[::-1])]
    assert [(report.done, report.unchanged) for report in reports] == [(2, 0), (0, 2)]
    assert names_in(out) == ["IMG_1.card2.rawback.jpg", "IMG_1.rawback.jpg"]
    for card, name in zip(cards, ("IMG_1", "IMG_1.card2"), strict=True):
        carrier = out / f"{name}.rawback.jpg"
        assert rawback.strip_bytes(carrier.read_bytes()) == (card / "IMG_1.jpg").read_bytes()


def test_two_raws_for_one_jpeg_in_place(library: Path) -> None:
    pairs = [rawback.Pair(library / f"{name}.dng", library / "a.jpg") for name in "ac"]
    report = rawback.embed_many(pairs, rate=COARSE, in_place=True)
    (failure,) = report.failures
    assert failure.error is not None
    for name in ("a.jpg", "a.dng", "c.dng"):
        assert name in failure.error[1]
    assert report.done == 1
    beside = rawback.embed_many(pairs, rate=COARSE, journal=library / "other", overwrite=True)
    assert beside.done == 2


def test_ambiguous_shots_count_as_not_made(library: Path, shot: Shot) -> None:
    (library / "a.nef").write_bytes(shot[0] + b"not the same to the last byte")
    report, statuses = embed(library)
    assert "a.rawback.jpg" not in statuses
    assert [item.jpeg.name for item in report.ambiguous] == ["a.jpg"]
    assert (report.total, report.failed, report.complete) == (3, 2, False)


def test_restoring_leaves_plain_jpegs_alone(library: Path, lossless_carrier: bytes) -> None:
    (library / "a.rawback.jpg").write_bytes(lossless_carrier)
    (library / "z.jpg").write_bytes(lossless_carrier)
    watcher = Watcher()
    report = rawback.restore_many([library], watcher=watcher)
    assert (report.done, report.total, len(report.unmatched), report.complete) == (2, 2, 3, True)
    made = [outcome for outcome in watcher.outcomes if outcome.status == "done"]
    assert [outcome.output.name for outcome in made] == ["a.rawback.dng", "z.rawback.dng"]
    for outcome in made:
        assert isinstance(outcome.figures, rawback.RestoreResult)
        assert outcome.figures.exact
    again = Watcher()
    assert rawback.restore_many([library], watcher=again).unchanged == 2
    named = rawback.restore_many([library / "b.jpg", library / "z.jpg"])
    assert (named.failed, named.unchanged) == (1, 1)
    assert named.failures[0].error is not None
    assert named.failures[0].error[0] == "PayloadMissing"


def test_what_was_salvaged_is_not_done(library: Path, lossless_carrier: bytes) -> None:
    for path in library.iterdir():
        path.unlink()
    carrier = library / "a.rawback.jpg"
    carrier.write_bytes(_damaged(lossless_carrier))
    assert rawback.restore_many([carrier]).failures[0].status == "failed"
    for _ in range(2):
        watcher = Watcher()
        report = rawback.restore_many([carrier], salvage=True, watcher=watcher)
        assert watcher.statuses == {"a.rawback.dng": "incomplete"}
        assert (report.done, report.failed, report.complete) == (0, 1, False)
        assert report.failures[0].error is not None
        assert "only what stands before the damage" in report.failures[0].error[1]
    # The whole carrier comes from a backup, and takes the place of what was salvaged.
    carrier.write_bytes(lossless_carrier)
    report = rawback.restore_many([carrier])
    assert (report.done, report.complete) == (1, True)
    assert rawback.restore_many([carrier], salvage=True).unchanged == 1


def _damaged(carrier: bytes) -> bytes:
    """A carrier whose finest section is broken."""
    where = carrier.index(b"\xff\xeb")
    (size,) = struct.unpack(">H", carrier[where + 2 : where + 4])
    # The payload fits into one segment, and ends with its largest section.
    at = where + size - 1000
    return carrier[:at] + bytes([carrier[at] ^ 1]) + carrier[at + 1 :]


def test_a_file_that_changes_meanwhile_is_not_reported_as_done(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = rawback.embed

    def meddling(raw: Path, *arguments: object, **options: object) -> rawback.EmbedResult:
        result = embedded(raw, *arguments, **options)  # type: ignore[arg-type]
        os.utime(raw, ns=(5, 5))
        return result

    monkeypatch.setattr(rawback, "embed", meddling)
    report, statuses = embed(library)
    assert statuses["a.rawback.jpg"] == "failed"
    assert "changed while it was read" in report.failures[0].error[1]  # type: ignore[index]
    monkeypatch.setattr(rawback, "embed", embedded)
    assert embed(library)[1]["a.rawback.jpg"] == "done"


def test_reports_are_plain_json(library: Path) -> None:
    report, _ = embed(library)
    document = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert document["failures"][0]["error"]["type"] == "DamagedRaw"
    assert document["total"] == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.total = 4  # type: ignore[misc]


def test_one_batch_at_a_time(library: Path) -> None:
    in_use = pytest.raises(rawback.RawbackError, match="in use by another batch")
    with Journal(library / ".rawback-batch.sqlite"), in_use:
        embed(library)
    assert embed(library, journal=library / "other.sqlite")[0].done == 2


def test_files_that_are_no_journals(library: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b"a diary, in which nothing is done" * 100)
    with pytest.raises(rawback.RawbackError, match="is not a journal, or damaged"):
        embed(library, journal=journal)
    assert journal.read_bytes().startswith(b"a diary")
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as base:
        base.execute("CREATE TABLE holidays (place TEXT)")
    base.close()
    with pytest.raises(rawback.RawbackError, match="is not a journal of this version"):
        embed(library, journal=other)
    with pytest.raises(rawback.OutputRefused, match="name another journal"):
        embed(library, journal=tmp_path / "nowhere" / "journal")


def test_journals_of_the_first_version_are_read(library: Path) -> None:
    embed(library)
    with contextlib.closing(sqlite3.connect(library / ".rawback-batch.sqlite")) as base:
        for now, then in (
            ("output", "place"),
            ("input_fingerprints", "marks"),
            ("output_fingerprint", "mark"),
        ):
            base.execute(f"ALTER TABLE outputs RENAME COLUMN {now} TO {then}")
        base.execute("PRAGMA user_version = 1")
        base.commit()
    assert embed(library)[1]["a.rawback.jpg"] == "unchanged"


def test_a_library_can_be_moved_with_its_journal(library: Path, tmp_path: Path) -> None:
    embed(library)
    moved = library.rename(tmp_path / "moved")
    assert embed(moved)[1]["a.rawback.jpg"] == "unchanged"
