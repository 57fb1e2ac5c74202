"""Embed: a raw and its JPEG to a carrier."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rawback import bitstream, container
from rawback._api.metadata import attachments, check_choice, dng_frame, metadata_info
from rawback._api.original import original_rate, original_section, raw_file_info
from rawback._api.packaging import bits_per_pixel, payload_room, section_infos
from rawback._api.progress import Job, peak_memory
from rawback._api.results import EmbedResult
from rawback.container import CarrierFile
from rawback.errors import NothingToRegister
from rawback.files import check_output, read_file, replace_file, write_file
from rawback.parallel import threads

if TYPE_CHECKING:
    from rawback._api.metadata import MetadataChoice
    from rawback._api.original import KeepOriginal
    from rawback._api.results import RawFileInfo, SectionInfo
    from rawback._api.verifying import Expected
    from rawback.encoder import Attached, Encoded, Session
    from rawback.files import StrPath
    from rawback.geometry import Geometry
    from rawback.jpegio import DecodedJpeg
    from rawback.rate import Rate, Tune
    from rawback.types import Progress, RawFrame

__all__ = ["DEFAULT_QUALITY", "Coded", "embed", "embed_bytes", "payload_rate"]

DEFAULT_QUALITY = 60
"""The quality of `rawback.embed` where no rate is given."""

_ENCODED, _WRITING = 0.78, 0.8

_LOADED_MEANWHILE = (
    "rawback.encoder",
    "rawback.metrics",
    "rawback.decoder",
    "rawback._api.verifying",
)
"""What embedding needs after reading."""


def embed(
    raw: StrPath,
    jpeg: StrPath,
    output: StrPath | None = None,
    *,
    rate: Rate | None = None,
    tune: Tune = "visual",
    in_place: bool = False,
    keep_original: bool = True,
    overwrite: bool = False,
    force: bool = False,
    unguided: bool = False,
    sidecar: bool | StrPath = False,
    verify: bool = True,
    metadata: MetadataChoice = "auto",
    original: KeepOriginal = False,
    keep_times: bool = False,
    progress: Progress | None = None,
) -> EmbedResult:
    """Put a raw into the JPEG that was made from it.

    The JPEG's own bytes all stay as they are; segments are added.

    Args:
        raw: The raw file.
        jpeg: The JPEG that was rendered from it: turned, cropped, scaled, corrected as may be.
        output: The carrier; ``NAME.rawback.jpg`` beside the JPEG by default.
        rate: How large or how good; quality 60 by default.
        tune: What errors are to be small for: ``"visual"``, the eye, which sees those of coarse
            structure and of some colours first, or ``"psnr"``, raw PSNR, for comparisons by it.
            Of no account where the rate is lossless.
        in_place: Change the JPEG itself and keep it as it was as ``NAME.jpg_original``; one that
            is there already stays.
        keep_original: With `in_place`, False leaves no such copy: `rawback.strip` gives it back.
        overwrite: Whether `output` or `sidecar` may replace a file.
        force: Go on although the JPEG holds a C2PA manifest, whose signature will not hold.
        unguided: Where the JPEG does not show the raw, or cannot be found on it, code the raw on
            its own, which takes far more bytes, instead of refusing.
        sidecar: Write a detached payload instead of a carrier and leave the JPEG alone: to this
            path, or, if True, to the JPEG's with ``.rawback`` added.
        verify: Read back what was written, before it gets its name, decode it, and compare with
            what coding it said comes back; takes about as long as `rawback.restore`. False leaves
            that out.
        metadata: What the payload tells of the raw besides what an editor renders by: names,
            serial numbers, places, times, titles, maker notes. ``"auto"``: a lossless payload all,
            another nothing, and a restored raw gets what its JPEG tells then; ``"all"``: all;
            ``"rendering"``: nothing, not even from the JPEG.
        original: Keep the raw file itself, which `rawback.restore` then gives back with the same
            SHA-256. If True, it is made again from its samples: that takes some kilobytes, and the
            rate is lossless. If ``"store"``, a file of which that cannot be done is stored whole;
            other rates may be asked for then. A payload tells with it whatever the raw file does:
            names, places, serial numbers.
        keep_times: Give the output the times of the JPEG.
        progress: Is told how far the job is.

    Returns:
        Where the payload is, what it takes and how good it is.

    Raises:
        RawbackError: An input cannot be read.
        UnsupportedRaw: The raw is of a kind that is not supported.
        DamagedRaw: The raw is cut or broken.
        UnsupportedCarrier: The other file is no JPEG, or one that cannot carry a raw.
        DamagedCarrier: The JPEG is cut or broken.
        SignedCarrier: The JPEG is signed and `force` is not given.
        ShotMismatch: The two do not show the same shot, and `unguided` is not given.
        NothingToRegister: The raw or the JPEG shows too little to tell, as a dark frame does, and
            neither `unguided` nor a lossless `rate` is given.
        RateUnreachable: No payload meets `rate`.
        OriginalUnavailable: With `original`: the raw file cannot be made again from its samples;
            the message says how it keeps them, and what storing it would take.
        OutputRefused: The output exists, is one of the inputs, or cannot be written, or the JPEG
            that is to be changed in place has changed meanwhile.
        VerificationFailed: What was written is not what was meant. It is gone, and all is as it
            was.
        ValueError: More than one of `output`, `in_place` and `sidecar` is given, a lossy rate with
            `original`, or `metadata` or `tune` is none of its choices.
    """
    if (output is not None) + in_place + (sidecar is not False) > 1:
        message = "give one of output, in_place and sidecar"
        raise ValueError(message)
    target = _target(jpeg, output, sidecar=sidecar)
    if not in_place:
        check_output(target, overwrite=overwrite, inputs=(raw, jpeg))
    job = Job(progress)
    signed = force or sidecar is not False
    was = read_file(jpeg)
    rate = original_rate(rate, original)
    coded = _code(
        *(raw, was, rate, tune, job, metadata), force=signed, unguided=unguided, original=original
    )
    data = coded.carrier if sidecar is False else container.wrap(coded.encoded.payload)
    result = coded.result(len(data) - (len(coded.jpeg) if sidecar is False else 0), job)
    check = None
    if verify:
        check = partial(coded.expected().check_file, job=job)
    del coded  # what coding needed makes room for what decoding needs
    job.at("Writing the file", _WRITING)
    kept_jpeg = None
    if in_place:
        target = Path(jpeg)
        if keep_original:
            kept_jpeg = replace_file(jpeg, data, keep_times=keep_times, check=check, was=was)
        else:
            write_file(target, data, overwrite=True, keep_times=keep_times, check=check, was=was)
    else:
        target = write_file(
            target, data, overwrite=overwrite, like=jpeg, keep_times=keep_times, check=check
        )
    job.at("Done", 1.0)
    return replace(
        result,
        output=target,
        original=kept_jpeg,
        verified=verify,
        seconds=job.seconds,
        peak_memory_bytes=peak_memory(),
    )


def embed_bytes(
    raw: bytes,
    jpeg: bytes,
    *,
    rate: Rate | None = None,
    tune: Tune = "visual",
    force: bool = False,
    unguided: bool = False,
    verify: bool = True,
    metadata: MetadataChoice = "auto",
    original: KeepOriginal = False,
    raw_name: str = "",
    progress: Progress | None = None,
) -> tuple[bytes, EmbedResult]:
    """`embed` in memory.

    Args:
        raw: The raw file's bytes.
        jpeg: The JPEG's bytes.
        rate: As for `embed`.
        tune: As for `embed`.
        force: As for `embed`.
        unguided: As for `embed`.
        verify: As for `embed`.
        metadata: As for `embed`.
        original: As for `embed`.
        raw_name: With `original`: the raw file's name, under which it is restored.
        progress: As for `embed`.

    Returns:
        The carrier's bytes, what the payload takes and how good it is.

    Raises:
        RawbackError: As `embed` does, but for files.
    """
    job = Job(progress)
    rate = original_rate(rate, original)
    coded = _code(
        *(raw, jpeg, rate, tune, job, metadata),
        force=force,
        unguided=unguided,
        original=original,
        raw_name=raw_name,
    )
    result = coded.result(len(coded.carrier) - len(coded.jpeg), job)
    if verify:
        coded.expected().check(coded.carrier, job=job)
        result = replace(result, verified=True, seconds=job.seconds)
    job.at("Done", 1.0)
    return coded.carrier, result


@dataclass(frozen=True, slots=True)
class Coded:
    """A raw that is coded, and the carrier it is in.

    Attributes:
        session: What coded it.
        encoded: The payload.
        decoded: The JPEG, decoded.
        jpeg: The JPEG without any payload.
        carrier: The JPEG with this one.
    """

    session: Session
    encoded: Encoded
    decoded: DecodedJpeg
    jpeg: bytes
    carrier: bytes

    @property
    def restored(self) -> RawFrame:
        """The raw that comes back, with all that the payload and the JPEG tell of it."""
        payload = bitstream.unpack(self.encoded.payload)
        return dng_frame(self.encoded.restored, payload, self.decoded)

    def result(self, added: int, job: Job) -> EmbedResult:
        """Measure what was gained, in a file that the payload makes larger by `added` bytes."""
        from rawback import metrics

        frame, restored = self.session.frame, self.encoded.restored
        payload = self.encoded.payload
        sections = section_infos(payload, added - len(payload))
        with ThreadPoolExecutor(threads()) as pool:
            visible = pool.submit(metrics.visible_errors, frame, restored, sampled=True)
            errors = metrics.RawErrors.of(frame, restored)
            highlights = metrics.highlight_psnr(frame, restored, self.session.guide)
        return EmbedResult(
            output=None,
            original=None,
            width=frame.width,
            height=frame.height,
            payload_bytes=added,
            bpp=bits_per_pixel(added, frame.width, frame.height),
            psnr_db=errors.psnr,
            highlight_psnr_db=highlights,
            error_over_sigma=errors.over_sigma,
            worst_error=errors.worst,
            exact=frame.has_samples_of(restored) and self._keeps_border(sections),
            seconds=job.seconds,
            peak_memory_bytes=peak_memory(),
            sections=sections,
            visible=visible.result(),
            guided=bool(self.session.guide.mask.any()),
            raw_file=self.raw_file,
            metadata=metadata_info(bitstream.unpack(payload), sections)[0],
        )

    @property
    def raw_file(self) -> RawFileInfo | None:
        """The raw file, where the payload gives it back."""
        return raw_file_info(bitstream.unpack(self.encoded.payload))

    def expected(self) -> Expected:
        """What the payload has to give back."""
        from rawback._api.verifying import Expected

        raw_file = self.raw_file
        sha256 = None if raw_file is None else raw_file.sha256
        mosaic = bitstream.unpack(self.encoded.payload).header.cfa_digest
        return Expected.of(self.jpeg, self.decoded, self.restored, sha256, mosaic)

    def _keeps_border(self, sections: tuple[SectionInfo, ...]) -> bool:
        kept = any(item.kind == "border" and item.layer == 1 for item in sections)
        return kept or self.session.frame.border is None


def _code(
    raw: StrPath | bytes,
    jpeg: bytes,
    rate: Rate | None,
    tune: Tune,
    job: Job,
    metadata: MetadataChoice,
    *,
    force: bool,
    unguided: bool,
    original: KeepOriginal,
    raw_name: str = "",
) -> Coded:
    from rawback import jpegio, rawio
    from rawback.rate import Rate

    check_choice(metadata)
    file = CarrierFile.parse(jpeg)
    file.check_embeddable(force=force)
    job.at("Reading the raw and the JPEG", 0.0)
    with ThreadPoolExecutor(threads()) as pool:
        reading = pool.submit(rawio.read_raw, raw)
        decoding = pool.submit(jpegio.decode_jpeg, file.bare)
        # Takes as long as they do.
        loading = pool.submit(lambda: [import_module(name) for name in _LOADED_MEANWHILE])
        frame = reading.result()
        rate = rate or Rate.quality(DEFAULT_QUALITY)
        # Refused before all the work, if at all.
        section = original_section(raw, frame, rate, original, raw_name)
        carrier = decoding.result()
        encoder, *_ = loading.result()
    rate = payload_rate(rate, frame.width * frame.height, len(section))
    attached = attachments(frame, metadata)
    try:
        session = encoder.prepare(
            frame,
            carrier,
            unguided=unguided,
            tune="psnr" if rate.is_lossless else tune,
            progress=job.part(0.08, 0.42),
            attached=attached,
        )
        encoded = session.encode(rate, progress=job.part(0.42, _ENCODED))
    except NothingToRegister:
        if rate.kind != "lossless":
            raise
        # Exact in any case: what the JPEG tells of a dark frame is known by the bytes it saves.
        session, encoded = _smallest(frame, carrier, rate, job, attached)
    session.let_go()
    encoded = replace(encoded, payload=encoded.payload + section)
    job.at("Measuring", _ENCODED)
    return Coded(session, encoded, carrier, file.bare, file.with_payload(encoded.payload))


def _smallest(
    frame: RawFrame, carrier: DecodedJpeg, rate: Rate, job: Job, attached: Attached
) -> tuple[Session, Encoded]:
    """Code a raw that cannot be found on its JPEG on its own and, if it may lie there, by it."""
    from rawback import encoder

    def coded(geometry: Geometry, start: float, end: float) -> tuple[Session, Encoded]:
        middle = (start + end) / 2
        session = encoder.prepare(
            frame,
            carrier,
            geometry=geometry,
            progress=job.part(start, middle),
            attached=attached,
        )
        return session, session.encode(rate, progress=job.part(middle, end))

    geometries = encoder.plain_geometries(frame, carrier)
    edges = np.linspace(0.08, _ENCODED, len(geometries) + 1).tolist()
    tries = (coded(*of) for of in zip(geometries, edges, edges[1:], strict=False))
    return min(tries, key=lambda of: len(of[1].payload))


def payload_rate(rate: Rate, pixels: int, taken: int = 0) -> Rate:
    """The rate to ask the codec for, which does not know what packaging takes.

    Args:
        rate: How large or how good all is to be.
        pixels: Of the raw.
        taken: Bytes of the payload that are not the codec's.

    Raises:
        RateUnreachable: There is no room for any payload.
    """
    from rawback.rate import Rate

    if rate.kind == "size":
        return Rate.size(payload_room(int(rate.value), taken))
    if rate.kind == "bpp":
        return Rate.size(payload_room(math.floor(rate.value * pixels / 8), taken))
    return rate


def _target(jpeg: StrPath, output: StrPath | None, *, sidecar: bool | StrPath) -> Path:
    if output is not None:
        return Path(output)
    if isinstance(sidecar, bool):
        place = Path(jpeg)
        return place.with_name(f"{place.name}.rawback" if sidecar else f"{place.stem}.rawback.jpg")
    return Path(sidecar)
