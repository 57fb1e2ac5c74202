"""The raw file itself goes into its JPEG and comes back: the same bytes, under the same name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import rawback
from rawback import bitstream, container, rawio
from rawback.original import read_recipe
from rawback.original.recipe import write_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from rawback._api.original import KeepOriginal

Shot = tuple[bytes, bytes]
COARSE = rawback.Rate.quality(30)


@pytest.fixture(scope="module")
def kept(shot: Shot) -> bytes:
    """The small shot's JPEG with all of its raw, and what gives back the file."""
    return rawback.embed_bytes(*shot, original=True)[0]


def recipe_in(carrier: bytes) -> bytes:
    payload = bitstream.unpack(container.extract_payload(carrier))
    assert payload.sections[-1].kind == bitstream.SectionKind.ORIGINAL
    return payload.sections[-1].data


def with_recipe(carrier: bytes, recipe: bytes) -> bytes:
    """A carrier whose payload holds another recipe; its checksums hold."""
    payload = bitstream.unpack(container.extract_payload(carrier))
    section = replace(payload.sections[-1], data=recipe)
    packed = bitstream.pack(replace(payload, sections=(*payload.sections[:-1], section)))
    return container.embed_payload(container.remove_payload(carrier), packed)


def test_the_file_comes_back_under_its_own_name(shot: Shot, shot_folder: Path) -> None:
    result = rawback.embed(
        shot_folder / "photo.dng", shot_folder / "photo.jpg", original=True, verify=True
    )
    assert result.exact
    assert result.verified
    (shot_folder / "photo.dng").unlink()
    restored = rawback.restore(shot_folder / "photo.rawback.jpg", original=True)
    assert restored.output == shot_folder / "photo.dng"
    assert restored.output.read_bytes() == shot[0]
    for raw_file in (result.raw_file, restored.raw_file):
        assert raw_file is not None
        assert (raw_file.name, raw_file.size) == ("photo.dng", len(shot[0]))
        assert raw_file.sha256 == hashlib.sha256(shot[0]).hexdigest()
        assert raw_file.encoding == "uncompressed"
        assert raw_file.bytes < 1500


def test_it_never_replaces_the_raw_that_is_still_there(shot_folder: Path, kept: bytes) -> None:
    recipe = read_recipe(recipe_in(kept))
    named = write_recipe(replace(recipe, head=replace(recipe.head, name="photo.dng")))
    carrier = shot_folder / "carrier.jpg"
    carrier.write_bytes(with_recipe(kept, named))
    before = (shot_folder / "photo.dng").read_bytes()
    (shot_folder / "photo.dng").write_bytes(b"precious")
    with pytest.raises(rawback.OutputRefused, match="exists already"):
        rawback.restore(carrier, original=True)
    assert (shot_folder / "photo.dng").read_bytes() == b"precious"
    rawback.restore(carrier, original=True, overwrite=True)
    assert (shot_folder / "photo.dng").read_bytes() == before
    elsewhere = rawback.restore(carrier, shot_folder / "other.bin", original=True)
    assert elsewhere.output is not None
    assert elsewhere.output.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        *("../photo.dng", "/etc/photo.dng", "..\\photo.dng", "C:photo.dng", "a\nb.dng"),
        *("photo.exe", ".bashrc", "photo", "", "aux.dng", "photo.dng.", " photo.dng", "...dng"),
    ],
)
def test_a_name_that_no_raw_has_is_not_taken(tmp_path: Path, kept: bytes, name: str) -> None:
    recipe = read_recipe(recipe_in(kept))
    carrier = tmp_path / "IMG_1.rawback.jpg"
    hostile = write_recipe(replace(recipe, head=replace(recipe.head, name=name)))
    carrier.write_bytes(with_recipe(kept, hostile))
    assert rawback.restore(carrier, original=True).output == tmp_path / "IMG_1.original"


def test_lossless_jpeg_comes_back_too(shot: Shot) -> None:
    raw = rawio.write_dng(rawio.read_raw(shot[0]), compression="ljpeg")
    carrier, result = rawback.embed_bytes(raw, shot[1], original=True, verify=True)
    assert result.raw_file is not None
    assert result.raw_file.encoding == "lossless JPEG"
    assert rawback.restore_bytes(carrier, original=True)[0] == raw


