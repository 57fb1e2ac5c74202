"""What a session coded, written to files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rawback._api.progress import Job, stoppable
from rawback._api.verifying import Expected
from rawback.files import check_output, replace_file, write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from rawback._api.session_results import Encoding
    from rawback.container import CarrierFile
    from rawback.files import StrPath
    from rawback.jpegio import DecodedJpeg
    from rawback.types import Progress

__all__ = ["EncodingWriter"]


class EncodingWriter:
    """Writes what was coded of a JPEG and its raw.

    Args:
        jpeg: The JPEG's bytes as they were read.
        file: The same, parsed.
        carrier: The same, decoded.
        inputs: The files that were read, which are never written over by accident.
    """

    def __init__(
        self,
        jpeg: bytes,
        file: CarrierFile,
        carrier: DecodedJpeg,
        inputs: tuple[StrPath, ...],
    ) -> None:
        self._jpeg = jpeg
        self._file = file
        self._carrier = carrier
        self._inputs = inputs

    def save(
        self,
        encoding: Encoding,
        output: StrPath,
        *,
        sidecar: bool = False,
        overwrite: bool = False,
        verify: bool = True,
        progress: Progress | None = None,
        cancel: Event | None = None,
    ) -> Path:
        """Write a carrier, or the payload alone.

        Args:
            encoding: From `encode`.
            output: The new file; never one of those that the session was opened from.
            sidecar: Write the payload as a file of its own, to lie beside the JPEG.
            overwrite: Whether it may replace a file.
            verify: As for `rawback.embed`.
            progress: Is told how far verifying is.
            cancel: Set it to stop that; nothing is written then.

        Returns:
            The path.

        Raises:
            OutputRefused: It exists, is an input, or cannot be written.
            VerificationFailed: What was written does not give back `encoding.restored`.
            Cancelled: It was stopped.
        """
        check = self._check(encoding, progress, cancel) if verify else None
        data = encoding.sidecar if sidecar else encoding.carrier
        return self._saved(data, output, overwrite=overwrite, check=check)

    def save_dng(self, encoding: Encoding, output: StrPath, *, overwrite: bool = False) -> Path:
        """Write the restored raw as a DNG; for the rest see `save`."""
        from rawback import rawio
        from rawback._api.thumbnail import preview_jpeg

        preview = preview_jpeg(self._carrier, encoding.restored.orientation)
        dng = rawio.write_dng(encoding.restored, preview_jpeg=preview, compression="ljpeg")
        return self._saved(dng, output, overwrite=overwrite)

    def save_in_place(
        self,
        encoding: Encoding,
        jpeg: StrPath,
        *,
        verify: bool = True,
        progress: Progress | None = None,
        cancel: Event | None = None,
    ) -> Path:
        """Put the payload into the JPEG itself, kept as it was as ``NAME_original``.

        Args:
            encoding: From `encode`.
            jpeg: The JPEG that the session was opened from.
            verify: As for `rawback.embed`.
            progress: As for `save`.
            cancel: As for `save`.

        Returns:
            The path of the original.

        Raises:
            OutputRefused: The JPEG has changed since, or cannot be written.
            VerificationFailed: What was written does not give back `encoding.restored`.
            Cancelled: It was stopped.
        """
        check = self._check(encoding, progress, cancel) if verify else None
        original = replace_file(jpeg, encoding.carrier, was=self._jpeg, check=check)
        # The JPEG may be given another payload later.
        self._jpeg = encoding.carrier
        return original

    def _saved(
        self,
        data: bytes,
        output: StrPath,
        *,
        overwrite: bool,
        check: Callable[[Path], None] | None = None,
    ) -> Path:
        check_output(output, overwrite=overwrite, inputs=self._inputs)
        like = self._inputs[-1] if self._inputs else None
        return write_file(output, data, overwrite=overwrite, like=like, check=check)

    def _check(
        self, encoding: Encoding, progress: Progress | None, cancel: Event | None
    ) -> Callable[[Path], None]:
        """What a file that is written of an encoding has to stand."""
        raw_file = encoding.result.raw_file
        sha256 = None if raw_file is None else raw_file.sha256
        expected = Expected.of(self._file.bare, self._carrier, encoding.restored, sha256)
        job = Job(stoppable(progress, cancel))
        return partial(expected.check_file, job=job, span=(0.0, 1.0))
