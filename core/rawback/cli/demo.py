"""The demo: a sample raw goes into its JPEG at three rates and comes back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rawback
from rawback.cli import options  # noqa: TC001 -- Typer reads the annotations
from rawback.cli.output import Printer, print_json, psnr_text, sub_progress
from rawback.errors import OutputRefused, RawbackError
from rawback.files import label, write_file

if TYPE_CHECKING:
    from rawback.cli.picture import Row

__all__ = ["demo"]

_FOLDER = Path("rawback-demo")
_SIZES = (20_000, 100_000)


@dataclass(frozen=True, slots=True)
class _Trip:
    """One rate, there and back.

    Attributes:
        name: The rate in words.
        embedded: What embedding came to.
        restored: What restoring came to.
    """

    name: str
    embedded: rawback.EmbedResult
    restored: rawback.RestoreResult

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "embed": self.embedded.as_dict(),
            "restore": self.restored.as_dict(),
        }


def demo(
    folder: options.DemoFolder = _FOLDER,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Embed a sample raw in its JPEG at three rates, restore it, and compare.

    Running it again replaces what it wrote before.
    """
    from rawback.cli.picture import comparison

    raw, jpeg = _sample()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{label(folder)} cannot be made ({error.strerror}); choose another folder."
        raise OutputRefused(message) from error
    printer = Printer(as_json, verbose, quiet)
    rates = [(f"{size // 1000} kB", rawback.Rate.size(size)) for size in _SIZES]
    rates.append(("lossless", rawback.Rate.lossless()))
    trips: list[_Trip] = []
    with printer.progress() as progress:
        for number, (name, rate) in enumerate(rates):
            share = sub_progress(progress, number / len(rates), (number + 1) / len(rates))
            trips.append(_trip(folder, raw, jpeg, name, rate, share))
    png = comparison(raw, jpeg, [_restored_row(trip) for trip in trips])
    picture = write_file(folder / "comparison.png", png, overwrite=True)
    document = {"picture": str(picture), "trips": [trip.as_dict() for trip in trips]}
    if as_json:
        print_json(document)
    elif not quiet:
        _show(trips, picture)


def _sample() -> tuple[Path, Path]:
    """The sample pair: inside the package as installed, or beside it in a checkout."""
    package = Path(rawback.__file__).parent
    for folder in (package / "assets", package.parent.parent / "assets"):
        raw, jpeg = folder / "sample.dng", folder / "sample.jpg"
        if raw.is_file() and jpeg.is_file():
            return raw, jpeg
    message = "The sample pictures are missing; install rawback again."
    raise RawbackError(message)


def _trip(
    folder: Path,
    raw: Path,
    jpeg: Path,
    name: str,
    rate: rawback.Rate,
    progress: rawback.Progress | None,
) -> _Trip:
    stem = f"sample-{name.replace(' ', '')}"
    carrier = folder / f"{stem}.jpg"
    embedded = rawback.embed(
        raw, jpeg, carrier, rate=rate, overwrite=True, progress=sub_progress(progress, 0.0, 0.7)
    )
    restored = rawback.restore(
        carrier, folder / f"{stem}.dng", overwrite=True, progress=sub_progress(progress, 0.7, 1.0)
    )
    return _Trip(name, embedded, restored)


def _restored_row(trip: _Trip) -> Row:
    from rawback.cli.picture import Row

    if trip.restored.output is None:
        message = "a file was restored without a name"
        raise RuntimeError(message)
    figures = psnr_text(trip.embedded.psnr_db, exact=trip.embedded.exact)
    size = f"{trip.embedded.payload_bytes / 1000:.0f} kB"
    return Row(trip.restored.output, f"JPEG + {size}", figures)


def _show(trips: list[_Trip], picture: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="A 0.8 megapixel raw in its JPEG", title_justify="left")
    for heading in ("asked for", "payload kB", "bpp", "PSNR dB", "error / noise", "exact", "s"):
        table.add_column(heading, justify="left" if heading == "asked for" else "right")
    for trip in trips:
        result = trip.embedded
        table.add_row(
            trip.name,
            f"{result.payload_bytes / 1000:.1f}",
            f"{result.bpp:.3f}",
            "∞" if result.exact else f"{result.psnr_db:.2f}",
            f"{result.error_over_sigma:.2f}",
            "yes" if trip.restored.exact else "no",
            f"{result.seconds + trip.restored.seconds:.1f}",
        )
    console = Console()
    console.print(table)
    console.print(f"Carriers, DNGs and the picture: {label(picture)}", markup=False, soft_wrap=True)