def test_what_cannot_be_made_again_is_refused_or_stored(
    shot: Shot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # LibRaw reads these, and nobody else does.
    read = rawio.read_raw
    odd = b"a maker's own kind of raw " + shot[0][::-1]
    monkeypatch.setattr(rawio, "read_raw", lambda _: read(shot[0]))
    with pytest.raises(rawback.OriginalUnavailable, match="--store-original"):
        rawback.embed_bytes(odd, shot[1], original=True)
    for rate in (None, COARSE):
        carrier, result = rawback.embed_bytes(
            odd, shot[1], rate=rate, original="store", verify=True
        )
        assert result.raw_file is not None
        assert result.raw_file.encoding == "stored whole"
        assert result.exact is (rate is None)
        assert rawback.restore_bytes(carrier, original=True)[0] == odd


def test_storing_takes_the_recipe_where_there_is_one(shot: Shot) -> None:
    _, result = rawback.embed_bytes(*shot, original="store")
    assert result.raw_file is not None
    assert result.raw_file.encoding == "uncompressed"


def test_a_file_stored_whole_needs_neither_pixels_nor_samples(shot: Shot) -> None:
    carrier, _ = rawback.embed_bytes(*shot, rate=COARSE, original="store")
    payload = container.extract_payload(carrier)
    # Another JPEG: the payload goes with none of its pixels.
    assert (
        rawback.restore_bytes(shot[1], sidecar=container.wrap(payload), original=True)[0]
        == (shot[0])
    )


@pytest.mark.parametrize("original", [True, "store"])
def test_lossy_rates_go_with_storing_only(shot: Shot, original: KeepOriginal) -> None:
    if original == "store":
        size = rawback.Rate.size(60_000)
        _, result = rawback.embed_bytes(*shot, rate=size, original=original)
        assert result.payload_bytes <= 60_000
    else:
        with pytest.raises(ValueError, match="needs all samples"):
            rawback.embed_bytes(*shot, rate=COARSE, original=original)


def test_payloads_say_whether_they_give_the_file_back(
    shot: Shot, kept: bytes, lossless_carrier: bytes
) -> None:
    info = rawback.inspect(kept)
    assert info.raw_file is not None
    assert info.raw_file.size == len(shot[0])
    assert [section.kind for section in info.sections].count("original") == 1
    assert rawback.inspect(lossless_carrier).raw_file is None
    with pytest.raises(rawback.OriginalUnavailable, match="does not keep the raw file"):
        rawback.restore_bytes(lossless_carrier, original=True)


def test_the_dng_is_the_same_with_and_without(kept: bytes, lossless_carrier: bytes) -> None:
    dng, result = rawback.restore_bytes(kept)
    assert result.exact
    assert result.raw_file is None
    assert dng == rawback.restore_bytes(lossless_carrier)[0]


def test_shrinking_gives_up_the_file_first(kept: bytes, lossless_carrier: bytes) -> None:
    size = rawback.inspect(lossless_carrier).payload_bytes
    smaller, _ = rawback.shrink_bytes(kept, size)
    assert smaller == lossless_carrier
    assert rawback.inspect(smaller).exact
    smaller, _ = rawback.shrink_bytes(kept, size - 100)
    assert not rawback.inspect(smaller).exact


def test_another_file_than_the_one_that_was_embedded_is_never_written(
    tmp_path: Path, kept: bytes
) -> None:
    recipe = read_recipe(recipe_in(kept))
    liar = write_recipe(replace(recipe, head=replace(recipe.head, digest=bytes(32))))
    carrier = tmp_path / "carrier.jpg"
    carrier.write_bytes(with_recipe(kept, liar))
    with pytest.raises(rawback.VerificationFailed, match="SHA-256"):
        rawback.restore(carrier, tmp_path / "raw.dng", original=True)
    assert list(tmp_path.iterdir()) == [carrier]


def test_an_edited_jpeg_gives_no_file_back(shot: Shot, kept: bytes) -> None:
    payload = container.extract_payload(kept)
    edited = container.embed_payload(rawback.strip_bytes(kept)[:-40] + b"\xff\xd9", payload)
    with pytest.raises(rawback.RawbackError):
        rawback.restore_bytes(edited, original=True)


@pytest.mark.parametrize("options", [{"region": (0, 0, 8, 8)}, {"salvage": True}])
def test_the_file_is_whole_or_nothing(kept: bytes, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="whole or nothing"):
        rawback.restore_bytes(kept, original=True, **options)  # type: ignore[arg-type]


def test_damage_is_told(kept: bytes) -> None:
    damaged = with_recipe(kept, recipe_in(kept)[:-1])
    assert rawback.inspect(damaged).raw_file is None
    with pytest.raises(rawback.PayloadDamaged, match="original file is damaged"):
        rawback.restore_bytes(damaged, original=True)
    assert rawback.restore_bytes(damaged)[1].exact
