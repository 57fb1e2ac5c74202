"""A session: one shot, prepared once, looked at and coded at any rate."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rawback import container, metrics
from rawback._api.curve_measurement import CurveMeasurement
from rawback._api.embed import Coded, payload_rate
from rawback._api.metadata import attachments, check_choice
from rawback._api.original import original_rate, original_section
from rawback._api.packaging import contents
from rawback._api.progress import Job, stoppable
from rawback._api.regions import check_region
from rawback._api.saving import EncodingWriter
from rawback._api.session_results import (
    Encoding,
    Preview,
    SectionEnd,
    bits_per_tile,
    order_masks,
    section_ends,
)
from rawback.container import CarrierFile
from rawback.errors import RawbackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Event

    import numpy as np
    from numpy.typing import NDArray

    from rawback import encoder
    from rawback._api.curve import Curve
    from rawback._api.metadata import MetadataChoice
    from rawback._api.original import KeepOriginal
    from rawback.bitstream import Section
    from rawback.encoder import Attached
    from rawback.files import StrPath
    from rawback.jpegio import DecodedJpeg
    from rawback.rate import Rate, Tune
    from rawback.types import Guide, Progress, RawFrame, Region

__all__ = ["Session", "open_session"]


class Session(EncodingWriter):
    """A raw and its JPEG; made by `open_session`.

    Everything may be called from any thread. Coding and measuring wait for each other; previews
    wait for nothing once the session is prepared.
    """

    def __init__(
        self,
        frame: RawFrame,
        jpeg: bytes,
        file: CarrierFile,
        carrier: DecodedJpeg,
        raw_bytes: int,
        raw: StrPath | bytes,
        inputs: tuple[StrPath, ...] = (),
        *,
        unguided: bool = False,
        tune: Tune = "visual",
    ) -> None:
        super().__init__(jpeg, file, carrier, inputs)
        self._frame = frame
        self._raw = raw
        self._unguided = unguided
        self._tune = tune
        self._raw_bytes = raw_bytes
        self._work = threading.RLock()
        self._codec: encoder.Session | None = None
        self._measurement: CurveMeasurement | None = None
        self._guide: Guide | None = None
        self._metadata: MetadataChoice = "auto"
        self._attached: dict[MetadataChoice, Attached] = {}

    @property
    def original(self) -> RawFrame:
        """The raw."""
        return self._frame

    @property
    def raw_bytes(self) -> int:
        """The size of the raw file."""
        return self._raw_bytes

    @property
    def guide(self) -> Guide | None:
        """The JPEG on the raw's grid; None until it is known, early in `prepare`."""
        return self._guide

    @property
    def prepared(self) -> bool:
        """Whether `prepare` is through."""
        return self._measurement is not None

    @property
    def signed(self) -> bool:
        """Whether the JPEG holds a C2PA manifest, whose signature a payload breaks."""
        return self._file.signed

    @property
    def metadata(self) -> MetadataChoice:
        """What payloads tell of the raw, as for `rawback.embed`; may be set at any time.

        The curve, and where sections end, count the bytes that it takes.
        """
        return self._metadata

    @metadata.setter
    def metadata(self, choice: MetadataChoice) -> None:
        check_choice(choice)
        self._metadata = choice
        if self._measurement is not None:
            self._measurement.more = self._more_than_auto()

    @property
    def known_curve(self) -> Curve | None:
        """What `curve` has measured so far; None before."""
        return None if self._measurement is None else self._measurement.curve

    def prepare(
        self,
        *,
        progress: Progress | None = None,
        cancel: Event | None = None,
        registered: Callable[[Guide], None] | None = None,
    ) -> None:
        """Find the JPEG on the raw and fit the base, once; all other methods do it if need be.

        Args:
            progress: Is told how far the job is.
            cancel: Set it to stop the job.
            registered: Is given `guide` as soon as it is there.

        Raises:
            ShotMismatch: The two do not show the same shot, and the session is not `unguided`.
            UnsupportedCarrier: The JPEG is tiny beside the raw.
            Cancelled: It was stopped.
        """
        from rawback import encoder

        tell = stoppable(progress, cancel)

        def keep(guide: Guide) -> None:
            self._guide = guide
            if registered is not None:
                registered(guide)

        with self._work:
            if self._measurement is None:
                tell("Preparing", 0.0)
                self._codec = encoder.prepare(
                    self._frame,
                    self._carrier,
                    unguided=self._unguided,
                    tune=self._tune,
                    progress=tell,
                    registered=keep,
                    attached=self._attachments("auto"),
                )
                previews = encoder.Previews(self._codec)
                measurement = CurveMeasurement(self._frame, previews, self._work)
                measurement.more = self._more_than_auto()
                self._measurement = measurement

    def preview(self, rate: Rate, region: Region) -> Preview:
        """A part of the raw as a payload of some rate would restore it, without making one.

        Args:
            rate: Of the payload. A quality or lossless needs nothing more; other kinds are looked
                up on the curve, which is measured first if need be.
            region: Left, top, width and height in raw pixels, within the raw.

        Returns:
            The part.

        Raises:
            RawbackError: The region is not within the raw, or preparing fails; see `prepare`.
        """
        check_region(region, self._frame.width, self._frame.height)
        left, top, width, height = region
        measurement = self._ready()
        point = measurement.operating_point(rate)
        restored, predicted = measurement.previews.window(point, region)
        original = self._frame.cfa[top : top + height, left : left + width]
        return Preview(region, original, restored, predicted)

    def curve(
        self,
        *,
        progress: Progress | None = None,
        cancel: Event | None = None,
        found: Callable[[Curve], None] | None = None,
    ) -> Curve:
        """Measure what each rate buys: sizes from some of the tiles, distortion from all samples.

        Below the size of the largest base, points are those of smaller bases alone; what `encode`
        makes of such a size is at least as good.

        What was measured before is kept, also when the job is stopped.

        Args:
            progress: Is told how far the job is.
            cancel: Set it to stop the job.
            found: Is given the curve as it grows.

        Returns:
            The curve.

        Raises:
            RawbackError: Preparing fails; see `prepare`.
            Cancelled: It was stopped.
        """
        measurement = self._ready(progress, cancel)
        return measurement.measured(stoppable(progress, cancel), found)

    def encode(
        self,
        rate: Rate,
        *,
        force: bool = False,
        original: KeepOriginal = False,
        metadata: MetadataChoice | None = None,
        progress: Progress | None = None,
        cancel: Event | None = None,
    ) -> Encoding:
        """Code the shot, as `rawback.embed` does.

        Args:
            rate: How large, or how good.
            force: Go on although the JPEG holds a C2PA manifest, whose signature will not hold.
            original: Keep the raw file itself, as `rawback.embed` does.
            metadata: What the payload tells of the raw; what the session's `metadata` says by
                default.
            progress: Is told how far the job is.
            cancel: Set it to stop the job.

        Returns:
            Carrier, restored frame and figures.

        Raises:
            RawbackError: Preparing fails; see `prepare`.
            SignedCarrier: The JPEG is signed and `force` is not given.
            RateUnreachable: No payload meets `rate`.
            OriginalUnavailable: With `original`: the raw file cannot be made from its samples.
            Cancelled: It was stopped.
            ValueError: `original` is True and the rate is not lossless.
        """
        metadata = self._metadata if metadata is None else metadata
        check_choice(metadata)
        original_rate(rate, original)
        self._file.check_embeddable(force=force)
        tell = stoppable(progress, cancel)
        self._ready(progress, cancel)
        with self._work:
            job = Job(tell)
            tell("Coding", 0.0)
            prepared = self._codec
            if prepared is None:
                message = "The session was closed; open it again."
                raise RawbackError(message)
            pixels = self._frame.width * self._frame.height
            section = original_section(self._raw, self._frame, rate, original)
            aim = payload_rate(rate, pixels, len(section))
            prepared.attached = self._attachments(metadata)
            try:
                encoded = prepared.encode(aim, progress=job.part(0.0, 0.9))
            finally:
                # The curve is measured with these.
                prepared.attached = self._attachments("auto")
            encoded = replace(encoded, payload=encoded.payload + section)
            tell("Measuring", 0.9)
            bare = self._file.bare
            carrier = self._file.with_payload(encoded.payload)
            coded = Coded(prepared, encoded, self._carrier, bare, carrier)
            result = coded.result(len(carrier) - len(bare), job)
        tell("Done", 1.0)
        return Encoding(
            rate=rate,
            metadata=metadata,
            carrier=carrier,
            sidecar=container.wrap(encoded.payload),
            restored=coded.restored,
            result=result,
            ends=section_ends(result),
            overlays=(
                bits_per_tile(result, self._frame.mosaic.cell),
                *order_masks(encoded.coding_order, self._frame.mosaic.cell),
            ),
        )

    def visible_differences(self, preview: Preview, exposure: float = 2.0) -> NDArray[np.float32]:
        """Where a preview looks different from the original, as it is shown at 1:1.

        Args:
            preview: From `preview`.
            exposure: Stops by which both are lifted.

        Returns:
            The colour difference of each pixel (S-CIELAB with CIEDE2000), float32 ``[height,
            width]`` of the preview's region; about 1 is just noticeable. Near the region's edges
            it lacks what lies around.
        """
        original, restored = (
            self._frame.excerpt(cfa) for cfa in (preview.original, preview.restored)
        )
        return metrics.visible_differences(original, restored, exposure)

    def base_ends(self) -> tuple[SectionEnd, ...]:
        """Where the sections of the base end, which every payload but the smallest begins with.

        Raises:
            RawbackError: Preparing fails; see `prepare`.
        """
        measurement = self._ready()
        more = measurement.more[0]
        return tuple(
            SectionEnd(kind.name.lower(), 0, container.carried_size(size + more))
            for kind, size in measurement.previews.base_ends
        )

    def _attachments(self, choice: MetadataChoice) -> Attached:
        if choice not in self._attached:
            self._attached[choice] = attachments(self._frame, choice)
        return self._attached[choice]

    def _more_than_auto(self) -> tuple[int, int]:
        """Bytes that the choice of metadata adds to lossy and to lossless payloads."""
        (lossy, exact), (lossy_auto, exact_auto) = (
            (_packed(of.leading), _packed(of.leading) + _packed(of.trailing))
            for of in (self._attachments(choice) for choice in (self._metadata, "auto"))
        )
        return lossy - lossy_auto, exact - exact_auto

    def _ready(
        self, progress: Progress | None = None, cancel: Event | None = None
    ) -> CurveMeasurement:
        if self._measurement is None:
            self.prepare(progress=progress, cancel=cancel)
        if self._measurement is None:
            message = "The shot could not be prepared; open it again."
            raise RawbackError(message)
        return self._measurement


