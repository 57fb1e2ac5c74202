# SPDX-License-Identifier: GPL-3.0-or-later
"""What is open: a raw with its JPEG, a raw alone, or a carrier alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

import rawback
from rawback_gui.models.clipping import ClippedShares, shares_of
from rawback_gui.models.histogram import ChannelHistogram, histograms_of
from rawback_gui.models.look import Look, fit_look, linear_look, neutral_look
from rawback_gui.models.orientation import from_upright, upright_size
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from numpy.typing import NDArray

    from rawback_gui.models.pairing import Pair
    from rawback_gui.models.rendering import Rendering
    from rawback_gui.models.state import Source

__all__ = ["Document", "open_carrier", "open_pair", "with_guide"]


@dataclass(frozen=True, slots=True)
class Document:
    """An open picture, as far as it is known.

    Attributes:
        opening: A number that no other opening has.
        pair: The files it is from.
        frame: The original; the restored raw where there is no original.
        session: None for a carrier alone.
        opened: The carrier alone, or None.
        guide: The JPEG on the raw's grid; before it is registered, just as large as the raw.
        registered: Whether the guide shows what the raw shows at each place.
        prepared: Whether the restored raw can be shown.
        jpeg_bytes: Size of the JPEG without any payload.
        looks: How pictures can be rendered; no look of the JPEG before it is registered.
        histograms: Of the frame.
        clipped: What part of the JPEG and the raw clips.
        unguided: Whether the raw is coded on its own where the JPEG does not show it.
    """

    opening: int
    pair: Pair
    frame: rawback.RawFrame
    session: rawback.Session | None
    opened: rawback.OpenedCarrier | None
    guide: rawback.Guide | None
    registered: bool
    prepared: bool
    jpeg_bytes: int
    looks: dict[Rendering, Look]
    histograms: tuple[ChannelHistogram, ...]
    clipped: ClippedShares
    unguided: bool = False

    @property
    def has_original(self) -> bool:
        """Whether there is an original to compare with."""
        return self.session is not None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return upright_size(self.frame.orientation, self.frame.width, self.frame.height)

    @property
    def sources(self) -> frozenset[Source]:
        """What can be shown."""
        if not self.has_original:
            return frozenset(("carrier", "restored"))
        sources: set[Source] = {"original"}
        if self.guide is not None:
            sources.add("carrier")
        if self.prepared:
            sources |= {"restored", "error"}
        return frozenset(sources)

    def look(self, rendering: Rendering) -> Look:
        """How to render; the neutral look where that of the JPEG is not known."""
        return self.looks.get(rendering, self.looks["neutral"])


def open_pair(
    opening: int,
    pair: Pair,
    progress: rawback.Progress,
    *,
    unguided: bool = False,
    tune: rawback.Tune = "visual",
) -> Document:
    """Read a raw and its JPEG, or a raw alone, to show something soon.

    Args:
        opening: A number that no other opening has.
        pair: The files, at least a raw.
        progress: Called with how far it is.
        unguided: Code the raw on its own where the JPEG does not show it.
        tune: What errors of payloads are to be small for.

    Raises:
        RawbackError: A file is not what it has to be, or cannot be read.
    """
    if pair.raw is None:
        message = tr("There is nothing to open; drop a raw file, a JPEG, or both.")
        raise rawback.RawbackError(message)
    jpeg: Path | bytes
    if pair.jpeg is None:
        progress("Rendering a JPEG", 0.0)
        jpeg = rawback.carrier_for(pair.raw)
    else:
        progress("Reading the raw", 0.0)
        jpeg = pair.jpeg
    session = rawback.open_session(pair.raw, jpeg, unguided=unguided, tune=tune)
    frame = session.original
    progress("Reading the JPEG", 0.0)
    data = jpeg if isinstance(jpeg, bytes) else jpeg.read_bytes()
    return Document(
        opening=opening,
        pair=pair,
        frame=frame,
        session=session,
        opened=None,
        guide=_unregistered(data, frame),
        registered=False,
        prepared=False,
        jpeg_bytes=_bare_size(data),
        looks={"neutral": neutral_look(frame), "linear": linear_look(frame)},
        histograms=histograms_of(frame),
        clipped=shares_of(frame, None),
        unguided=unguided,
    )


def open_carrier(
    opening: int, pair: Pair, progress: rawback.Progress, cancel: threading.Event
) -> Document:
    """Restore a carrier that is alone.

    Args:
        opening: A number that no other opening has.
        pair: The carrier.
        progress: Called with how far it is.
        cancel: Stops it.

    Raises:
        PayloadMissing: The JPEG carries no raw.
        RawbackError: It is not what it has to be, or cannot be read.
    """
    if pair.jpeg is None:
        message = tr("There is nothing to open; drop a raw file, a JPEG, or both.")
        raise rawback.RawbackError(message)
    opened = rawback.open_carrier(pair.jpeg, progress=progress, cancel=cancel)
    frame = opened.restored
    document = Document(
        opening=opening,
        pair=pair,
        frame=frame,
        session=None,
        opened=opened,
        guide=None,
        registered=False,
        prepared=True,
        jpeg_bytes=_bare_size(pair.jpeg.read_bytes()),
        looks={"neutral": neutral_look(frame), "linear": linear_look(frame)},
        histograms=histograms_of(frame),
        clipped=ClippedShares(),
    )
    return with_guide(document, opened.guide)


def with_guide(document: Document, guide: rawback.Guide) -> Document:
    """The document with the JPEG registered on the raw, and what follows from that."""
    looks = dict(document.looks)
    look = fit_look(document.frame, guide)
    if look is not None:
        looks["match"] = look
    clipped = shares_of(document.frame, guide)
    return replace(document, guide=guide, registered=True, looks=looks, clipped=clipped)


def _unregistered(data: bytes, frame: rawback.RawFrame) -> rawback.Guide | None:
    """A JPEG just scaled to the raw: to be seen until it is registered, or if it cannot be."""
    # OpenCV turns the picture upright as its Exif data says.
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    width, height = upright_size(frame.orientation, frame.width, frame.height)
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = (
        pixels if size == pixels.shape[1::-1] else cv2.resize(pixels, size, interpolation=method)
    )
    whole = np.zeros((height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    whole[top : top + size[1], left : left + size[0]] = scaled[..., ::-1]
    mask[top : top + size[1], left : left + size[0]] = 1
    return rawback.Guide(_sensor(whole, frame.orientation), _sensor(mask, frame.orientation))


def _sensor(array: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(from_upright(array, orientation))


def _bare_size(jpeg: bytes) -> int:
    try:
        return len(rawback.strip_bytes(jpeg))
    except rawback.RawbackError:
        return len(jpeg)
