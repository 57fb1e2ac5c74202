# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with a carrier: verify, shrink, strip, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rawback
from rawback_gui.models.texts import bytes_text, psnr_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from pathlib import Path

    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.saving import Saving
    from rawback_gui.controllers.workers import Job

__all__ = ["Carriers"]


class Carriers:
    """Verbs of an open carrier."""

    def __init__(self, saving: Saving) -> None:
        """Use the thread that writes files."""
        self._saving = saving

    def verify(self, document: Document) -> None:
        """Check the payload, against the raw where that is open too."""
        carrier, raw = document.pair.jpeg, document.pair.raw
        if carrier is None:
            return

        def work(job: Job) -> tuple[str, Path | None]:
            found = rawback.verify(carrier, raw=raw, progress=self._saving.reporter(job))
            text = f"{carrier.name}: {found.detail}"
            if found.psnr_db is not None:
                same = tr("equals the raw sample for sample")
                text += " " + tr("Against the raw: {}.").format(
                    same if found.exact else psnr_text(found.psnr_db)
                )
            return text, None

        self._saving.run(tr("Verifying"), work)

    def shrink(self, document: Document, size: int, output: Path, *, overwrite: bool) -> None:
        """Write a copy whose payload takes at most so many bytes."""
        carrier = document.pair.jpeg
        if carrier is None:
            return

        def work(_job: Job) -> tuple[str, Path | None]:
            found = rawback.shrink(carrier, size, output, overwrite=overwrite)
            text = tr("Saved {} with {} of raw in it, {} less than before.")
            left, removed = bytes_text(found.payload_bytes), bytes_text(found.removed_bytes)
            return text.format(output.name, left, removed), output

        self._saving.run(tr("Shrinking"), work)

    def strip(self, document: Document, output: Path, *, overwrite: bool) -> None:
        """Write the JPEG as it was before."""
        carrier = document.pair.jpeg
        if carrier is None:
            return

        def work(_job: Job) -> tuple[str, Path | None]:
            found = rawback.strip(carrier, output, overwrite=overwrite)
            text = tr("Saved {} as it was, {} smaller.")
            return text.format(output.name, bytes_text(found.removed_bytes)), output

        self._saving.run(tr("Taking the raw out"), work)

    def export_dng(
        self, document: Document, output: Path, *, overwrite: bool, grain: bool = False
    ) -> None:
        """Write the raw as a DNG.

        Args:
            document: A carrier that is alone.
            output: The DNG.
            overwrite: Whether it may replace a file.
            grain: Give back noise where the payload is too coarse to tell of it.
        """
        carrier = document.pair.jpeg
        if carrier is None:
            return

        def work(job: Job) -> tuple[str, Path | None]:
            progress = self._saving.reporter(job)
            found = rawback.restore(
                carrier, output, grain=grain, overwrite=overwrite, progress=progress
            )
            text = tr("Saved {}.")
            if found.exact:
                text = tr("Saved {}, sample for sample the raw.")
            elif grain and found.grain:
                text = tr("Saved {} with grain where the payload holds no noise.")
            elif grain:
                text = tr("Saved {}; its payload holds the noise itself, so no grain was added.")
            return text.format(output.name), output

        self._saving.run(tr("Restoring"), work)

    def export_original(self, document: Document, output: Path, *, overwrite: bool) -> None:
        """Write the raw file itself, as it was embedded."""
        carrier = document.pair.jpeg
        if carrier is None:
            return

        def work(job: Job) -> tuple[str, Path | None]:
            progress = self._saving.reporter(job)
            rawback.restore(carrier, output, original=True, overwrite=overwrite, progress=progress)
            return tr("Saved {}, byte for byte the raw file.").format(output.name), output

        self._saving.run(tr("Restoring"), work)
