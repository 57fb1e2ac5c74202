"""Pictures settle what names and times leave in doubt."""

from __future__ import annotations

import dataclasses
import io
import json
import unicodedata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import rawback
from rawback import rawio
from rawback.batch.pictures import Pictures
from rawback.cli import main
from rawback.geometry.registration import Comparison, Verdict
from rawback.metadata import Directory, Metadata
from rawback.rawio.describe import ascii_entry

from ..geometry.synthetic import mosaic, rendered, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

NOON, NEXT_DAY = "2024:05:31 12:00:00", "2024:06:01 13:37:00"
WIDTH, HEIGHT = 720, 480
FRACTION, OFFSET = 37521, 36881
NOTHING: Mapping[int, str] = MappingProxyType({})


@pytest.fixture(scope="module")
def scenes() -> Callable[[int], NDArray[np.float32]]:
    """Scenes by their number, each made once."""
    made: dict[int, NDArray[np.float32]] = {}

    def scene_of(number: int) -> NDArray[np.float32]:
        if number not in made:
            made[number] = scene(number)
        return made[number]

    return scene_of


class Library:
    """A folder of raws and JPEGs of numbered scenes; below 0 they show nothing at all."""

    def __init__(self, folder: Path, scenes: Callable[[int], NDArray[np.float32]]) -> None:
        self.folder, self._scenes = folder, scenes

    def raw(
        self,
        name: str,
        shows: int,
        second: str = "",
        *,
        preview: bool = True,
        model: str = "One",
        exif: Mapping[int, str] = NOTHING,
    ) -> Path:
        path = self._path(name)
        linear = self._linear(shows)
        texts = {36867: second, **exif}
        entries = tuple(
            ascii_entry(tag, text, Directory.EXIF) for tag, text in texts.items() if text
        )
        frame = dataclasses.replace(
            mosaic(linear), make="Maker", model=model, metadata=Metadata(entries)
        )
        thumb = self._jpeg(rendered(linear)) if preview else None
        path.write_bytes(rawio.write_dng(frame, preview_jpeg=thumb))
        return path

    def jpeg(
        self,
        name: str,
        shows: int,
        second: str = "",
        edit: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
        *,
        model: str = "One",
        exif: Mapping[int, str] = NOTHING,
    ) -> Path:
        path = self._path(name)
        pixels = rendered(self._linear(shows))
        tags = Image.Exif()
        if second:
            tags[272] = model
            tags.get_ifd(0x8769).update({36867: second, **exif})
        path.write_bytes(self._jpeg(pixels if edit is None else edit(pixels), tags))
        return path

    def pair_up(self, match: rawback.Match = "pictures") -> rawback.Pairing:
        return rawback.pair_up([self.folder], recursive=True, match=match)

    def found(self, match: rawback.Match = "pictures") -> dict[str, tuple[str, str]]:
        """Name of each JPEG to that of its raw, and what it was found by."""
        return self.names(self.pair_up(match))

    @staticmethod
    def names(pairing: rawback.Pairing) -> dict[str, tuple[str, str]]:
        return {pair.jpeg.name: (pair.raw.name, pair.basis) for pair in pairing.pairs}

    def _linear(self, shows: int) -> NDArray[np.float32]:
        if shows < 0:
            return np.full((HEIGHT, WIDTH, 3), 0.3, np.float32)
        return self._scenes(shows)

    def _path(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @staticmethod
    def _jpeg(pixels: NDArray[np.uint8], exif: Image.Exif | None = None) -> bytes:
        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            out, "JPEG", quality=90, exif=exif or Image.Exif()
        )
        return out.getvalue()


@pytest.fixture
def library(tmp_path: Path, scenes: Callable[[int], NDArray[np.float32]]) -> Library:
    return Library(tmp_path, scenes)


def test_a_clock_that_was_corrected(library: Library) -> None:
    library.raw("a.dng", 1, NOON)
    library.jpeg("a.jpg", 1, NEXT_DAY)
    assert library.found() == {"a.jpg": ("a.dng", "picture")}
    assert library.found("names") == {"a.jpg": ("a.dng", "name")}
    pairing = library.pair_up("times")
    assert pairing.pairs == ()
    assert "another time" in pairing.ambiguous[0].why


def test_another_shot_of_the_same_name(library: Library) -> None:
    library.raw("a.dng", 1, NOON)
    library.jpeg("a.jpg", 2, NEXT_DAY)
    pairing = library.pair_up()
    assert not pairing.pairs
    assert not pairing.ambiguous
    assert pairing.reasons == {
        library.folder / "a.jpg": "a.dng has its name, and shows another shot.",
        library.folder / "a.dng": "No JPEG goes with it.",
    }


def test_times_that_differ_and_pictures_that_tell_nothing(library: Library) -> None:
    library.raw("a.dng", -1, NOON)
    library.jpeg("a.jpg", -1, NEXT_DAY)
    pairing = library.pair_up()
    assert pairing.pairs == ()
    assert "another time" in pairing.ambiguous[0].why