def _packed(sections: Iterable[Section]) -> int:
    return sum(section.packed_size for section in sections)


def open_session(
    raw: StrPath | bytes,
    jpeg: StrPath | bytes,
    *,
    unguided: bool = False,
    tune: Tune = "visual",
) -> Session:
    """Read a raw and the JPEG that was made from it, to look at all rates in turn.

    Reading takes a moment; what takes longer is left to `Session.prepare`.

    Args:
        raw: The raw file: its path, or its bytes.
        jpeg: The JPEG, the same way; a payload that it carries is left out of everything.
        unguided: Where the JPEG does not show the raw, code the raw on its own, which takes far
            more bytes, instead of refusing.
        tune: As for `rawback.embed`.

    Returns:
        The session.

    Raises:
        RawbackError: A file cannot be read.
        UnsupportedRaw: The raw is of a kind that is not supported.
        DamagedRaw: The raw is cut or broken.
        UnsupportedCarrier: The other file is no JPEG, or one that cannot carry a raw.
        DamagedCarrier: The JPEG is cut or broken.
    """
    from rawback import jpegio, rawio

    data = contents(jpeg)
    file = CarrierFile.parse(data)
    carrier = jpegio.decode_jpeg(file.bare)
    frame = rawio.read_raw(raw)
    raw_bytes = len(raw) if isinstance(raw, bytes) else Path(raw).stat().st_size
    inputs = tuple(given for given in (raw, jpeg) if not isinstance(given, bytes))
    return Session(frame, data, file, carrier, raw_bytes, raw, inputs, unguided=unguided, tune=tune)
