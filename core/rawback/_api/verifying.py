"""Read back what was written, and compare it with what was meant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from rawback import bitstream
from rawback._api.metadata import dng_frame
from rawback._api.original import original_recipe, rebuilt
from rawback._api.packaging import open_packed
from rawback.errors import Cancelled, RawbackError, VerificationFailed
from rawback.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rawback._api.progress import Job
    from rawback.types import RawFrame

__all__ = ["Expected"]

_START, _END = 0.97, 0.99


@dataclass(frozen=True, slots=True)
class Expected:
    """What a carrier, or a detached payload, has to give back.

    Attributes:
        jpeg: The JPEG without a payload.
        frame: The raw that the encoder says the payload restores.
        raw_sha256: SHA-256 of the raw file that it gives back; None if it gives back none.
    """

    jpeg: bytes
    frame: RawFrame
    raw_sha256: str | None = None

    def check_file(self, path: Path, *, job: Job) -> None:
        """`check` what a file holds."""
        self.check(read_file(path), job=job)

    def check(self, data: bytes, *, job: Job) -> None:
        """Decode a carrier's bytes, or those of a detached payload, and compare.

        Args:
            data: The bytes.
            job: Is told how far this is.

        Raises:
            VerificationFailed: They do not give back the JPEG, the raw and the raw file.
        """
        from rawback import decoder, jpegio

        job.at("Verifying", _START)
        try:
            packed = open_packed(data)
            jpeg = self.jpeg if packed.file is None else packed.file.bare
            payload, carrier = bitstream.unpack(packed.data), jpegio.decode_jpeg(jpeg)
            frame = decoder.decode(payload, carrier, progress=job.part(_START, _END))
            frame = dng_frame(frame, payload, carrier)
            recipe = original_recipe(payload)
            raw = None if recipe is None else rebuilt(recipe, frame)
        except Cancelled:
            raise
        except RawbackError as error:
            _fail(f"it does not read back: {error}")
        if jpeg != self.jpeg:
            _fail("the JPEG in it has changed")
        if not np.array_equal(_whole(frame), _whole(self.frame)):
            _fail("other samples come back")
        if frame.metadata != self.frame.metadata:
            _fail("other metadata come back")
        if (None if raw is None else hashlib.sha256(raw).hexdigest()) != self.raw_sha256:
            _fail("another raw file comes back")


def _whole(frame: RawFrame) -> NDArray[np.uint16]:
    return frame.cfa if frame.border is None else frame.border.joined(frame.cfa)


def _fail(what: str) -> NoReturn:
    message = (
        f"What was written is not what was meant ({what}), so it was thrown away; run it again, "
        "and check this machine's memory and disk."
    )
    raise VerificationFailed(message)
