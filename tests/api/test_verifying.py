"""Success is reported only for what was read back, decoded and compared."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawback
from rawback import bitstream, container, decoder, jpegio, rawio

if TYPE_CHECKING:
    from pathlib import Path

Shot = tuple[bytes, bytes]
COARSE = rawback.Rate.quality(20)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def rotten_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that changes one bit in the middle of everything that is written to it."""
    sync = os.fsync

    def rot(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            with open(f"/proc/self/fd/{descriptor}", "r+b") as file:  # noqa: PTH123
                middle = found.st_size // 2
                file.seek(middle)
                byte = file.read(1)[0]
                file.seek(middle)
                file.write(bytes([byte ^ 1]))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", rot)


@pytest.mark.parametrize("rate", [COARSE, rawback.Rate.lossless()], ids=["lossy", "lossless"])
@pytest.mark.parametrize("sidecar", [False, True], ids=["carrier", "sidecar"])
def test_what_is_good_is_found_good(
    shot_folder: Path, rate: rawback.Rate, *, sidecar: bool
) -> None:
    told: list[str] = []
    result = rawback.embed(
        shot_folder / "photo.dng",
        shot_folder / "photo.jpg",
        rate=rate,
        sidecar=sidecar,
        progress=lambda stage, _: told.append(stage),
    )
    assert result.verified
    assert "Verifying" in told
    assert told[-1] == "Done"
    assert result.exact is (rate.kind == "lossless")
    assert (result.worst_error == 0) is result.exact


def test_the_worst_error_is_that_of_the_worst_sample(shot_folder: Path) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    result = rawback.embed(raw, jpeg, rate=COARSE, verify=False)
    assert result.output is not None
    assert not result.verified
    restored = rawback.restore(result.output).output
    assert restored is not None
    first, second = (rawio.read_raw(path).cfa.astype(int) for path in (raw, restored))
    assert result.worst_error == np.abs(first - second).max() > 0
    assert rawback.verify(result.output, raw=raw).worst_error == result.worst_error


def test_in_memory(shot: Shot) -> None:
    carrier, result = rawback.embed_bytes(*shot, rate=COARSE)
    assert result.verified
    assert rawback.verify(carrier).intact
    same, hasty = rawback.embed_bytes(*shot, rate=COARSE, verify=False)
    assert not hasty.verified
    assert same == carrier


@pytest.mark.usefixtures("rotten_disk")
@pytest.mark.parametrize("way", ["beside", "in place", "in place without a copy", "sidecar"])
def test_what_the_disk_spoils_is_thrown_away(shot_folder: Path, shot: Shot, way: str) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    in_place = way.startswith("in place")
    with pytest.raises(rawback.VerificationFailed, match="thrown away"):
        rawback.embed(
            raw,
            jpeg,
            rate=COARSE,
            in_place=in_place,
            keep_original=not way.endswith("copy"),
            sidecar=way == "sidecar",
        )
    assert (raw.read_bytes(), jpeg.read_bytes()) == shot
    assert names_in(shot_folder) == ["photo.dng", "photo.jpg"]


@pytest.mark.parametrize("rate", [COARSE, rawback.Rate.lossless()], ids=["lossy", "lossless"])
def test_a_decoder_that_gives_other_samples_is_found_out(
    shot_folder: Path, monkeypatch: pytest.MonkeyPatch, rate: rawback.Rate
) -> None:
    decode = decoder.decode

    def off_by_one(*given: Any, **named: Any) -> rawback.RawFrame:
        frame = decode(*given, **named)
        cfa = frame.cfa.copy()
        cfa[-1, -1] ^= 1
        return replace(frame, cfa=cfa)

    monkeypatch.setattr(decoder, "decode", off_by_one)
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    with pytest.raises(rawback.VerificationFailed, match="other samples"):
        rawback.embed(raw, jpeg, rate=rate)
    assert names_in(shot_folder) == ["photo.dng", "photo.jpg"]
    with pytest.raises(rawback.VerificationFailed, match="other samples"):
        rawback.embed_bytes(raw.read_bytes(), jpeg.read_bytes(), rate=rate)
    assert rawback.embed(raw, jpeg, rate=rate, verify=False).output is not None


@pytest.mark.usefixtures("rotten_disk")
@pytest.mark.parametrize("way", ["beside", "in place", "sidecar"])
def test_a_session_throws_away_what_the_disk_spoils(
    shot_folder: Path, shot: Shot, way: str
) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    session = rawback.open_session(raw, jpeg)
    encoding = session.encode(COARSE)
    save = {
        "beside": lambda: session.save(encoding, shot_folder / "carrier.jpg"),
        "in place": lambda: session.save_in_place(encoding, jpeg),
        "sidecar": lambda: session.save(encoding, shot_folder / "payload.rawback", sidecar=True),
    }
    with pytest.raises(rawback.VerificationFailed, match="thrown away"):
        save[way]()
    assert (raw.read_bytes(), jpeg.read_bytes()) == shot
    assert names_in(shot_folder) == ["photo.dng", "photo.jpg"]
    spoilt = session.save(encoding, shot_folder / "carrier.jpg", verify=False)
    assert spoilt.read_bytes() != encoding.carrier


def test_the_jpeg_is_decoded_once(shot: Shot, monkeypatch: pytest.MonkeyPatch) -> None:
    decode, decoded = jpegio.decode_jpeg, []

    def counted(data: bytes) -> Any:
        decoded.append(data)
        return decode(data)

    monkeypatch.setattr(jpegio, "decode_jpeg", counted)
    assert rawback.embed_bytes(*shot, rate=COARSE)[1].verified
    assert decoded == [shot[1]]


@pytest.mark.parametrize("keep", [True, False])
def test_a_jpeg_that_changes_meanwhile_is_not_overwritten(
    shot_folder: Path, shot: Shot, *, keep: bool
) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    edited = shot[1] + b"edited"

    def edit(stage: str, _: float) -> None:
        if stage == "Measuring":
            jpeg.write_bytes(edited)

    with pytest.raises(rawback.OutputRefused, match="changed since"):
        rawback.embed(raw, jpeg, rate=COARSE, in_place=True, keep_original=keep, progress=edit)
    assert jpeg.read_bytes() == edited
    assert names_in(shot_folder) == ["photo.dng", "photo.jpg"]


def test_verify_says_of_a_payload_what_restore_says(shot: Shot) -> None:
    """One that is whole, but was coded with other tables."""
    carrier, _ = rawback.embed_bytes(*shot, rate=COARSE)
    payload = bitstream.unpack(container.extract_payload(carrier))
    header = replace(payload.header, tables=bytes(8))
    other = container.embed_payload(carrier, bitstream.pack(replace(payload, header=header)))
    for verb in (rawback.verify, rawback.restore_bytes):
        with pytest.raises(rawback.PayloadTooNew, match="update it"):
            verb(other)
