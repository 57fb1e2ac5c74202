"""The commands on whole folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import typer

import rawback
from rawback.cli import options
from rawback.cli.batch_progress import BatchProgress
from rawback.cli.output import Printer
from rawback.cli.rates import rate_of
from rawback.files import label

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["batch", "restore_all"]

_DONE, _FAILED, _LEFT_OVER = 0, 1, 3


def batch(
    sources: options.Sources,
    output: options.Folder = None,
    size: options.Size = None,
    bpp: options.Bpp = None,
    quality: options.Quality = None,
    psnr: options.Psnr = None,
    lossless: options.Lossless = False,
    tune: options.Tuning = "visual",
    recursive: options.Recursive = False,
    jobs: options.Jobs = None,
    cluster: options.Cluster = None,
    journal: options.Journal = None,
    json_lines: options.JsonLines = None,
    match: options.Matching = "pictures",
    dry_run: options.DryRun = False,
    in_place: options.InPlace = False,
    overwrite: options.Overwrite = False,
    force: options.Force = False,
    unguided: options.Unguided = False,
    verify: options.Verify = True,
    metadata: options.Metadata = "auto",
    original: options.KeepOriginal = False,
    store_original: options.StoreOriginal = False,
    keep_times: options.KeepTimes = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Put the raws of whole folders into their JPEGs.

    A second run does only what is left or has changed. Exit status: 0 if everything is done, 1 if
    something failed or nothing could be paired, 3 if files without a counterpart are left over.
    """
    _check_jobs(jobs, cluster)
    if in_place and output is not None:
        message = "--in-place and --output exclude each other: leave one out."
        raise options.UsageError(message)
    rate = rate_of(size, bpp, quality, psnr, lossless=lossless)
    printer = Printer(as_json, verbose, quiet)
    by = cast("rawback.Match", match)
    if dry_run:
        with printer.progress() as tell:
            pairing = rawback.pair_up(sources, recursive=recursive, match=by, progress=tell)
        _show_pairs(pairing, printer)
        raise typer.Exit(_foretold(pairing))
    with BatchProgress(printer, "embedded", json_lines) as progress:
        report = rawback.embed_many(
            sources,
            output,
            rate=rate,
            tune=cast("rawback.Tune", tune),
            recursive=recursive,
            workers=jobs or None,
            cluster=cluster,
            journal=journal,
            in_place=in_place,
            overwrite=overwrite,
            force=force,
            unguided=unguided,
            verify=verify,
            metadata=cast("rawback.MetadataChoice", metadata),
            original=options.keep_original(original, store_original, rate),
            keep_times=keep_times,
            match=by,
            watcher=progress,
        )
        progress.summary(report)
    nothing = (
        f"No raw and JPEG of one shot are in {_names(sources)}; name the folders of both, or see "
        "with --dry-run what is there."
    )
    _end(report, printer, nothing)
    raise typer.Exit(_LEFT_OVER if report.unmatched else _DONE)


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
    nothing = f"No JPEG in {_names(carriers)} carries a raw; name another folder, or use -r."
    _end(report, printer, nothing)


def _end(report: rawback.BatchReport, printer: Printer, nothing: str) -> None:
    """End the program unless there was something to do and all of it is done."""
    if not report.complete or (printer.as_json and not report.total):
        raise typer.Exit(_FAILED)
    if not report.total:
        raise rawback.RawbackError(nothing)


def _check_jobs(jobs: int | None, cluster: str | None) -> None:
    if jobs is not None and cluster is not None:
        message = "--jobs and --cluster exclude each other: a cluster has the workers it has."
        raise options.UsageError(message)


def _show_pairs(pairing: rawback.Pairing, printer: Printer) -> None:
    lines = [
        f"{_name(pair.raw)} goes into {_name(pair.jpeg)} (by {pair.basis})"
        for pair in pairing.pairs
    ]
    lines += [
        f"{_name(item.jpeg)} is ambiguous: {item.why}: {_names(item.raws)}"
        for item in pairing.ambiguous
    ]
    lines += [f"{_name(path)} is left over: {why}" for path, why in pairing.reasons.items()]
    lines.append(
        f"{len(pairing.pairs)} pairs, {len(pairing.ambiguous)} ambiguous, "
        f"{len(pairing.reasons)} left over"
    )
    printer.result(pairing.as_dict(), lines)


def _foretold(pairing: rawback.Pairing) -> int:
    """The exit status that a batch of a pairing can have at best."""
    if pairing.ambiguous or not pairing.pairs:
        return _FAILED
    return _LEFT_OVER if pairing.reasons else _DONE


def _name(path: object) -> str:
    return label(str(path))


def _names(paths: Iterable[object]) -> str:
    return ", ".join(map(_name, paths))