@pytest.mark.parametrize("preview", [True, False])
def test_a_name_that_was_made_out(library: Library, preview: bool) -> None:
    """Where a raw has no preview, its mosaic is looked at."""
    library.raw("a.dng", 1, preview=preview)
    library.jpeg("a-Edit.jpg", 1)
    library.jpeg("a (1).jpg", 2)
    library.jpeg("a_01.jpg", -1)
    pairing = library.pair_up()
    # Where the picture shows too little, what the name says holds.
    expected = {"a-Edit.jpg": ("a.dng", "picture"), "a_01.jpg": ("a.dng", "name")}
    assert library.names(pairing) == expected
    why = pairing.reasons[library.folder / "a (1).jpg"]
    assert why == "a.dng has its name, and shows another shot."
    assert set(library.found("times")) == {"a-Edit.jpg", "a (1).jpg", "a_01.jpg"}


def test_a_crop_that_small_pictures_do_not_show(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.raw("a.dng", 1, NOON)
    for name, shows in (("a-Edit.jpg", 1), ("a (1).jpg", 2)):
        library.jpeg(name, shows)
    other = Comparison(Verdict.OTHER, 0.0)
    monkeypatch.setattr(Pictures, "compare", lambda *_: other)
    assert library.found() == {"a-Edit.jpg": ("a.dng", "picture")}
    # Where the time speaks against it as well, that is enough.
    library.jpeg("a-Edit.jpg", 1, NEXT_DAY)
    assert library.found() == {}


def test_one_of_several_of_the_same_name(library: Library) -> None:
    for number, folder in enumerate(("100", "101", "102")):
        library.raw(f"{folder}/a.dng", number)
    jpeg = library.jpeg("out/a.jpg", 1)
    pair = rawback.Pair(library.folder / "101" / "a.dng", jpeg)
    assert library.pair_up().pairs == (pair,)
    assert len(library.pair_up("times").ambiguous[0].raws) == 3


def test_a_burst_without_fractions(library: Library) -> None:
    for number in range(3):
        library.raw(f"{number}.dng", number, NOON)
    library.jpeg("holiday.jpg", 2, NOON)
    assert library.found() == {"holiday.jpg": ("2.dng", "picture")}
    # The shot itself may not be here.
    library.jpeg("holiday.jpg", 5, NOON)
    (item,) = library.pair_up().reasons.items() - {
        (library.folder / f"{n}.dng", "No JPEG goes with it.") for n in range(3)
    }
    assert item[1] == "0.dng, 1.dng, 2.dng have its time, and show other shots."


def test_renamed_and_stripped(library: Library) -> None:
    """No name, no time: all raws are looked at; crops, turned and black-and-white ones too."""
    for number in range(4):
        library.raw(f"{number}.dng", number, NOON)
    edits: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        "whole": lambda pixels: pixels,
        "turned": lambda pixels: np.rot90(pixels),
        "grey": lambda pixels: np.repeat(pixels[..., 1:2], 3, axis=2),
        "crop": lambda pixels: pixels[90:400, 150:600],
    }
    for number, (name, edit) in enumerate(edits.items()):
        library.jpeg(f"web/{name}.jpg", number, edit=edit)
    library.jpeg("web/stranger.jpg", 9)
    library.jpeg("web/nothing.jpg", -1)
    expected = {f"{name}.jpg": (f"{number}.dng", "picture") for number, name in enumerate(edits)}
    pairing = library.pair_up()
    assert library.names(pairing) == expected
    reasons = pairing.reasons
    for name in ("stranger", "nothing"):
        why = reasons[library.folder / "web" / f"{name}.jpg"]
        assert why == "No raw has its name or time, and none shows it."
    assert library.found("times") == library.found("names") == {}


def test_copies_of_one_raw_are_one(library: Library) -> None:
    raw = library.raw("card/a.dng", 1)
    copy = library.folder / "backup" / "a.dng"
    copy.parent.mkdir()
    copy.write_bytes(raw.read_bytes())
    library.jpeg("out/a.jpg", 1)
    pairing = library.pair_up()
    assert [pair.raw for pair in pairing.pairs] == [copy]
    assert pairing.reasons == {raw: f"It is a copy of {copy}."}


def test_two_raws_that_look_alike_are_ambiguous(library: Library) -> None:
    """A raw and its conversion to DNG, say: which of them is wanted, nobody knows."""
    library.raw("a.dng", 1)
    library.raw("a.nef", 1, NOON)
    library.jpeg("a.jpg", 1)
    (item,) = library.pair_up().ambiguous
    assert [raw.name for raw in item.raws] == ["a.dng", "a.nef"]
    assert "look like it" in item.why


