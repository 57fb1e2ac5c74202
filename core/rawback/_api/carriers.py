"""Verbs that handle payloads without decoding them: inspect, shrink, strip.

They need neither the raw nor the codec, and load neither NumPy nor torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rawback import bitstream, container
from rawback._api.metadata import metadata_info
from rawback._api.original import raw_file_info
from rawback._api.packaging import (
    Packed,
    bits_per_pixel,
    contents,
    open_packed,
    section_infos,
    whole_sensor,
)
from rawback._api.results import CarrierInfo, ShrinkResult, StripResult
from rawback.errors import PayloadDamaged, PayloadMissing, RateUnreachable
from rawback.files import check_output, read_file, write_file
from rawback.mosaic import Mosaic

if TYPE_CHECKING:
    from rawback.files import StrPath

__all__ = ["describe", "inspect", "shrink", "shrink_bytes", "strip", "strip_bytes"]

_MAKE, _MODEL = 271, 272


def inspect(carrier: StrPath | bytes) -> CarrierInfo:
    """Say what raw a carrier holds, and in how many bytes.

    Neither pixels nor samples are decoded.

    Args:
        carrier: A JPEG with a payload, or a detached payload: its path, or its bytes.

    Returns:
        What the payload's header and sections say.

    Raises:
        RawbackError: The file cannot be read.
        UnsupportedCarrier: It is no JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        PayloadMissing: It carries no payload.
        PayloadDamaged: The payload has lost a part, or its header is damaged.
    """
    return describe(open_packed(contents(carrier)))


def describe(packed: Packed) -> CarrierInfo:
    """What a payload's header and sections say.

    Raises:
        PayloadDamaged: Its header or its metadata are damaged.
    """
    sections = section_infos(packed.data, packed.packaging)
    payload = bitstream.unpack(packed.data, tolerate_cut=True)
    header = payload.header
    try:
        Mosaic.parse(header.pattern)
    except ValueError as error:
        message = f"The payload describes no raw ({error}); fetch the file again."
        raise PayloadDamaged(message) from error
    metadata, rendering = metadata_info(payload, sections)
    return CarrierInfo(
        format_version=".".join(map(str, header.version)),
        make=rendering.text(_MAKE),
        model=rendering.text(_MODEL),
        width=header.width,
        height=header.height,
        pattern=header.pattern,
        orientation=header.orientation,
        carrier_width=header.carrier_width,
        carrier_height=header.carrier_height,
        payload_bytes=packed.size,
        bpp=bits_per_pixel(packed.size, header.width, header.height),
        exact=header.cfa_digest is not None
        and whole_sensor(
            sections, has_remainders=header.floats is not None and header.floats[2] == 1
        ),
        intact=all(section.intact for section in sections),
        sections=sections,
        raw_file=raw_file_info(payload),
        metadata=metadata,
        floating_point=header.floats is not None,
    )


_OF_SAMPLES = {
    bitstream.SectionKind.BASE,
    bitstream.SectionKind.FILTER,
    bitstream.SectionKind.RESIDUAL,
    bitstream.SectionKind.EXACT,
    bitstream.SectionKind.CODES,
    bitstream.SectionKind.LATENTS,
    bitstream.SectionKind.REMAINDER,
}


def shrink(
    carrier: StrPath,
    size: int,
    output: StrPath,
    *,
    overwrite: bool = False,
    keep_times: bool = False,
) -> ShrinkResult:
    """Make a carrier's payload smaller by cutting off its finest sections; no raw is needed.

    Args:
        carrier: A JPEG with a payload, or a detached payload.
        size: Bytes that the payload may take in the file, everything counted. A payload that is
            not larger is copied as it is.
        output: The new file.
        overwrite: Whether `output` may replace a file.
        keep_times: Give the output the times of the carrier.

    Returns:
        What is left.

    Raises:
        RawbackError: The carrier cannot be read.
        UnsupportedCarrier: It is no JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        PayloadMissing: It carries no payload.
        PayloadDamaged: The payload fails its checks.
        RateUnreachable: `size` is too small for the coarsest payload.
        OutputRefused: `output` exists, is the carrier itself, or cannot be written.
    """
    check_output(output, overwrite=overwrite, inputs=(carrier,))
    data, result = _shrunk(open_packed(read_file(carrier)), size)
    path = write_file(output, data, overwrite=overwrite, like=carrier, keep_times=keep_times)
    return replace(result, output=path)


def shrink_bytes(carrier: bytes, size: int) -> tuple[bytes, ShrinkResult]:
    """`shrink` in memory.

    Args:
        carrier: The bytes of a JPEG with a payload, or of a detached payload.
        size: As for `shrink`.

    Returns:
        The smaller file's bytes, and what is left.

    Raises:
        RawbackError: As `shrink` does, but for files.
    """
    return _shrunk(open_packed(carrier), size)


def strip(
    carrier: StrPath, output: StrPath, *, overwrite: bool = False, keep_times: bool = False
) -> StripResult:
    """Write the JPEG without its payload: the very bytes that `rawback.embed` was given.

    Args:
        carrier: A JPEG with a payload, damaged or not.
        output: The new file.
        overwrite: Whether `output` may replace a file.
        keep_times: Give the output the times of the carrier.

    Returns:
        Where it is and what was taken out.

    Raises:
        RawbackError: The carrier cannot be read.
        UnsupportedCarrier: It is no JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        PayloadMissing: It carries no payload.
        OutputRefused: `output` exists, is the carrier itself, or cannot be written.
    """
    check_output(output, overwrite=overwrite, inputs=(carrier,))
    data = read_file(carrier)
    bare = strip_bytes(data)
    path = write_file(output, bare, overwrite=overwrite, like=carrier, keep_times=keep_times)
    return StripResult(output=path, removed_bytes=len(data) - len(bare))


def strip_bytes(carrier: bytes) -> bytes:
    """`strip` in memory.

    Args:
        carrier: The bytes of a JPEG with a payload.

    Returns:
        The JPEG's bytes without it.

    Raises:
        RawbackError: As `strip` does, but for files.
    """
    bare = container.remove_payload(carrier)
    if len(bare) == len(carrier):
        message = "The JPEG carries no rawback payload, so there is nothing to strip; use it as is."
        raise PayloadMissing(message)
    return bare


def _cut(packed: Packed, payload: bitstream.Payload, size: int) -> bitstream.Payload:
    """The finest payload of at most `size` bytes in the file that cutting leaves."""
    samples = payload
    while samples.sections and samples.sections[-1].kind not in _OF_SAMPLES:
        # The samples do not need it, and stay exact.
        samples = replace(samples, sections=samples.sections[:-1])
        if packed.size_with(bitstream.section_offsets(samples)[-1]) <= size:
            return samples
    # What is cut no longer gives back every sample, and does not claim to.
    coarser = replace(payload, header=replace(payload.header, cfa_digest=None))
    # Nothing is restored without the base, before which metadata stand.
    kinds = [section.kind for section in coarser.sections]
    first = kinds.index(bitstream.SectionKind.BASE) if bitstream.SectionKind.BASE in kinds else 0
    offsets = bitstream.section_offsets(coarser)[first + 1 :]
    fitting = [offset for offset in offsets if packed.size_with(offset) <= size]
    if not fitting:
        smallest = packed.size_with(offsets[0]) if offsets else packed.size
        message = f"No payload of {size} bytes can be cut from this one; ask for {smallest}."
        raise RateUnreachable(message)
    return bitstream.cut(coarser, max(fitting))


def _shrunk(packed: Packed, size: int) -> tuple[bytes, ShrinkResult]:
    payload = bitstream.unpack(packed.data)
    data = packed.data
    if packed.size > size:
        payload = _cut(packed, payload, size)
        data = bitstream.pack(payload)
    file = packed.repacked(data)
    left = open_packed(file)
    return file, ShrinkResult(
        output=None,
        payload_bytes=left.size,
        bpp=bits_per_pixel(left.size, payload.header.width, payload.header.height),
        removed_bytes=packed.size - left.size,
        sections=section_infos(left.data, left.packaging),
    )
