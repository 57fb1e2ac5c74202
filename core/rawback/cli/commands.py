"""The commands, but for the demo: each is a verb of the public API."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import typer

import rawback
from rawback.cli import options
from rawback.cli.batch import restore_all
from rawback.cli.output import (
    Printer,
    bytes_text,
    psnr_text,
    raw_file_text,
    section_lines,
    visible_line,
    worst_text,
)
from rawback.cli.rates import rate_of
from rawback.cli.streams import StreamJob, is_stream, read_bytes
from rawback.files import label

__all__ = ["embed", "info", "restore", "shrink", "strip", "verify"]


def embed(
    raw: options.RawFile,
    jpeg: options.JpegFile = None,
    output: options.Output = None,
    size: options.Size = None,
    bpp: options.Bpp = None,
    quality: options.Quality = None,
    psnr: options.Psnr = None,
    lossless: options.Lossless = False,
    tune: options.Tuning = "visual",
    in_place: options.InPlace = False,
    sidecar: options.Sidecar = False,
    overwrite: options.Overwrite = False,
    force: options.Force = False,
    unguided: options.Unguided = False,
    preview: options.Preview = False,
    verify: options.Verify = True,
    metadata: options.Metadata = "auto",
    original: options.KeepOriginal = False,
    store_original: options.StoreOriginal = False,
    keep_times: options.KeepTimes = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Put a raw into the JPEG that was made from it.

    Writes NAME.rawback.jpg beside the JPEG by default. RAW, JPEG and OUT may be -: standard input
    and output. With --preview, RAW comes alone; the JPEG is the one that its camera put into it.
    """
    files_only = {"--in-place": in_place, "--sidecar": sidecar, "--keep-times": keep_times}
    if preview:
        _refuse_with_preview(jpeg, files_only)
        output = output or (None if is_stream(raw) else raw.with_name(f"{raw.stem}.rawback.jpg"))
    elif jpeg is None:
        message = "The JPEG is missing. Give it after the raw, or --preview to take the raw's own."
        raise options.UsageError(message)
    if in_place and (output is not None or sidecar):
        message = "--in-place goes with neither --output nor --sidecar; leave one out."
        raise options.UsageError(message)
    rate = rate_of(size, bpp, quality, psnr, lossless=lossless)
    keep = options.keep_original(original, store_original, rate)
    printer = Printer(as_json, verbose, quiet)
    if jpeg is None or any(map(is_stream, (raw, jpeg, output))):
        job = StreamJob((raw, jpeg), output, overwrite=overwrite, needs_files=files_only)
        with printer.progress() as progress:
            raw_bytes = read_bytes(raw)
            data, result = rawback.embed_bytes(
                raw_bytes,
                rawback.carrier_for(raw_bytes, any_size=True) if jpeg is None else read_bytes(jpeg),
                rate=rate,
                tune=cast("rawback.Tune", tune),
                force=force,
                unguided=unguided,
                verify=verify,
                original=keep,
                raw_name="" if is_stream(raw) else raw.name,
                progress=progress,
            )
        job.write(data)
        result = replace(result, output=job.output)
        lines = _embed_lines(job.name, result)
        printer.result(result.as_dict(), lines, aside=job.to_stdout)
        return
    with printer.progress() as progress:
        result = rawback.embed(
            raw,
            jpeg,
            None if sidecar else output,
            rate=rate,
            tune=cast("rawback.Tune", tune),
            in_place=in_place,
            overwrite=overwrite,
            force=force,
            unguided=unguided,
            sidecar=(output or True) if sidecar else False,
            verify=verify,
            metadata=cast("rawback.MetadataChoice", metadata),
            original=keep,
            keep_times=keep_times,
            progress=progress,
        )
    lines = _embed_lines(label(result.output or ""), result)
    printer.result(result.as_dict(), lines + (section_lines(result.sections) if verbose else []))


def _refuse_with_preview(jpeg: Path | None, files_only: dict[str, bool]) -> None:
    given = [*(["a JPEG"] if jpeg else []), *(name for name, used in files_only.items() if used)]
    if given:
        message = f"--preview does not go with {given[0]}; leave one out."
        raise options.UsageError(message)


