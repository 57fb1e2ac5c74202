"""The commands on whole folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

import rawback
from rawback.cli import options
from rawback.cli.batch_progress import BatchProgress
from rawback.cli.output import Printer
from rawback.cli.rates import rate_of
from rawback.files import label

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["batch", "restore_all"]


def batch(
    sources: options.Sources,
    output: options.Folder = None,
    size: options.Size = None,
    bpp: options.Bpp = None,
    quality: options.Quality = None,
    psnr: options.Psnr = None,
    lossless: options.Lossless = False,
    recursive: options.Recursive = False,
    jobs: options.Jobs = None,
    cluster: options.Cluster = None,
    journal: options.Journal = None,
    json_lines: options.JsonLines = None,
    dry_run: options.DryRun = False,
    in_place: options.InPlace = False,
    overwrite: options.Overwrite = False,
    force: options.Force = False,
    unguided: options.Unguided = False,
    no_verify: options.NoVerify = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Put the raws of whole folders into their JPEGs.

    A second run does only what is left or has changed. Exit status 0 only if nothing failed.
    """
    _check_jobs(jobs, cluster)
    if in_place and output is not None:
        message = "--in-place and --output exclude each other: leave one out."
        raise options.UsageError(message)
    rate = rate_of(size, bpp, quality, psnr, lossless=lossless)
    printer = Printer(as_json, verbose, quiet)
    if dry_run:
        _show_pairs(rawback.pair_up(sources, recursive=recursive), printer)
        return
    with BatchProgress(printer, "embedded", json_lines) as progress:
        report = rawback.embed_many(
            sources,
            output,
            rate=rate,
            recursive=recursive,
            workers=jobs or None,
            cluster=cluster,
            journal=journal,
            in_place=in_place,
            overwrite=overwrite,
            force=force,
            unguided=unguided,
            verify=not no_verify,
            watcher=progress,
        )
        progress.summary(report)
    if not report.complete:
        raise typer.Exit(1)


def restore_all(
    carriers: list[str],
    output: str | None,
    printer: Printer,
    *,
    salvage: bool,
    recursive: bool,
    jobs: int | None,
    cluster: str | None,
    journal: Path | None,
    json_lines: str | None,
    overwrite: bool,
) -> None:
    """What ``rawback restore`` does with several carriers, or with folders."""
    _check_jobs(jobs, cluster)
    with BatchProgress(printer, "restored", json_lines) as progress:
        report = rawback.restore_many(
            carriers,
            output,
            salvage=salvage,
            recursive=recursive,
            workers=jobs or None,
            cluster=cluster,
            journal=journal,
            overwrite=overwrite,
            watcher=progress,
        )
        progress.summary(report)
    if not report.complete:
        raise typer.Exit(1)


def _check_jobs(jobs: int | None, cluster: str | None) -> None:
    if jobs is not None and cluster is not None:
        message = "--jobs and --cluster exclude each other: a cluster has the workers it has."
        raise options.UsageError(message)


def _show_pairs(pairing: rawback.Pairing, printer: Printer) -> None:
    lines = [f"{_name(pair.raw)} goes into {_name(pair.jpeg)}" for pair in pairing.pairs]
    for item in pairing.ambiguous:
        names = ", ".join(map(_name, item.raws))
        lines.append(f"{_name(item.jpeg)} is ambiguous, as {item.why}: {names}")
    lines += [f"{_name(jpeg)} has no raw" for jpeg in pairing.jpegs]
    lines += [f"{_name(raw)} has no JPEG" for raw in pairing.raws]
    lines.append(f"{len(pairing.pairs)} pairs, {len(pairing.ambiguous)} ambiguous")
    printer.result(pairing.as_dict(), lines)


def _name(path: Path) -> str:
    return label(str(path))
