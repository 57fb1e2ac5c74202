"""What rate-distortion curves are drawn of: a raw and its JPEG, or a picture and its rendering."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self, TypedDict

import numpy as np

from rawback import container, decoder, jpegio, metrics, rawio
from rawback._api.packaging import payload_room
from rawback.bitstream import unpack
from rawback.errors import RateUnreachable
from rawback.rate import Rate
from rawback_lab.bench.carriers import case_file
from rawback_lab.edit_metrics import EDITS, edit_metrics, picture_edit_metrics
from rawback_lab.peers import PEERS, PICTURE_PEERS, Coded, Shot
from rawback_lab.pictures import Picture, linear_shot
from rawback_lab.scenes import comparable_session, session_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rawback.encoder import Session
    from rawback.jpegio import DecodedJpeg
    from rawback_lab.edit_metrics import Likeness
    from rawback_lab.peers import Peer, PicturePeer
    from rawback_lab.protocols import P1Case, P2Case

__all__ = ["Material", "Measured", "PictureMaterial", "RawMaterial"]

_EDIT_PIXELS = 2_000_000
"""Edits of larger frames are compared on a sample of their strips."""

_SHOWN = {name: EDITS[name] for name in ("+2 EV", "+4 EV")}


class Measured(TypedDict):
    """What was measured of one method at one rate; null is infinite, or nothing to measure.

    ``edits`` holds the PSNR and the mean colour difference of both renderings, by edit.
    """

    bytes: int
    bpp: float
    psnr: float | None
    highlight_psnr: float | None
    seconds: float
    edits: dict[str, dict[str, float | None]] | None


class Material(Protocol):
    """Something that rawback and its peers code at equal bytes.

    Attributes:
        pixels: What rates are given per.
    """

    @property
    def pixels(self) -> int:
        """What rates are given per."""
        ...

    def own(self, budget: int) -> Coded | None:
        """What rawback makes of a budget of bytes; None where nothing fits."""
        ...

    def lossless(self) -> Coded:
        """What rawback makes without loss."""
        ...

    def peer(self, name: str, budget: int) -> Coded | None:
        """What a peer makes of a budget; None where nothing fits."""
        ...

    def measured(self, coded: Coded, seconds: float, *, edits: bool) -> Measured:
        """Compare what came back with the original."""
        ...


@dataclass(frozen=True)
class RawMaterial:
    """A raw and its JPEG.

    Attributes:
        session: Codes it.
        jpeg: The carrier's bytes.
        shot: The same for peers, which share the guide that was found.
        peers: By name.
    """

    session: Session
    jpeg: bytes
    shot: Shot
    peers: Mapping[str, Peer]

    @classmethod
    def of(
        cls, case: P2Case, raw_file: Path, kept_in: Path, more: Mapping[str, Peer]
    ) -> Self | None:
        """Of a case; None where its carrier cannot be made here."""
        carrier = case_file(case, raw_file, kept_in)
        if carrier is None:
            return None
        frame, jpeg = rawio.read_raw(raw_file), carrier.read_bytes()
        session = comparable_session(frame, jpegio.decode_jpeg(jpeg))
        return cls(session, jpeg, Shot(frame, session.guide), {**PEERS, **more})

    @property
    def pixels(self) -> int:
        return self.shot.frame.cfa.size

    def own(self, budget: int) -> Coded | None:
        """The bytes that the JPEG grows by, and what its bytes restore to."""
        try:
            encoded = self.session.encode(Rate.size(payload_room(budget)))
        except RateUnreachable:
            return None
        return self._carried(encoded.payload)

    def lossless(self) -> Coded:
        return self._carried(self.session.encode(Rate.lossless()).payload)

    def _carried(self, payload: bytes) -> Coded:
        carrier = container.embed_payload(self.jpeg, payload)
        found = unpack(container.extract_payload(carrier))
        decoded = decoder.decode(found, jpegio.decode_jpeg(carrier))
        return Coded(len(carrier) - len(self.jpeg), decoded.cfa)

    def peer(self, name: str, budget: int) -> Coded | None:
        return self.peers[name](self.shot, budget)

    def measured(self, coded: Coded, seconds: float, *, edits: bool) -> Measured:
        frame = self.shot.frame
        restored = replace(frame, cfa=coded.samples)
        every = max(1, round(self.pixels / _EDIT_PIXELS))
        return Measured(
            bytes=coded.size,
            bpp=metrics.bits_per_pixel(coded.size, frame),
            psnr=_finite(metrics.raw_psnr(frame, restored)),
            highlight_psnr=_finite(metrics.highlight_psnr(frame, restored, self.shot.guide)),
            seconds=round(seconds, 2),
            edits=_plain(edit_metrics(frame, restored, _SHOWN, every)) if edits else None,
        )


@dataclass(frozen=True)
class PictureMaterial:
    """A linear picture and its rendering.

    Attributes:
        picture: The picture.
        session: Codes it.
        carrier: The rendering as the session sees it.
        peers: By name.
    """

    picture: Picture
    session: Session
    carrier: DecodedJpeg
    peers: Mapping[str, PicturePeer]

    @classmethod
    def of(cls, case: P1Case, raw_file: Path, more: Mapping[str, PicturePeer]) -> Self:
        """Of a case."""
        picture = case.picture(rawio.read_raw(raw_file))
        session, carrier = session_at(*linear_shot(picture), tune="psnr")
        return cls(picture, session, carrier, {**PICTURE_PEERS, **more})

    @property
    def pixels(self) -> int:
        return self.picture.pixels

    def own(self, budget: int) -> Coded | None:
        """The payload's bytes, as there is no JPEG to put it into, and what it restores to."""
        try:
            return self._decoded(self.session.encode(Rate.size(budget)).payload)
        except RateUnreachable:
            return None

    def lossless(self) -> Coded:
        return self._decoded(self.session.encode(Rate.lossless()).payload)

    def _decoded(self, payload: bytes) -> Coded:
        restored = decoder.decode(unpack(payload), self.carrier)
        return Coded(len(payload), restored.cfa)

    def peer(self, name: str, budget: int) -> Coded | None:
        return self.peers[name](self.picture, budget)

    def measured(self, coded: Coded, seconds: float, *, edits: bool) -> Measured:
        truth, found = self.picture.linear, coded.samples
        squares = np.square(truth.astype(np.float64) - found) / 65535**2
        clipped = self.picture.guide.max(axis=2) >= metrics.CLIPPED
        likeness = picture_edit_metrics(truth, found, self.picture.frame, _SHOWN) if edits else None
        return Measured(
            bytes=coded.size,
            bpp=8 * coded.size / self.pixels,
            psnr=_decibels(squares),
            highlight_psnr=_decibels(squares[clipped]),
            seconds=round(seconds, 2),
            edits=None if likeness is None else _plain(likeness),
        )


def _plain(likeness: Mapping[str, Likeness]) -> dict[str, dict[str, float | None]]:
    return {
        edit: {key: _finite(value) for key, value in asdict(found).items()}
        for edit, found in likeness.items()
    }


def _decibels(squares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    mean = float(squares.mean()) if squares.size else math.nan
    return _finite(-10 * math.log10(mean)) if mean != 0 else None


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
