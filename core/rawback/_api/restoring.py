"""Restore and verify: a carrier to the raw it carries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rawback import bitstream, metrics
from rawback._api.metadata import GRAIN_HISTORY, dng_frame
from rawback._api.original import (
    is_stored_whole,
    original_name,
    original_recipe,
    raw_file_info,
    rebuilt,
)
from rawback._api.packaging import contents, open_packed, section_infos
from rawback._api.progress import Job, peak_memory
from rawback._api.regions import check_region
from rawback._api.results import RestoreResult, Verification
from rawback._api.thumbnail import preview_jpeg
from rawback.container import CarrierFile
from rawback.errors import (
    OriginalUnavailable,
    PayloadDamaged,
    PayloadMissing,
    PayloadTooNew,
    ShotMismatch,
)
from rawback.files import check_output, read_file, write_file

if TYPE_CHECKING:
    from rawback._api.results import Status
    from rawback.files import StrPath
    from rawback.jpegio import DecodedJpeg
    from rawback.rawio.write import Compression
    from rawback.types import Progress, RawFrame, Region

__all__ = ["restore", "restore_bytes", "verify"]

_SALVAGE = "fetch the file again, or salvage what stands before the damage."


def restore(
    carrier: StrPath,
    output: StrPath | None = None,
    *,
    region: Region | None = None,
    sidecar: StrPath | None = None,
    salvage: bool = False,
    original: bool = False,
    grain: bool = False,
    compress: bool = True,
    overwrite: bool = False,
    keep_times: bool = False,
    progress: Progress | None = None,
) -> RestoreResult:
    """Turn a carrier back into a raw file: a DNG, or the very file that was embedded.

    Args:
        carrier: The JPEG with the payload.
        output: The DNG; ``NAME.rawback.dng`` beside the carrier by default, which is no name that
            an original raw would have. With `original`: the raw file, under its own name beside
            the carrier by default.
        region: Left, top, width and height in raw pixels of the part to restore; all by default.
        sidecar: The payload, where it is in a file of its own.
        salvage: Restore from the sections before the first damage instead of raising.
        original: Give back the raw file itself, with the same SHA-256, where `rawback.embed` was
            told to keep it.
        grain: Give back the noise, though not the very same, where the payload is too coarse to
            tell of it: for lifted shadows that would look smooth. It is no detail that comes back.
        compress: Keep the DNG's samples as lossless JPEG, which takes about half the bytes and a
            moment; LibRaw, darktable and Adobe's SDK all read it. False keeps them as they are.
        overwrite: Whether `output` may replace a file.
        keep_times: Give the output the times of the carrier.
        progress: Is told how far the job is.

    Returns:
        Where the file is, and whether it is exact.

    Raises:
        RawbackError: A file cannot be read, or the region is not within the raw.
        UnsupportedCarrier: The carrier is no JPEG.
        DamagedCarrier: The JPEG is cut or broken.
        PayloadMissing: It carries no payload and `sidecar` is not given.
        PayloadDamaged: The payload fails its checks and `salvage` is not given.
        PixelsChanged: The JPEG was edited after the payload was made.
        OriginalUnavailable: With `original`: the payload does not keep the raw file.
        VerificationFailed: With `original`: what came of it is not that file.
        OutputRefused: The output exists, is the carrier itself, or cannot be written.
        ValueError: `original` is given with `region`, `salvage` or `grain`.
    """
    if original and (region is not None or salvage or grain):
        message = "the original file is whole or nothing: give no region, salvage or grain"
        raise ValueError(message)
    inputs = (carrier,) if sidecar is None else (carrier, sidecar)
    target = _target(carrier) if output is None else Path(output)
    if output is not None or not original:
        check_output(target, overwrite=overwrite, inputs=inputs)
    job = Job(progress)
    job.at("Reading the carrier", 0.0)
    file, holder = _parsed(read_file(carrier), None if sidecar is None else read_file(sidecar))
    if original:
        kept = _Kept.of(holder)
        if output is None:
            target = original_name(kept.recipe, carrier)
            check_output(target, overwrite=overwrite, inputs=inputs)
        data, result = kept.made(file, job)
    else:
        data, result = _dng(
            *(file, holder, region, job), salvage=salvage, grain=grain, compress=compress
        )
    job.at("Writing the file", 0.95)
    path = write_file(target, data, overwrite=overwrite, like=carrier, keep_times=keep_times)
    job.at("Done", 1.0)
    return replace(result, output=path, seconds=job.seconds, peak_memory_bytes=peak_memory())


def restore_bytes(
    carrier: bytes,
    *,
    region: Region | None = None,
    sidecar: bytes | None = None,
    salvage: bool = False,
    original: bool = False,
    grain: bool = False,
    compress: bool = True,
    progress: Progress | None = None,
) -> tuple[bytes, RestoreResult]:
    """`restore` in memory.

    Args:
        carrier: The bytes of the JPEG.
        region: As for `restore`.
        sidecar: The bytes of the detached payload.
        salvage: As for `restore`.
        original: As for `restore`.
        grain: As for `restore`.
        compress: As for `restore`.
        progress: As for `restore`.

    Returns:
        The file's bytes, and whether it is exact.

    Raises:
        RawbackError: As `restore` does, but for files.
        ValueError: As `restore` does.
    """
    if original and (region is not None or salvage or grain):
        message = "the original file is whole or nothing: give no region, salvage or grain"
        raise ValueError(message)
    job = Job(progress)
    job.at("Reading the carrier", 0.0)
    file, holder = _parsed(carrier, sidecar)
    if original:
        made = _Kept.of(holder).made(file, job)
    else:
        made = _dng(file, holder, region, job, salvage=salvage, grain=grain, compress=compress)
    job.at("Done", 1.0)
    return made


def verify(
    carrier: StrPath | bytes,
    *,
    raw: StrPath | bytes | None = None,
    sidecar: StrPath | bytes | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check a carrier: whether its payload is whole and goes with its pixels.

    Args:
        carrier: The JPEG with the payload: its path, or its bytes.
        raw: The raw file, to restore the carrier and compare.
        sidecar: The payload, where it is in a file of its own.
        progress: Is told how far the job is.

    Returns:
        The finding. A payload that was shrunk is intact.

    Raises:
        RawbackError: A file cannot be read.
        UnsupportedCarrier: The carrier is no JPEG.
        DamagedCarrier: The JPEG is cut or broken.
        PayloadTooNew: A newer rawback made the payload.
        UnsupportedRaw: The raw is of a kind that is not supported.
        DamagedRaw: The raw is cut or broken.
        ShotMismatch: The raw is of another size or pattern than the one that was embedded.
    """
    from rawback import decoder, jpegio, rawio

    job = Job(progress)
    job.at("Checking the payload", 0.0)
    file = CarrierFile.parse(contents(carrier))
    pixels = jpegio.decode_jpeg(file.bare)
    verification, payload = _check(file if sidecar is None else contents(sidecar), pixels)
    if raw is None or payload is None:
        return verification
    job.at("Reading the raw", 0.1)
    frame = rawio.read_raw(raw)
    restored = decoder.decode(payload, pixels, progress=job.part(0.2, 1.0))
    if (frame.cfa.shape, frame.pattern) != (restored.cfa.shape, restored.pattern):
        message = (
            f"The raw is {frame.width} x {frame.height} {frame.mosaic.name} and the carrier holds "
            f"one of {restored.width} x {restored.height} {restored.mosaic.name}; give the raw it "
            "was made from."
        )
        raise ShotMismatch(message)
    return replace(
        verification,
        psnr_db=metrics.raw_psnr(frame, restored),
        worst_error=metrics.worst_error(frame, restored),
        exact=frame.has_samples_of(restored) and _same_border(frame, payload),
        visible=metrics.visible_errors(frame, restored),
    )


