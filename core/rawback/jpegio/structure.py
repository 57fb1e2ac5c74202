"""The segments of a JPEG file (ITU-T T.81, annex B), and what they say about its pixels.

::

    SOI  [APPn | COM | DQT | DHT | DRI | SOF]*  (SOS  entropy-coded bytes)+  EOI  anything

Nothing is decoded here: the walk finds out whether the file is whole and of a kind whose pixels
can be relied on, and copies out the segments that decide them.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import NoReturn

from rawback.errors import DamagedCarrier, UnsupportedCarrier
from rawback.jpeg_segments import EOI, SOS, next_segment, start_of_image

__all__ = ["JpegStructure", "read_structure"]

_DNL, _DHP = 0xDC, 0xDE
_INSIDE_SCANS = frozenset({0x01, *range(0xD0, 0xD8)})
_APP0, _APP14 = 0xE0, 0xEE
_TABLES = frozenset({0xC4, 0xDB, 0xDD})
_HUFFMAN_8_BIT = frozenset({0xC0, 0xC1, 0xC2})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DECIDE_PIXELS = _FRAMES | _TABLES | {SOS, _APP0, _APP14}
_PROGRESSIVE = 0xC2
_KINDS = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical"}

_MOST_SCANS = 100
"""Ten or so are usual. Each takes a few bytes and a pass over all of the picture, so that without a
limit a small file keeps a decoder busy for as long as it likes."""

_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True, slots=True)
class JpegStructure:
    """What a walk over the segments tells.

    Attributes:
        width: Columns of the image.
        height: Rows of the image.
        components: 1 (grey) or 3 (colour).
        head: All that decides pixels, from SOI to the last entropy-coded byte.
    """

    width: int
    height: int
    components: int
    head: bytes


@dataclass(frozen=True, slots=True)
class _Frame:
    marker: int
    width: int
    height: int
    component_ids: tuple[int, ...]


def read_structure(data: bytes) -> JpegStructure:
    """Walk over the segments of a JPEG file.

    Args:
        data: The file's bytes; what follows the end of the first image is ignored.

    Returns:
        The structure of the first image.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG, or one of a kind that cannot be a carrier.
        DamagedCarrier: A segment is cut or senseless, or scan data is missing.
    """
    walk = _Walk(data)
    while walk.step():
        pass
    return walk.result()


class _Walk:
    """The state of a walk: where it is, and what it has seen."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = start_of_image(data)
        self._kept = [data[: self._position]]
        self._frame: _Frame | None = None
        self._scanned: set[int] = set()
        self._entropy_bytes = 0
        self._scans = 0

    def step(self) -> bool:
        """Take in one segment, with the entropy-coded bytes behind it; false at the end."""
        segment = next_segment(self._data, self._position)
        marker, self._position = segment.marker, segment.end
        if marker == EOI:
            return False
        if marker in _INSIDE_SCANS:
            _refuse("a marker stands where none may be")
        body = self._data[segment.body : segment.end]
        if marker in _FRAMES or marker == _DHP:
            self._frame = _read_frame(marker, body, already=self._frame)
        elif marker == SOS:
            self._scan(body)
        if marker in _DECIDE_PIXELS:
            # From the marker on: fill bytes before it decide nothing.
            self._kept.append(self._data[segment.body - 4 : self._position])
        return True

    def _scan(self, header: bytes) -> None:
        if self._frame is None:
            _refuse("its scan comes before its frame header")
        self._scans += 1
        if self._scans > _MOST_SCANS:
            message = f"The JPEG has more than {_MOST_SCANS} scans; save it again as baseline JPEG."
            raise UnsupportedCarrier(message)
        start = self._position
        self._position = _end_of_scan(self._data, start)
        self._entropy_bytes += self._position - start
        self._scanned |= _starting_components(header, self._frame)

    def result(self) -> JpegStructure:
        """What was seen, once it is known to be whole."""
        frame = self._frame
        if frame is None or self._scanned != set(frame.component_ids):
            _refuse("image data is missing")
        # No Huffman code is shorter than one bit, and every block has at least a DC code.
        if self._entropy_bytes * 8 * 64 < frame.width * frame.height:
            _refuse("image data is missing")
        return JpegStructure(
            frame.width,
            frame.height,
            len(frame.component_ids),
            b"".join(self._kept),
        )


def _end_of_scan(data: bytes, position: int) -> int:
    marker = _SCAN_END.search(data, position)
    if marker is None:
        _refuse("it is cut before its end")
    if data[marker.end() - 1] == _DNL:
        message = "The JPEG gives its height only after its pixels; save it again as baseline JPEG."
        raise UnsupportedCarrier(message)
    return marker.start()


def _read_frame(marker: int, body: bytes, *, already: _Frame | None) -> _Frame:
    if marker not in _HUFFMAN_8_BIT:
        kind = "hierarchical" if marker == _DHP else _KINDS.get(marker, "arithmetic-coded")
        message = f"The JPEG is {kind} and cannot carry a raw; save it again as baseline JPEG."
        raise UnsupportedCarrier(message)
    if already is not None:
        _refuse("it has two frame headers")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        _refuse("its frame header is cut")
    precision, height, width, components = struct.unpack_from(">BHHB", body)
    if precision != 8:
        message = (
            f"The JPEG has {precision} bits and cannot carry a raw; save it again with 8 bits."
        )
        raise UnsupportedCarrier(message)
    if components not in (1, 3):
        kind = "CMYK" if components == 4 else f"of {components} components"
        message = f"The JPEG is {kind} and cannot carry a raw; save it again as RGB."
        raise UnsupportedCarrier(message)
    identifiers = tuple(body[6::3])
    if not (width and height) or len(set(identifiers)) != components:
        _refuse("its frame header makes no sense")
    return _Frame(marker, width, height, identifiers)


def _starting_components(body: bytes, frame: _Frame) -> set[int]:
    """The components whose first bits a scan brings."""
    if not body or len(body) != 4 + 2 * body[0]:
        _refuse("a scan header is cut")
    refines = body[-1] >> 4
    if frame.marker == _PROGRESSIVE and (body[-3] or refines):
        return set()
    return set(body[1:-3:2])


def _refuse(what: str) -> NoReturn:
    message = f"The JPEG is damaged ({what}); export it again."
    raise DamagedCarrier(message)
