"""Carriers alone, and raws alone: what a program that shows them needs."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback import bitstream
from rawback._api.carriers import describe
from rawback._api.metadata import GRAIN_HISTORY, dng_frame
from rawback._api.packaging import contents, open_packed
from rawback._api.progress import Job, stoppable
from rawback._api.session_results import bits_per_tile, order_masks
from rawback.container import CarrierFile
from rawback.errors import DamagedRaw, RawbackError
from rawback.files import check_output, write_file

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from rawback._api.results import CarrierInfo
    from rawback._api.session_results import Overlay
    from rawback.files import StrPath
    from rawback.types import Guide, Progress, RawFrame

__all__ = ["OpenedCarrier", "carrier_for", "open_carrier"]

_QUALITY = 92
_FULL_SIZE = 0.95
"""A preview whose sides are at least this part of the raw's is a picture of full size."""


@dataclass(frozen=True, slots=True)
class OpenedCarrier:
    """A carrier and the raw it holds.

    Attributes:
        info: What the payload says about itself.
        restored: The raw.
        guide: The JPEG on the raw's grid.
        overlays: Where its bits went, and in which order latents are coded.
        grain: Whether grain was added to the raw.
    """

    info: CarrierInfo
    restored: RawFrame
    guide: Guide
    overlays: tuple[Overlay, ...]
    grain: bool = False

    def save_dng(self, output: StrPath, *, overwrite: bool = False) -> Path:
        """Write the raw as a DNG, without a preview; `rawback.restore` writes one with it.

        Args:
            output: The new file.
            overwrite: Whether it may replace a file.

        Returns:
            The path.

        Raises:
            OutputRefused: It exists, or cannot be written.
        """
        from rawback import rawio

        check_output(output, overwrite=overwrite)
        history = GRAIN_HISTORY if self.grain else ""
        dng = rawio.write_dng(self.restored, compression="ljpeg", history=history)
        return write_file(output, dng, overwrite=overwrite)


def open_carrier(
    carrier: StrPath | bytes,
    *,
    sidecar: StrPath | bytes | None = None,
    grain: bool = False,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> OpenedCarrier:
    """Restore a carrier to look at it.

    Args:
        carrier: The JPEG with the payload: its path, or its bytes.
        sidecar: The payload, where it is in a file of its own.
        grain: As for `rawback.restore`.
        progress: Is told how far the job is.
        cancel: Set it to stop the job.

    Returns:
        The raw and the JPEG on its grid.

    Raises:
        RawbackError: A file cannot be read.
        UnsupportedCarrier: The carrier is no JPEG.
        DamagedCarrier: The JPEG is cut or broken.
        PayloadMissing: It carries no payload and `sidecar` is not given.
        PayloadDamaged: The payload fails its checks.
        PixelsChanged: The JPEG was edited after the payload was made.
        Cancelled: It was stopped.
    """
    from rawback import decoder, jpegio

    job = Job(stoppable(progress, cancel))
    job.at("Reading the carrier", 0.0)
    file = CarrierFile.parse(contents(carrier))
    packed = open_packed(file if sidecar is None else contents(sidecar))
    info = describe(packed)
    payload = bitstream.unpack(packed.data)
    pixels = jpegio.decode_jpeg(file.bare)
    restored = decoder.restore(payload, pixels, grain=grain, progress=job.part(0.1, 0.9))
    job.at("Resampling the JPEG", 0.9)
    guide = decoder.carried_guide(payload.header, pixels)
    cell = restored.frame.mosaic.cell
    overlays = (bits_per_tile(info, cell), *order_masks(restored.coding_order, cell))
    job.at("Done", 1.0)
    frame = dng_frame(restored.frame, payload, pixels)
    return OpenedCarrier(info, frame, guide, overlays, restored.grain)


def carrier_for(raw: StrPath | bytes, *, any_size: bool = False) -> bytes:
    """A JPEG for a raw that comes alone: the camera's own in it, else LibRaw's rendering.

    Args:
        raw: The raw file: its path, or its bytes.
        any_size: Take the camera's own, even if it is smaller than the raw, or none.

    Returns:
        The bytes of a JPEG, of the raw's full size by default.

    Raises:
        RawbackError: The file cannot be read, or holds no JPEG, with `any_size`.
        UnsupportedRaw: The raw is of a kind that is not supported.
        DamagedRaw: The raw is cut or broken.
    """
    import rawpy

    from rawback import rawio

    data = contents(raw)
    # Says by name what it does not take, where LibRaw alone would render anything.
    frame = rawio.read_raw(raw)
    try:
        with rawpy.imread(io.BytesIO(data)) as opened:
            least = 0.0 if any_size else _FULL_SIZE
            embedded = _embedded(opened, least * frame.width, least * frame.height)
            if embedded is not None:
                return embedded
            if any_size:
                message = "The raw holds no JPEG that can be decoded. Give a JPEG made from it."
                raise RawbackError(message)
            pixels = opened.postprocess(use_camera_wb=True)
    except rawpy.LibRawError as error:
        message = "The raw cannot be rendered; copy it again from the camera, or give its JPEG."
        raise DamagedRaw(message) from error
    from PIL import Image

    file = io.BytesIO()
    if pixels.shape[-1] == 1:
        # Of a sensor without colours LibRaw makes a grey picture.
        pixels = pixels[..., 0]
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return file.getvalue()


def _embedded(opened: object, width: float, height: float) -> bytes | None:
    """The largest preview in a raw, if it is a JPEG of at least this size that can be decoded."""
    import rawpy

    from rawback import jpegio

    if not isinstance(opened, rawpy.RawPy):
        return None
    with contextlib.suppress(rawpy.LibRawError, RawbackError):
        thumb = opened.extract_thumb()
        if thumb.format == rawpy.ThumbFormat.JPEG:
            data = bytes(thumb.data)
            sides = sorted(jpegio.decode_jpeg(data).pixels.shape[:2])
            if sides[0] >= min(width, height) and sides[1] >= max(width, height):
                return data
    return None
