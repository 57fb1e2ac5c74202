# SPDX-License-Identifier: GPL-3.0-or-later
"""What people choose about payloads besides their rate, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from rawback import MetadataChoice, Tune

__all__ = ["METADATA", "TUNES", "metadata_meaning", "metadata_name", "tune_meaning", "tune_name"]

METADATA: tuple[MetadataChoice, ...] = ("auto", "all", "rendering")
TUNES: tuple[Tune, ...] = ("visual", "psnr")


def metadata_name(choice: MetadataChoice) -> str:
    """What to call a choice of the raw's metadata."""
    return {
        "auto": tr("Automatic"),
        "all": tr("Keep all"),
        "rendering": tr("Leave out"),
    }[choice]


def metadata_meaning(choice: MetadataChoice) -> str:
    """One line about who can read what afterwards."""
    return {
        "auto": tr(
            "If lossless, names, places, times and serial numbers are stored; else the payload "
            "adds nothing to what the JPEG tells."
        ),
        "all": tr("Names, places, times and serial numbers are stored, for whoever gets the file."),
        "rendering": tr(
            "The payload tells nothing of who, where and when; what the JPEG tells stays in it."
        ),
    }[choice]


def tune_name(tune: Tune) -> str:
    """What errors are made small for."""
    return {"visual": tr("The eye"), "psnr": tr("Raw PSNR")}[tune]


def tune_meaning(tune: Tune) -> str:
    """The same in a sentence."""
    return {
        "visual": tr("Errors that eyes see first are made smallest."),
        "psnr": tr("For comparisons by raw PSNR: all errors count alike."),
    }[tune]
