"""Each command does its verb and says what came of it: in words, or as one JSON document."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from PIL import Image

import rawback
from rawback import container, rawio
from rawback.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def there(shot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands run in the folder of the shot."""
    monkeypatch.chdir(shot_folder)
    return shot_folder


@pytest.fixture
def carrier(there: Path, lossless_carrier: bytes) -> str:
    (there / "carrier.jpg").write_bytes(lossless_carrier)
    return "carrier.jpg"


class Ran:
    """A run of the program: exit status and what it printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(arguments)
        return Ran(status, *capsys.readouterr())

    return run


FIGURES = {
    "payload_bytes",
    "bpp",
    "psnr_db",
    "highlight_psnr_db",
    "error_over_sigma",
    "worst_error",
    "visible",
    "verified",
    "seconds",
    "peak_memory_bytes",
    "sections",
}


@pytest.mark.parametrize("options", [["--lossless"], ["-q", "20", "-o", "out.jpg"]])
def test_embed_tells_all_figures(run: Any, options: list[str]) -> None:
    done = run("embed", "photo.dng", "photo.jpg", "--json", *options)
    assert done.status == 0
    assert done.document.keys() >= FIGURES
    assert done.document["output"] == ("out.jpg" if "-o" in options else "photo.rawback.jpg")
    assert done.document["exact"] is ("--lossless" in options)
    assert done.err == ""


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        (["--size", "200kB"], rawback.Rate.size(200_000)),
        (["--size=12000"], rawback.Rate.size(12_000)),
        (["--bpp", "1.5"], rawback.Rate.bpp(1.5)),
        (["-q", "40"], rawback.Rate.quality(40)),
        (["--quality", "0"], rawback.Rate.quality(0)),
        (["--psnr", "50"], rawback.Rate.psnr(50)),
        (["--lossless"], rawback.Rate.lossless()),
        ([], None),
    ],
)
def test_rates(
    run: Any, monkeypatch: pytest.MonkeyPatch, options: list[str], rate: rawback.Rate | None
) -> None:
    asked: list[rawback.Rate | None] = []

    def refuse(*_: object, **given: Any) -> NoReturn:
        asked.append(given["rate"])
        message = "Enough; stop here."
        raise rawback.RateUnreachable(message)

    monkeypatch.setattr(rawback, "embed", refuse)
    assert run("embed", "photo.dng", "photo.jpg", *options).status == 1
    assert asked == [rate]


def test_there_and_back_in_words(run: Any, there: Path, shot: tuple[bytes, bytes]) -> None:
    embedded = run("embed", "photo.dng", "photo.jpg", "-o", "c.jpg", "--lossless")
    assert "c.jpg: exact" in embedded.out
    restored = run("restore", "c.jpg", "-o", "again.dng")
    assert "160 x 120, every sample of the sensor as the camera gave it" in restored.out
    assert (embedded.status, restored.status) == (0, 0)
    verified = run("verify", "c.jpg", "--raw", "photo.dng")
    assert verified.status == 0
    assert "intact" in verified.out
    assert "exact" in verified.out
    stripped = run("strip", "c.jpg", "-o", "plain.jpg")
    assert stripped.status == 0
    assert (there / "plain.jpg").read_bytes() == shot[1]


def test_restore_gives_json(run: Any, carrier: str) -> None:
    done = run("restore", carrier, "--region", "10,20,100,80", "--json")
    assert done.status == 0
    assert done.document["region"] == [10, 20, 100, 80]
    assert done.document["output"] == "carrier.rawback.dng"


def test_info_in_words_and_json(run: Any, carrier: str, lossless_carrier: bytes) -> None:
    words = run("info", carrier)
    assert "160 x 120, RGGB" in words.out
    assert "header" in words.out
    document = run("info", carrier, "--json").document
    assert document == rawback.inspect(lossless_carrier).as_dict()


def test_shrink_takes_sizes_with_units(run: Any, carrier: str) -> None:
    done = run("shrink", carrier, "--size", "10KiB", "-o", "small.jpg", "--json")
    assert done.status == 0
    assert done.document["payload_bytes"] <= 10 * 1024
    assert run("verify", "small.jpg").status == 0
    assert "less" in run("shrink", carrier, "--size", "5kB", "-o", "less.jpg").out


def test_strip_gives_json(run: Any, carrier: str) -> None:
    document = run("strip", carrier, "-o", "plain.jpg", "--json").document
    assert document["output"] == "plain.jpg"
    assert document["removed_bytes"] > 0


def test_verify_succeeds_only_on_what_is_intact(run: Any, there: Path, carrier: str) -> None:
    data = bytearray((there / carrier).read_bytes())
    assert run("verify", carrier, "--json").document["status"] == "intact"
    missing = run("verify", "photo.jpg", "--json")
    assert (missing.status, missing.document["status"]) == (1, "payload missing")
    data[data.index(b"rwbk") + 600] ^= 1
    (there / carrier).write_bytes(data)
    damaged = run("verify", carrier)
    assert damaged.status == 1
    assert "payload damaged" in damaged.out


def test_in_place(run: Any, there: Path, shot: tuple[bytes, bytes]) -> None:
    done = run("embed", "photo.dng", "photo.jpg", "--in-place", "-q", "20")
    assert "photo.jpg_original" in done.out
    assert (there / "photo.jpg_original").read_bytes() == shot[1]


def test_embedding_verifies_unless_it_is_not_wanted(run: Any) -> None:
    for options in (["-q", "20"], ["--lossless"], ["-q", "20", "--sidecar"]):
        done = run("embed", "photo.dng", "photo.jpg", "--overwrite", *options)
        assert done.status == 0
        assert "read back, decoded and compared" in done.out
        hasty = run("embed", "photo.dng", "photo.jpg", "--overwrite", "--no-verify", *options)
        assert hasty.status == 0
        assert "read back" not in hasty.out
        assert ("at the worst sample" in done.out) is ("--lossless" not in options)


def test_sidecar(run: Any, there: Path, shot: tuple[bytes, bytes]) -> None:
    done = run("embed", "photo.dng", "photo.jpg", "--sidecar", "-q", "20", "--json")
    assert done.document["output"] == "photo.jpg.rawback"
    run("embed", "photo.dng", "photo.jpg", "--sidecar", "-q", "20", "-o", "x.rawback")
    assert (there / "photo.jpg").read_bytes() == shot[1]
    for sidecar in ("photo.jpg.rawback", "x.rawback"):
        assert run("verify", "photo.jpg", "--sidecar", sidecar).status == 0
        assert run("restore", "photo.jpg", "--sidecar", sidecar, "--overwrite").status == 0
        assert run("info", sidecar).status == 0


def test_quiet_prints_nothing_but_errors(run: Any, carrier: str) -> None:
    done = run("restore", carrier, "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")
    done = run("restore", carrier, "--quiet")
    assert done.status == 1
    assert "overwrite" in done.err
    assert run("verify", carrier, "--quiet", "--json").document["status"] == "intact"


def test_verbose_tells_progress_on_stderr(run: Any, carrier: str) -> None:
    done = run("restore", carrier, "-v", "--json")
    assert done.document["exact"] is True
    assert "100%" in done.err
    assert len(done.err.splitlines()) >= 3


def test_salvage(run: Any, there: Path, carrier: str) -> None:
    jpeg = (there / carrier).read_bytes()
    packed = container.extract_payload(jpeg)
    (there / carrier).write_bytes(container.embed_payload(jpeg, packed[:-20]))
    assert run("restore", carrier).status == 1
    done = run("restore", carrier, "--salvage")
    assert done.status == 0
    assert "before the damage" in done.out


def test_the_raw_file_itself_there_and_back(
    run: Any, there: Path, shot: tuple[bytes, bytes]
) -> None:
    done = run("embed", "photo.dng", "photo.jpg", "--original")
    assert done.status == 0
    assert f"with the raw file itself (photo.dng, {len(shot[0]):,} bytes, uncompressed" in done.out
    assert "raw file  photo.dng" in run("info", "photo.rawback.jpg").out
    (there / "photo.dng").unlink()
    done = run("restore", "photo.rawback.jpg", "--original")
    assert (done.status, (there / "photo.dng").read_bytes()) == (0, shot[0])
    assert done.out.startswith(f"photo.dng: the raw file as it was, {len(shot[0]):,} bytes")
    done = run("restore", "photo.rawback.jpg", "--original", "--json")
    assert done.document["error"]["type"] == "OutputRefused"


def test_without_it_info_says_so(run: Any, carrier: str) -> None:
    assert "raw file  not kept; a DNG is restored" in run("info", carrier).out
    assert run("info", carrier, "--json").document["raw_file"] is None
    done = run("restore", carrier, "--original", "--json")
    assert done.document["error"]["type"] == "OriginalUnavailable"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("embed photo.dng photo.jpg --original -q 60", "needs all samples"),
        ("restore carrier.jpg --original --region 0,0,8,8", "whole file"),
        ("restore carrier.jpg --original --salvage", "whole file"),
        ("restore carrier.jpg carrier.jpg --original", "one carrier"),
    ],
)
def test_the_whole_file_or_nothing(run: Any, carrier: str, arguments: str, why: str) -> None:
    done = run(*arguments.split(), "--json")
    assert done.status == 2
    assert why in done.document["error"]["message"]


def test_times_are_kept_where_that_is_asked_for(run: Any, there: Path, carrier: str) -> None:
    long_ago = 1_100_000_000
    os.utime(there / carrier, (long_ago, long_ago))
    for command in ("restore", "strip", "shrink --size 3000"):
        for options in (["-o", "new"], ["-o", "old", "--keep-times"]):
            assert run(*command.split(), carrier, *options, "--overwrite").status == 0
        assert (there / "old").stat().st_mtime == long_ago
        assert (there / "new").stat().st_mtime > long_ago


class TestPreview:
    @pytest.fixture
    def alone(self, there: Path) -> str:
        """A raw that holds a JPEG of half its size, as small as cameras put them in."""
        frame = rawio.read_raw(there / "photo.dng")
        with Image.open(there / "photo.jpg") as picture:
            small = io.BytesIO()
            picture.resize((frame.width // 2, frame.height // 2)).save(small, "JPEG", quality=90)
        (there / "alone.dng").write_bytes(rawio.write_dng(frame, preview_jpeg=small.getvalue()))
        return "alone.dng"

    def test_a_raw_goes_into_its_own_preview(self, run: Any, there: Path, alone: str) -> None:
        done = run("embed", alone, "--preview", "--json")
        assert done.status == 0, done.err
        assert done.document["output"] == "alone.rawback.jpg"
        assert done.document["guided"]
        with Image.open(there / "alone.rawback.jpg") as carrier:
            assert carrier.size == (80, 60)
        assert run("restore", "alone.rawback.jpg").status == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["alone.dng"], "The JPEG is missing"),
            (["alone.dng", "photo.jpg", "--preview"], "--preview does not go with a JPEG"),
            (["alone.dng", "--preview", "--in-place"], "--preview does not go with --in-place"),
        ],
    )
    def test_what_does_not_go_together(
        self, run: Any, alone: str, arguments: list[str], said: str
    ) -> None:
        done = run("embed", *arguments)
        assert done.status == 2
        assert said in done.err

    def test_a_raw_without_one(self, run: Any, there: Path) -> None:
        frame = rawio.read_raw(there / "photo.dng")
        (there / "bare.dng").write_bytes(rawio.write_dng(frame))
        done = run("embed", "bare.dng", "--preview")
        assert done.status == 1
        assert "holds no JPEG" in done.err
