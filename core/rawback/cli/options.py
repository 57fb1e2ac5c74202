"""Options and arguments, and what their values look like."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    import rawback
    from rawback._api.original import KeepOriginal as KeepOriginalWay

__all__ = [
    "AsJson",
    "Bpp",
    "CarrierFile",
    "Carriers",
    "Cluster",
    "Compress",
    "DemoFolder",
    "DryRun",
    "Folder",
    "Force",
    "Grain",
    "InPlace",
    "Jobs",
    "Journal",
    "JpegFile",
    "JsonLines",
    "KeepOriginal",
    "KeepTimes",
    "Lossless",
    "Matching",
    "NeededOutput",
    "NeededSize",
    "Original",
    "Output",
    "OutputOrFolder",
    "Overwrite",
    "Preview",
    "Psnr",
    "Quality",
    "Quiet",
    "RawFile",
    "RawToCompare",
    "Recursive",
    "Region",
    "Salvage",
    "Sidecar",
    "SidecarFile",
    "Size",
    "Sources",
    "StoreOriginal",
    "Tuning",
    "Unguided",
    "UsageError",
    "Verbose",
    "Verify",
    "keep_original",
    "parse_jobs",
    "parse_match",
    "parse_region",
    "parse_size",
    "parse_tune",
]

_SIZE = re.compile(r"(\d+|\d*\.\d+)\s*(?:([kMG])(i)?)?B?", re.IGNORECASE | re.ASCII)
_LARGEST = 1 << 32
_MATCHES = ("names", "times", "pictures")
_METADATA = ("auto", "all", "rendering")
_TUNES = ("visual", "psnr")


class UsageError(typer.BadParameter):
    """Options that do not go together, or a value that makes no sense."""

    def format_message(self) -> str:
        """The message alone: it is not about one parameter."""
        return self.message


def parse_size(text: str) -> int:
    """Bytes: ``200000``, ``200kB``, ``1.5MB`` (powers of 1000), ``200KiB`` (of 1024).

    Raises:
        BadParameter: The text is not a size, or not one from 1 byte to 4 GiB.
    """
    match = _SIZE.fullmatch(text.strip())
    if match:
        number, prefix, binary = match.groups()
        power = " kmg".index((prefix or " ").lower())
        size = int(float(number) * (1024 if binary else 1000) ** power)
        if 1 <= size <= _LARGEST:
            return size
    message = f"{text!r} is not a size; give bytes, or a size such as 200kB, 1.5MB or 200KiB."
    raise typer.BadParameter(message)


def parse_region(text: str) -> tuple[int, int, int, int]:
    """Left, top, width and height, separated by commas.

    Raises:
        UsageError: The text is anything else.
    """
    try:
        left, top, width, height = (int(number) for number in text.split(","))
    except ValueError:
        message = f"{text!r} is not a region; give X,Y,WIDTH,HEIGHT in raw pixels."
        raise UsageError(message) from None
    if min(left, top) < 0 or min(width, height) < 1:
        message = f"{text!r} is not a region; X and Y are at least 0, WIDTH and HEIGHT at least 1."
        raise UsageError(message)
    return left, top, width, height


def parse_jobs(text: str) -> int:
    """How many workers: a number from 1, or ``all``, which is 0 here.

    Raises:
        BadParameter: The text is anything else.
    """
    if text == "all":
        return 0
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    message = f"{text!r} is not a number of workers; give a number from 1, or all."
    raise typer.BadParameter(message)


def parse_tune(text: str) -> str:
    """What errors are to be small for."""
    if text not in _TUNES:
        message = f"{text!r} is nothing to tune for; give {' or '.join(_TUNES)}."
        raise UsageError(message)
    return text


def parse_match(text: str) -> str:
    """What decides which raw goes with a JPEG: ``names``, ``times`` or ``pictures``.

    Raises:
        BadParameter: The text is anything else.
    """
    if text in _MATCHES:
        return text
    message = f"{text!r} does not say what to match by; give names, times or pictures."
    raise typer.BadParameter(message)


def parse_metadata(text: str) -> str:
    """What a payload tells besides samples: ``auto``, ``all`` or ``rendering``.

    Raises:
        BadParameter: The text is anything else.
    """
    if text in _METADATA:
        return text
    message = f"{text!r} does not say what to tell; give auto, all or rendering."
    raise typer.BadParameter(message)


def keep_original(
    original: bool, store_original: bool, rate: rawback.Rate | None
) -> KeepOriginalWay:
    """What `rawback.embed` is asked for by two options.

    Raises:
        UsageError: A lossy rate does not go with them.
    """
    if original and not store_original and rate is not None and not rate.is_lossless:
        message = "--original needs all samples; leave the rate out, or take --store-original."
        raise UsageError(message)
    return "store" if store_original else original


RawFile: TypeAlias = Annotated[
    Path, typer.Argument(metavar="RAW", show_default=False, help="The camera's raw file.")
]
JpegFile: TypeAlias = Annotated[
    Path | None,
    typer.Argument(metavar="[JPEG]", show_default=False, help="A JPEG made from it."),
]
CarrierFile: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="CARRIER", show_default=False, help="A JPEG that carries its raw."),
]
Carriers: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="CARRIER...",
        show_default=False,
        help="JPEGs that carry their raws, or folders of them.",
    ),
]
Sources: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="SRC...",
        show_default=False,
        help="Raws and their JPEGs, or folders of them; URLs as well.",
    ),
]
Folder: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="DIR", help="The folder to write to, instead of beside each JPEG."
    ),
]
Jobs: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        parser=parse_jobs,
        metavar="N",
        help="Worker processes; by default as many as there are cores, never more than memory "
        "allows.",
    ),
]
Recursive: TypeAlias = Annotated[
    bool, typer.Option("--recursive", "-r", help="Search subfolders as well.")
]
JsonLines: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Append a line of JSON for each file to FILE; - is stdout."),
]
Journal: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The file that records what is done; in the output folder by default."
    ),
]
Cluster: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Let the workers of a Dask scheduler do it: tcp://HOST:8786."),
]
Matching: TypeAlias = Annotated[
    str,
    typer.Option(
        "--match",
        parser=parse_match,
        metavar="|".join(_MATCHES),
        help="How raws and JPEGs are paired: by names; by names and times; or by these, and by "
        "what the pictures show where they leave doubt.",
    ),
]
DryRun: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Only list which raw goes with which JPEG, and what is left over."
    ),
]
DemoFolder: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DIR", help="Where to put the results; made if needed.")
]
Output: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="OUT", help="The file to write.")
]
OutputOrFolder: TypeAlias = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="OUT", help="The file to write, or the folder."),
]
NeededOutput: TypeAlias = Annotated[
    Path, typer.Option("--output", "-o", metavar="OUT", help="The file to write.")
]
Size: TypeAlias = Annotated[
    int | None,
    typer.Option(parser=parse_size, metavar="SIZE", help="At most so many bytes: 200kB, 1.5MB."),
]
NeededSize: TypeAlias = Annotated[
    int,
    typer.Option(parser=parse_size, metavar="SIZE", help="At most so many bytes: 200kB, 1.5MB."),
]
Bpp: TypeAlias = Annotated[
    float | None, typer.Option(metavar="X", min=1e-6, help="At most so many bits per raw pixel.")
]
Quality: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--quality",
        "-q",
        metavar="N",
        min=0,
        max=100,
        help="From 0, the smallest, to 100, the finest; 60 by default.",
    ),
]
Psnr: TypeAlias = Annotated[
    float | None,
    typer.Option(metavar="DB", min=0, max=200, help="At least this PSNR of the raw, in dB."),
]
Tuning: TypeAlias = Annotated[
    str,
    typer.Option(
        "--tune",
        parser=parse_tune,
        metavar="|".join(_TUNES),
        help="Keep errors small for the eye, or for raw PSNR, as comparisons by it ask.",
    ),
]
Lossless: TypeAlias = Annotated[
    bool, typer.Option("--lossless", help="Every sample of the raw comes back.")
]
InPlace: TypeAlias = Annotated[
    bool, typer.Option("--in-place", help="Change JPEG itself; keep it as JPEG_original.")
]
Sidecar: TypeAlias = Annotated[
    bool, typer.Option("--sidecar", help="Write JPEG.rawback, or OUT, and leave JPEG alone.")
]
SidecarFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--sidecar", metavar="FILE", help="The payload, if it is in a file of its own."),
]
Overwrite: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists.")
]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Go on although a C2PA signature will not hold.")
]
Preview: TypeAlias = Annotated[
    bool,
    typer.Option("--preview", help="Take the JPEG that the camera put into RAW, in place of JPEG."),
]
Unguided: TypeAlias = Annotated[
    bool,
    typer.Option("--unguided", help="If JPEG does not show RAW, code RAW on its own: far larger."),
]
KeepOriginal: TypeAlias = Annotated[
    bool,
    typer.Option("--original", help="Keep the raw file itself, byte for byte; goes with lossless."),
]
StoreOriginal: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--store-original",
        help="The same, and store the whole file where it cannot be made from its samples.",
    ),
]
Original: TypeAlias = Annotated[
    bool,
    typer.Option("--original", help="The raw file itself, as it was, under its own name."),
]
Grain: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--grain", help="Add noise, not the sensor's own, where the payload is too coarse for it."
    ),
]
Compress: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--compress/--no-compress", help="Keep the DNG's samples as lossless JPEG, or as they are."
    ),
]
KeepTimes: TypeAlias = Annotated[
    bool, typer.Option("--keep-times", help="Give the output the times of the file it is made of.")
]
Region: TypeAlias = Annotated[
    str | None, typer.Option(metavar="X,Y,W,H", help="Only this part, in raw pixels.")
]
Salvage: TypeAlias = Annotated[
    bool, typer.Option("--salvage", help="Restore what stands before the damage.")
]
Verify: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verify/--no-verify",
        help="Read back what was written, decode it and compare, before it gets its name.",
    ),
]
Metadata: TypeAlias = Annotated[
    str,
    typer.Option(
        parser=parse_metadata,
        metavar="|".join(_METADATA),
        help="Names, places, times and maker notes: auto stores them if lossless and else leaves "
        "them to JPEG; all stores them; rendering leaves them out.",
    ),
]
RawToCompare: TypeAlias = Annotated[
    Path | None, typer.Option("--raw", metavar="RAW", help="Restore, and compare with this raw.")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show progress, and details of errors.")
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
