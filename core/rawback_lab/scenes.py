"""Small made-up shots, for tests and for the stored payloads: a raw and its JPEG from nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback._api.metadata import attachments
from rawback.bitstream import Payload, unpack
from rawback.decoder import decode
from rawback.encoder import Encoded, Session, prepare
from rawback.encoder.encoder_input import EncoderInput
from rawback.geometry import Aligned, Geometry, Transform
from rawback.jpegio import DecodedJpeg, decode_jpeg
from rawback_lab.camera import CameraSpec
from rawback_lab.render import Subsampling, encode_jpeg, render_filmic
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.encoder.learned_layer import Use
    from rawback.rate import Rate, Tune
    from rawback.types import RawFrame

__all__ = ["Trial", "comparable_session", "made_up_picture", "made_up_shot", "session_at"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A shot that is coded at several rates, each of them once.

    Attributes:
        frame: The raw.
        session: Codes it.
        carrier: The decoded JPEG.
        coded: What it was coded to so far.
    """

    frame: RawFrame
    session: Session
    carrier: DecodedJpeg
    coded: dict[Rate, Encoded] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: RawFrame, jpeg: bytes, transform: Transform | None = None) -> Trial:
        """Of a raw and its JPEG, which lies on it as told."""
        return cls(frame, *session_at(frame, decode_jpeg(jpeg), transform))

    def encode(self, rate: Rate) -> Encoded:
        """The shot coded at a rate."""
        if rate not in self.coded:
            self.coded[rate] = self.session.encode(rate)
        return self.coded[rate]

    def payload(self, rate: Rate) -> Payload:
        """The payload of a rate, taken apart."""
        return unpack(self.encode(rate).payload)

    def decode(self, payload: Payload) -> RawFrame:
        """What a payload restores."""
        return decode(payload, self.carrier)


def made_up_picture(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Linear light with what photographs have: slopes, edges, texture, colours, a bright source."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.02, 0.15, (3, 3))]
    light = 0.25 + 0.15 * np.stack(waves, axis=2)
    light *= 1 + 0.3 * np.sign(np.sin((x + y) / 17))[..., None]
    light *= 1 + 0.2 * rng.standard_normal((height, width, 1)) * (x > width / 2)[..., None]
    far = ((y - height / 3) ** 2 + (x - width / 4) ** 2) / (height * width)
    light += 1.5 * np.exp(-60 * far)[..., None]
    return np.asarray(np.clip(light, 0.002, None), np.float32)


def made_up_shot(
    height: int,
    width: int,
    spec: CameraSpec | None = None,
    quality: int = 92,
    subsampling: Subsampling = "4:2:0",
    seed: int = 0,
) -> tuple[RawFrame, bytes]:
    """A raw of this size, odd sides included, and its JPEG of the same size."""
    picture = made_up_picture(height + height % 2, width + width % 2, seed)
    frame = simulate(picture, spec or CameraSpec(), np.random.default_rng(seed))
    pixels = render_filmic(frame)[:height, :width]
    cfa = np.ascontiguousarray(frame.cfa[:height, :width])
    jpeg = encode_jpeg(np.ascontiguousarray(pixels), quality, subsampling)
    return replace(frame, cfa=cfa), jpeg


def comparable_session(
    frame: RawFrame, carrier: DecodedJpeg, *, use: Use = "auto", unguided: bool = False
) -> Session:
    """A session as raw PSNR is compared by: tuned for it, with the metadata that embedding adds.

    Args:
        frame: The raw.
        carrier: The JPEG.
        use: Of the learned layer.
        unguided: As for :func:`rawback.encoder.prepare`.
    """
    attached = attachments(frame, "auto")
    return prepare(frame, carrier, use=use, unguided=unguided, tune="psnr", attached=attached)


def session_at(
    frame: RawFrame,
    carrier: DecodedJpeg,
    transform: Transform | None = None,
    use: Use = "auto",
    tune: Tune = "visual",
) -> tuple[Session, DecodedJpeg]:
    """A session whose geometry is given rather than searched for, and the carrier.

    Args:
        frame: The raw.
        carrier: The JPEG.
        transform: Where the one lies in the other; pixel on pixel by default.
        use: Of the learned layer.
        tune: What errors are to be small for.
    """
    sides = carrier.pixels.shape[1], carrier.pixels.shape[0]
    geometry = Geometry((frame.width, frame.height), sides, transform or Aligned())
    source = EncoderInput.of(frame, carrier, geometry, tune=tune)
    return Session(source, use), carrier
