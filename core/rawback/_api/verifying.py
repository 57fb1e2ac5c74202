"""Read back what was written, and compare it with what was meant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Self

import numpy as np

from rawback import bitstream
from rawback._api.metadata import dng_frame
from rawback._api.original import original_recipe, raw_file_info, rebuilt
from rawback._api.packaging import open_packed
from rawback.common.header_fields import samples_digest
from rawback.errors import Cancelled, RawbackError, VerificationFailed
from rawback.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from rawback._api.progress import Job
    from rawback.jpegio import DecodedJpeg
    from rawback.metadata import Metadata
    from rawback.types import RawFrame

__all__ = ["Expected"]

_OF_EMBEDDING = (0.8, 0.99)
"""Where verifying begins and ends as a part of embedding."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a carrier, or a detached payload, has to give back.

    Of the samples there is only a digest, so that what coded them can be let go of before they are
    decoded.

    Attributes:
        jpeg: The JPEG without a payload.
        decoded: The same, decoded. A carrier whose bytes without the payload are these need not be
            decoded again; that its pixels are those that the payload was made for is checked.
        samples: SHA-256 of all samples that the encoder says the payload restores, with their
            arrangement.
        metadata: What the restored raw says about itself.
        raw_sha256: SHA-256 of the raw file that it gives back; None if it gives back none.
    """

    jpeg: bytes
    decoded: DecodedJpeg
    samples: bytes
    metadata: Metadata
    raw_sha256: str | None = None

    @classmethod
    def of(
        cls,
        jpeg: bytes,
        decoded: DecodedJpeg,
        frame: RawFrame,
        raw_sha256: str | None,
        mosaic: bytes | None = None,
    ) -> Self:
        """Of the raw that the encoder says the payload restores.

        Args:
            jpeg: As the attribute.
            decoded: As the attribute.
            frame: The raw.
            raw_sha256: As the attribute.
            mosaic: The `samples_digest` of its visible part, if it is known.
        """
        return cls(jpeg, decoded, _digest(frame, mosaic), frame.metadata, raw_sha256)

    def check_file(
        self, path: Path, *, job: Job, span: tuple[float, float] = _OF_EMBEDDING
    ) -> None:
        """`check` what a file holds."""
        self.check(read_file(path), job=job, span=span)

    def check(self, data: bytes, *, job: Job, span: tuple[float, float] = _OF_EMBEDDING) -> None:
        """Decode a carrier's bytes, or those of a detached payload, and compare.

        Args:
            data: The bytes.
            job: Is told how far this is.
            span: The part of the job that this is, 0 to 1.

        Raises:
            VerificationFailed: They do not give back the JPEG, the raw and the raw file.
        """
        from rawback import decoder

        job.at("Verifying", span[0])
        try:
            packed = open_packed(data)
            payload = bitstream.unpack(packed.data)
            frame = decoder.decode(payload, self.decoded, progress=job.part(*span))
            frame = dng_frame(frame, payload, self.decoded)
            recipe = original_recipe(payload)
            if recipe is not None:
                rebuilt(recipe, frame)  # which checks the file's SHA-256
            raw_file = raw_file_info(payload)
        except Cancelled:
            raise
        except RawbackError as error:
            _fail(f"it does not read back: {error}")
        if packed.file is not None and packed.file.bare != self.jpeg:
            _fail("the JPEG in it has changed")
        if _digest(frame) != self.samples:
            _fail("other samples come back")
        if frame.metadata != self.metadata:
            _fail("other metadata come back")
        if (None if raw_file is None else raw_file.sha256) != self.raw_sha256:
            _fail("another raw file comes back")


def _digest(frame: RawFrame, mosaic: bytes | None = None) -> bytes:
    """Of all samples; `mosaic` is the `samples_digest` of the visible ones, if it is known."""
    if frame.border is None:
        content = mosaic or samples_digest(frame)
    else:
        whole = frame.whole_mosaic if frame.floats is None else frame.whole_numbers
        content = hashlib.sha256(np.ascontiguousarray(whole).data).digest()
    return hashlib.sha256(f"{frame.cfa.shape} {frame.pattern}".encode() + content).digest()


def _fail(what: str) -> NoReturn:
    message = (
        f"What was written is not what was meant ({what}), so it was thrown away; run it again, "
        "and check this machine's memory and disk."
    )
    raise VerificationFailed(message)