@pytest.mark.parametrize("broken", ["a.dng", "a.jpg"])
def test_a_read_error_is_not_taken_for_an_empty_file(
    library: Library, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.raw("a.dng", 1, NOON)
    library.jpeg("a.jpg", 1, NEXT_DAY)
    opened = type(library.folder).open

    def fail(path: Path, *arguments: object, **options: object) -> object:
        if path.name == broken:
            raise OSError(5, "Input/output error")
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(type(library.folder), "open", fail)
    for match in ("pictures", "times"):
        pairing = library.pair_up(match)
        assert pairing.pairs == ()
        (item,) = pairing.ambiguous
        assert item.jpeg.name == "a.jpg"
        assert f"{broken} cannot be read (Input/output error)" in item.why
    # Names alone ask nothing of the files.
    assert library.found("names") == {"a.jpg": ("a.dng", "name")}


def test_progress_goes_up_and_can_stop_it(library: Library) -> None:
    for number in range(3):
        library.raw(f"{number}.dng", number)
        library.jpeg(f"x{number}.jpg", number)
    told: list[tuple[str, float]] = []
    rawback.pair_up([library.folder], progress=lambda *word: told.append(word))
    for stage in dict.fromkeys(stage for stage, _ in told):
        fractions = [fraction for name, fraction in told if name == stage]
        assert fractions == sorted(fractions)
        assert 0 <= fractions[0] <= fractions[-1] < 1
    assert len({stage for stage, _ in told}) == 2

    def stop(stage: str, fraction: float) -> None:
        message = f"{stage}, {fraction}"
        raise rawback.Cancelled(message)

    with pytest.raises(rawback.Cancelled):
        rawback.pair_up([library.folder], progress=stop)


def test_what_cannot_be_looked_at_is_unclear(library: Library, tmp_path: Path) -> None:
    raw, jpeg = library.raw("a.dng", 1), library.jpeg("a.jpg", 1)
    pictures = Pictures()
    assert pictures.compare(raw, jpeg).verdict is Verdict.SAME
    for name, data in (("cut", raw.read_bytes()[:3000]), ("none", b""), ("text", b"x" * 999)):
        broken = tmp_path / name
        broken.write_bytes(data)
        assert Pictures().compare(broken, jpeg).verdict is Verdict.UNCLEAR
        assert Pictures().compare(raw, broken).verdict is Verdict.UNCLEAR
    assert Pictures().compare(raw, tmp_path / "missing").verdict is Verdict.UNCLEAR


def test_unknown_ways_to_match(library: Library) -> None:
    with pytest.raises(ValueError, match="names, times, pictures"):
        library.pair_up("guess")  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.usefixtures("serial")
def test_a_folder_full_of_traps(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    """What phones, converters, clocks and file systems do to names and times, all at once."""
    phone = "PXL_20240531_120000000.RAW-0"
    library.raw(f"{phone}2.ORIGINAL.dng", 0, NOON, exif={FRACTION: "991"})
    library.jpeg(f"{phone}1.COVER.jpg", 0, NOON[:-1] + "1", exif={FRACTION: "164"})
    library.raw("GOPR0001.dng", 1, NOON)
    library.jpeg("GOPR0001.JPG", 1, NOON[:-1] + "2")
    library.raw(unicodedata.normalize("NFD", "Käse.dng"), 2)
    library.jpeg(unicodedata.normalize("NFC", "Käse.jpg"), 2)
    library.raw("zone.dng", 3, NOON, exif={OFFSET: "+02:00"})
    library.jpeg("zone.jpg", 3, "2024:05:31 10:00:00", exif={OFFSET: "+00:00"})
    library.raw("model.dng", 4, NOON, model="Maker M1")
    library.jpeg("model.jpg", 4, NOON, model="m1")
    library.raw("IMG_1.dng", 5, NOON)
    library.jpeg("IMG_1.jpg", 6, NEXT_DAY)
    library.raw("IMG_2.dng", 7)
    for ending in ("jpg", "JPG", "jpeg"):
        library.jpeg(f"IMG_2.{ending}", 7)
    left = {"IMG_1.dng", "IMG_1.jpg"}
    there = {path.name for path in library.folder.iterdir()}
    assert main(["batch", str(library.folder), "-q", "5", "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["total"], report["done"], report["failures"]) == (8, 8, [])
    assert {Path(item["file"]).name: item["why"] for item in report["unmatched"]} == {
        "IMG_1.jpg": "IMG_1.dng has its name, and shows another shot.",
        "IMG_1.dng": "No JPEG goes with it.",
    }
    made = {path for path in library.folder.glob("*.rawback.jpg") if rawback.verify(path).intact}
    assert len(made) == 8
    stems = {path.name.removesuffix(".rawback.jpg") for path in made}
    jpegs = {name for name in there - left if name.lower().endswith(("jpg", "jpeg"))}
    assert stems == {name.rpartition(".")[0] for name in jpegs - {"IMG_2.JPG", "IMG_2.jpeg"}} | {
        "IMG_2.JPG",
        "IMG_2.jpeg",
    }
