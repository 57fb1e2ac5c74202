"""Versions of the program to be compared: this one, and that of another interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import rawback
from rawback import container, decoder, jpegio, rawio
from rawback.bitstream import cut, pack, unpack
from rawback_lab.bench.speed import called

if TYPE_CHECKING:
    from pathlib import Path

    from rawback.rate import Tune
    from rawback.types import RawFrame

__all__ = ["OtherVersion", "OwnVersion", "Version"]


class Version(Protocol):
    """A program that embeds and restores."""

    def embed(self, raw: Path, jpeg: Path, carrier: Path, rate: str, value: str) -> int:
        """Make a carrier; gives what its payload takes.

        Args:
            raw: The raw.
            jpeg: The JPEG.
            carrier: Where it goes.
            rate: ``--bpp`` or ``--quality``.
            value: Its value.
        """
        ...

    def restored(self, carrier: Path, frame: RawFrame) -> RawFrame:
        """The frame that a carrier restores to, with all else as `frame` has it."""
        ...

    def cut(self, carrier: Path, size: int) -> tuple[Path, int]:
        """A carrier whose payload is cut to at most `size` bytes, and what that takes."""
        ...


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """The command line of another interpreter.

    Attributes:
        python: The interpreter.
    """

    python: str

    def embed(self, raw: Path, jpeg: Path, carrier: Path, rate: str, value: str) -> int:
        """As `Version` says."""
        options = (rate, value, "--output", str(carrier), "--overwrite")
        return int(called("embed", raw, jpeg, *options, python=self.python)["payload_bytes"])

    def restored(self, carrier: Path, frame: RawFrame) -> RawFrame:
        """As `Version` says."""
        dng = carrier.with_suffix(".dng")
        called("restore", carrier, "--output", dng, "--overwrite", python=self.python)
        return replace(frame, cfa=rawio.read_raw(dng).cfa)

    def cut(self, carrier: Path, size: int) -> tuple[Path, int]:
        """As `Version` says."""
        small = carrier.with_suffix(".cut.jpg")
        options = ("--size", str(size), "--output", small, "--overwrite")
        return small, int(called("shrink", carrier, *options, python=self.python)["payload_bytes"])


class OwnVersion:
    """This version, a shot prepared once for all its rates.

    Args:
        tune: What payloads are tuned for.
    """

    def __init__(self, tune: Tune) -> None:
        self._tune = tune
        self._prepared: tuple[Path, rawback.Session] | None = None

    def embed(self, raw: Path, jpeg: Path, carrier: Path, rate: str, value: str) -> int:
        """As `Version` says."""
        if self._prepared is None or self._prepared[0] != raw:
            self._prepared = raw, rawback.open_session(raw, jpeg, tune=self._tune)
        of = rawback.Rate.bpp if rate == "--bpp" else rawback.Rate.quality
        encoding = self._prepared[1].encode(of(float(value)))
        carrier.write_bytes(encoding.carrier)
        return encoding.result.payload_bytes

    def restored(self, carrier: Path, frame: RawFrame) -> RawFrame:
        """As `Version` says."""
        file = container.CarrierFile.parse(carrier.read_bytes())
        pixels = jpegio.decode_jpeg(file.bare)
        return replace(frame, cfa=decoder.decode(unpack(file.payload()), pixels).cfa)

    def cut(self, carrier: Path, size: int) -> tuple[Path, int]:
        """As `Version` says."""
        small = carrier.with_suffix(".cut.jpg")
        file = container.CarrierFile.parse(carrier.read_bytes())
        payload = pack(cut(unpack(file.payload()), size))
        small.write_bytes(file.with_payload(payload))
        return small, len(payload)