def _embed_lines(name: str, result: rawback.EmbedResult) -> list[str]:
    figure = psnr_text(result.psnr_db, exact=result.exact)
    size_text = f"{bytes_text(result.payload_bytes)} ({result.bpp:.3f} bpp)"
    lines = [f"{name}: {figure}, {size_text}, {result.seconds:.1f} s"]
    if not result.exact:
        error = f"{result.error_over_sigma:.2f} of the raw's own noise"
        lines.append(f"  error is {error}, at the worst sample {worst_text(result.worst_error)}")
        lines.append(visible_line(result.visible))
    lines.append(f"  {result.metadata.sentence}")
    if result.verified:
        lines.append("  read back, decoded and compared")
    if not result.guided:
        lines.append("  the JPEG does not show this raw, which was coded on its own")
    if result.original is not None:
        lines.append(f"  the JPEG as it was: {label(result.original)}")
    if result.raw_file is not None:
        lines.append(f"  with the raw file itself ({raw_file_text(result.raw_file)})")
    return lines


def restore(
    carriers: options.Carriers,
    output: options.OutputOrFolder = None,
    region: options.Region = None,
    sidecar: options.SidecarFile = None,
    salvage: options.Salvage = False,
    original: options.Original = False,
    grain: options.Grain = False,
    compress: options.Compress = True,
    keep_times: options.KeepTimes = False,
    recursive: options.Recursive = False,
    jobs: options.Jobs = None,
    cluster: options.Cluster = None,
    journal: options.Journal = None,
    json_lines: options.JsonLines = None,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn carriers back into raw files, DNGs.

    Writes NAME.rawback.dng beside each carrier by default. Of several carriers, or of folders, a
    second run does only what is left or has changed, and OUT is a folder. A carrier and OUT may be
    -: standard input and output.
    """
    printer = Printer(as_json, verbose, quiet)
    if _several(carriers, recursive, jobs, cluster, journal, json_lines):
        if region is not None or sidecar is not None:
            message = "--region and --sidecar are for one carrier; give just one file."
            raise options.UsageError(message)
        if original or grain or keep_times or not compress:
            message = (
                "--original, --grain, --no-compress and --keep-times are for one carrier; give "
                "just one file."
            )
            raise options.UsageError(message)
        restore_all(
            carriers,
            output,
            printer,
            salvage=salvage,
            recursive=recursive,
            jobs=jobs,
            cluster=cluster,
            journal=journal,
            json_lines=json_lines,
            overwrite=overwrite,
        )
        return
    if original and (region is not None or salvage or grain):
        message = "--original gives back a whole file; leave --region, --salvage and --grain out."
        raise options.UsageError(message)
    part = None if region is None else options.parse_region(region)
    if is_stream(carriers[0]) or is_stream(output) or is_stream(sidecar):
        inputs = (carriers[0], sidecar)
        needs_files = {"--keep-times": keep_times}
        job = StreamJob(inputs, output, overwrite=overwrite, needs_files=needs_files)
        with printer.progress() as progress:
            data, result = rawback.restore_bytes(
                read_bytes(carriers[0]),
                region=part,
                sidecar=None if sidecar is None else read_bytes(sidecar),
                salvage=salvage,
                original=original,
                grain=grain,
                compress=compress,
                progress=progress,
            )
        job.write(data)
        result = replace(result, output=job.output)
        printer.result(result.as_dict(), _restore_lines(job.name, result), aside=job.to_stdout)
        return
    with printer.progress() as progress:
        result = rawback.restore(
            carriers[0],
            output,
            region=part,
            sidecar=sidecar,
            salvage=salvage,
            original=original,
            grain=grain,
            compress=compress,
            overwrite=overwrite,
            keep_times=keep_times,
            progress=progress,
        )
    printer.result(result.as_dict(), _restore_lines(label(result.output or ""), result))


def _restore_lines(name: str, result: rawback.RestoreResult) -> list[str]:
    if result.raw_file is not None:
        size = f"{result.raw_file.size:,} bytes"
        return [f"{name}: the raw file as it was, {size}, {result.seconds:.1f} s"]
    size = f"{result.width} x {result.height}"
    exact = ", every sample of the sensor as the camera gave it" if result.exact else ""
    lines = [f"{name}: {size}{exact}, {result.seconds:.1f} s"]
    if result.grain:
        lines.append("  with noise where the payload holds none")
    if not result.complete:
        lines.append("  restored from the sections before the damage only")
    return lines


def info(
    carrier: options.CarrierFile,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what raw a carrier holds, and in how many bytes."""
    contents = rawback.inspect(read_bytes(carrier) if is_stream(carrier) else carrier)
    camera = " ".join(dict.fromkeys(f"{contents.make} {contents.model}".split())) or "unknown"
    state = "" if contents.intact else ", damaged"
    size = f"{contents.payload_bytes:,} bytes, {contents.bpp:.3f} bpp"
    kind = rawback.Mosaic.parse(contents.pattern).name
    kind += ", floating point" if contents.floating_point else ""
    lines = [
        f"{label(carrier)}",
        f"  camera    {camera}",
        f"  raw       {contents.width} x {contents.height}, {kind}",
        f"  JPEG      {contents.carrier_width} x {contents.carrier_height}",
        f"  payload   {size}, format {contents.format_version}{state}",
        f"  made as   {'lossless' if contents.exact else 'lossy'}",
        f"  raw file  {raw_file_text(contents.raw_file)}",
        f"  metadata  {contents.metadata.bytes:,} bytes; {contents.metadata.sentence}",
        "",
        *section_lines(contents.sections),
    ]
    Printer(as_json, verbose, quiet).result(contents.as_dict(), lines)


def verify(
    carrier: options.CarrierFile,
    raw: options.RawToCompare = None,
    sidecar: options.SidecarFile = None,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Check that a payload is whole and goes with its JPEG.

    Exit status 0 only if it is.
    """
    printer = Printer(as_json, verbose, quiet)
    with printer.progress() as progress:
        checked = rawback.verify(
            read_bytes(carrier) if is_stream(carrier) else carrier,
            raw=raw,
            sidecar=sidecar,
            progress=progress,
        )
    lines = [f"{label(carrier)}: {checked.status}. {checked.detail}"]
    if checked.psnr_db is not None and checked.worst_error is not None:
        worst = "" if checked.exact else f", at the worst sample {worst_text(checked.worst_error)}"
        lines.append(
            f"  against the raw: {psnr_text(checked.psnr_db, exact=bool(checked.exact))}{worst}"
        )
        lines += [] if checked.exact else [visible_line(checked.visible)]
    printer.result(checked.as_dict(), lines + (section_lines(checked.sections) if verbose else []))
    if not checked.intact:
        raise typer.Exit(1)


def shrink(
    carrier: options.CarrierFile,
    size: options.NeededSize,
    output: options.NeededOutput,
    overwrite: options.Overwrite = False,
    keep_times: options.KeepTimes = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a carrier smaller by cutting off its finest sections, without the raw."""
    name, aside = label(output), False
    if is_stream(carrier) or is_stream(output):
        needs_files = {"--keep-times": keep_times}
        job = StreamJob((carrier,), output, overwrite=overwrite, needs_files=needs_files)
        data, result = rawback.shrink_bytes(read_bytes(carrier), size)
        job.write(data)
        result = replace(result, output=job.output)
        name, aside = job.name, job.to_stdout
    else:
        result = rawback.shrink(carrier, size, output, overwrite=overwrite, keep_times=keep_times)
    line = (
        f"{name}: {bytes_text(result.payload_bytes)} ({result.bpp:.3f} bpp), "
        f"{bytes_text(result.removed_bytes)} less"
    )
    Printer(as_json, verbose, quiet).result(result.as_dict(), [line], aside=aside)


def strip(
    carrier: options.CarrierFile,
    output: options.NeededOutput,
    overwrite: options.Overwrite = False,
    keep_times: options.KeepTimes = False,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the JPEG without its payload, as it was before."""
    printer = Printer(as_json, verbose, quiet)
    if is_stream(carrier) or is_stream(output):
        needs_files = {"--keep-times": keep_times}
        job = StreamJob((carrier,), output, overwrite=overwrite, needs_files=needs_files)
        data = read_bytes(carrier)
        bare = rawback.strip_bytes(data)
        job.write(bare)
        removed = len(data) - len(bare)
        result = rawback.StripResult(job.output, removed)
        line = f"{job.name}: {bytes_text(removed)} taken out"
        printer.result(result.as_dict(), [line], aside=job.to_stdout)
        return
    result = rawback.strip(carrier, output, overwrite=overwrite, keep_times=keep_times)
    line = f"{label(output)}: {bytes_text(result.removed_bytes)} taken out"
    printer.result(result.as_dict(), [line])


def _several(carriers: list[str], *of_batches: object) -> bool:
    """Whether this is work for a batch: more than one file, or an option that only batches have."""
    if len(carriers) > 1 or any(option not in (None, False) for option in of_batches):
        return True
    return "://" in carriers[0] or Path(carriers[0]).is_dir()