def _same_border(frame: RawFrame, payload: bitstream.Payload) -> bool:
    """Whether what lies around the visible area of a raw comes back."""
    from rawback.common.border import read_border, read_border_remainders

    border = read_border(payload.sections, payload.header)
    if frame.border is None or border is None:
        return frame.border is border
    if not border.recorded or not border.equals(frame.border):
        return False
    remainders = None if frame.floats is None else frame.floats.border
    again = read_border_remainders(payload.sections, border)
    return remainders is None or (again is not None and again.equals(remainders))


def _parsed(jpeg: bytes, sidecar: bytes | None) -> tuple[CarrierFile, CarrierFile | bytes]:
    """The carrier, and what holds its payload: the carrier, or the bytes of a detached one."""
    file = CarrierFile.parse(jpeg)
    return file, file if sidecar is None else sidecar


@dataclass(frozen=True, slots=True)
class _Kept:
    """A payload that keeps the raw file itself, and what gives it back."""

    payload: bitstream.Payload
    recipe: bytes

    @classmethod
    def of(cls, holder: CarrierFile | bytes) -> _Kept:
        """Find it.

        Raises:
            PayloadDamaged: The payload fails its checks.
            OriginalUnavailable: It does not keep the raw file.
        """
        payload, _ = _open(holder, salvage=False)
        recipe = original_recipe(payload)
        if recipe is None:
            message = (
                "The payload does not keep the raw file itself; restore a DNG, or embed the raw "
                "again with its original."
            )
            raise OriginalUnavailable(message)
        return cls(payload, recipe)

    def made(self, file: CarrierFile, job: Job) -> tuple[bytes, RestoreResult]:
        """The raw file, and what there is to say about it.

        Raises:
            RawbackError: The samples it is made from do not come back, or the file does not.
        """
        from rawback import decoder, jpegio

        frame = None
        if not is_stored_whole(self.recipe):
            carrier = jpegio.decode_jpeg(file.bare)
            restored = decoder.restore(self.payload, carrier, progress=job.part(0.05, 0.85))
            if restored.exact:
                frame = dng_frame(restored.frame, self.payload, carrier)
        job.at("Making the raw file", 0.85)
        data = rebuilt(self.recipe, frame)
        return data, RestoreResult(
            output=None,
            width=self.payload.header.width,
            height=self.payload.header.height,
            region=None,
            exact=True,
            complete=True,
            seconds=job.seconds,
            peak_memory_bytes=peak_memory(),
            raw_file=raw_file_info(self.payload),
        )


def _dng(
    file: CarrierFile,
    holder: CarrierFile | bytes,
    region: Region | None,
    job: Job,
    *,
    salvage: bool,
    grain: bool,
    compress: bool,
) -> tuple[bytes, RestoreResult]:
    from rawback import decoder, jpegio, rawio

    payload, complete = _open(holder, salvage=salvage)
    if region is not None:
        check_region(region, payload.header.width, payload.header.height, least=2)
    carrier = jpegio.decode_jpeg(file.bare)
    restored = decoder.restore(
        payload, carrier, region=region, grain=grain, progress=job.part(0.05, 0.9)
    )
    frame = dng_frame(restored.frame, payload, carrier, region)
    job.at("Making the DNG", 0.9)
    preview = preview_jpeg(carrier, frame.orientation) if region is None else None
    result = RestoreResult(
        output=None,
        width=frame.width,
        height=frame.height,
        region=region,
        exact=restored.exact and frame.has_border,
        complete=complete,
        seconds=job.seconds,
        peak_memory_bytes=peak_memory(),
        grain=restored.grain,
    )
    compression: Compression = "ljpeg" if compress else "none"
    history = GRAIN_HISTORY if restored.grain else ""
    dng = rawio.write_dng(frame, preview_jpeg=preview, compression=compression, history=history)
    return dng, result


def _open(source: CarrierFile | bytes, *, salvage: bool) -> tuple[bitstream.Payload, bool]:
    """The payload, and whether all of it is there."""
    packed = open_packed(source, tolerate_cut=salvage)
    payload = bitstream.unpack(packed.data, tolerate_cut=salvage)
    if not salvage:
        return payload, True
    sections = section_infos(packed.data, packed.packaging)
    return payload, packed.whole and all(section.intact for section in sections)


def _check(
    source: CarrierFile | bytes, carrier: DecodedJpeg
) -> tuple[Verification, bitstream.Payload | None]:
    """Check a payload, which is returned as well if it is intact."""
    try:
        packed = open_packed(source, tolerate_cut=True)
        reports = bitstream.check_sections(packed.data)
    except PayloadTooNew:
        raise
    except PayloadMissing as error:
        return Verification("payload missing", str(error), None, None, None, ()), None
    except PayloadDamaged as error:
        return Verification("payload damaged", str(error), None, None, None, ()), None
    sections = section_infos(packed.data, packed.packaging)
    bad = [report for report in reports if not report.intact]
    status: Status = "intact"
    detail = "The payload is whole and goes with the JPEG's pixels."
    payload = None
    if bad and bad[0].kind is not None:
        status, detail = "payload damaged", f"{_parts(len(bad), len(reports))}; {_SALVAGE}"
    elif bad or not packed.whole:
        status, detail = "payload cut", f"The payload ends early; {_SALVAGE}"
    else:
        payload = bitstream.unpack(packed.data)
        status, detail = _readable(payload, carrier) or (status, detail)
    kept = payload if status == "intact" else None
    return Verification(status, detail, None, None, None, sections), kept


def _readable(payload: bitstream.Payload, carrier: DecodedJpeg) -> tuple[Status, str] | None:
    """What stands against decoding a payload that is whole."""
    from rawback import decoder

    if not decoder.goes_with(payload.header, carrier):
        return "pixels changed", (
            "The JPEG was edited after the payload was made; use the JPEG as it was then."
        )
    try:
        decoder.check_readable(payload)
    except PayloadTooNew:
        raise
    except PayloadDamaged as error:
        return "payload damaged", str(error)
    return None


def _parts(bad: int, count: int) -> str:
    return f"{bad} of the payload's {count} sections {'fails' if bad == 1 else 'fail'} the checksum"


def _target(carrier: StrPath) -> Path:
    place = Path(carrier)
    return place.with_name(f"{place.stem.removesuffix('.rawback')}.rawback.dng")
