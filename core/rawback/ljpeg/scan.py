"""Headers of lossless JPEG: everything from SOI to the first entropy-coded byte (T.81, annex B)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from rawback.ljpeg.huffman import HuffmanTable

__all__ = ["Scan", "read_scan", "write_scan"]

_SOI, _SOF3, _DHT, _DRI, _SOS = 0xD8, 0xC3, 0xC4, 0xDD, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_MOST_COMPONENTS = 4
_UNSAMPLED = 0x11


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan of a lossless JPEG with all components interleaved, none subsampled.

    Attributes:
        rows: Rows of samples, 1 to 65535.
        columns: Samples of each component in a row, 1 to 65535.
        precision: Bits of a sample, 2 to 16.
        predictor: 1 to 7 (T.81, table H.1).
        tables: Huffman table of each of one to four components.
        point_transform: Low bits of each sample that are not coded.
        restart_rows: Rows between restart markers, 0 for none.

    Raises:
        ValueError: A number is out of range.
    """

    rows: int
    columns: int
    precision: int
    predictor: int
    tables: tuple[HuffmanTable, ...]
    point_transform: int = 0
    restart_rows: int = 0

    def __post_init__(self) -> None:
        fits = (
            1 <= self.rows <= 0xFFFF
            and 1 <= self.columns <= 0xFFFF
            and 2 <= self.precision <= 16
            and 1 <= self.predictor <= 7
            and 1 <= len(self.tables) <= _MOST_COMPONENTS
            and 0 <= self.point_transform < self.precision
            and 0 <= self.restart_rows * self.columns <= 0xFFFF
        )
        if not fits:
            message = "a lossless JPEG with an impossible size, precision or predictor"
            raise ValueError(message)

    @property
    def components(self) -> int:
        """Components that are interleaved."""
        return len(self.tables)

    @property
    def samples(self) -> int:
        """Samples of all components."""
        return self.rows * self.columns * self.components

    @property
    def start_value(self) -> int:
        """What the first sample is predicted as, without the bits that are not coded."""
        return 1 << (self.precision - self.point_transform - 1)


@dataclass(slots=True)
class _Header:
    """What the segments so far have said."""

    tables: dict[int, HuffmanTable] = field(default_factory=dict)
    restart: int = 0
    precision: int = 0
    rows: int = 0
    columns: int = 0
    components: tuple[int, ...] = ()

    def read(self, marker: int, body: bytes) -> None:
        if marker == _DHT:
            self._read_tables(body)
        elif marker == _DRI and len(body) == 2:
            (self.restart,) = struct.unpack(">H", body)
        elif marker == _SOF3:
            self._read_frame(body)
        elif marker in _FRAMES:
            message = f"a JPEG of another kind than lossless (SOF{marker - 0xC0})"
            raise ValueError(message)

    def _read_tables(self, body: bytes) -> None:
        while body:
            place, counts = body[0], body[1:17]
            end = 17 + sum(counts)
            if len(body) < max(end, 17):
                message = "a lossless JPEG with a cut Huffman table"
                raise ValueError(message)
            # Class 1 is for DCT coefficients; lossless scans do not use it.
            if place < 16:
                self.tables[place] = HuffmanTable(counts, body[17:end])
            body = body[end:]

    def _read_frame(self, body: bytes) -> None:
        if len(body) < 6 or len(body) != 6 + 3 * body[5] or self.components:
            message = "a lossless JPEG with a broken frame header"
            raise ValueError(message)
        self.precision, self.rows, self.columns, count = struct.unpack_from(">BHHB", body)
        self.components = tuple(body[6 + 3 * k] for k in range(count))
        if any(body[7 + 3 * k] != _UNSAMPLED for k in range(count)):
            message = "a lossless JPEG with subsampled components"
            raise ValueError(message)

    def scan(self, body: bytes) -> Scan:
        count = len(self.components)
        if not body or len(body) != 4 + 2 * body[0] or body[0] != count:
            message = "a lossless JPEG with components in scans of their own"
            raise ValueError(message)
        chosen = tuple(zip(body[1 : 1 + 2 * count : 2], body[2 : 2 + 2 * count : 2], strict=True))
        if tuple(component for component, _ in chosen) != self.components:
            message = "a lossless JPEG with components in another order"
            raise ValueError(message)
        missing = next((table >> 4 for _, table in chosen if table >> 4 not in self.tables), None)
        if missing is not None:
            message = f"a lossless JPEG without its Huffman table {missing}"
            raise ValueError(message)
        if self.restart % max(self.columns, 1):
            message = "a lossless JPEG with restarts within rows"
            raise ValueError(message)
        return Scan(
            rows=self.rows,
            columns=self.columns,
            precision=self.precision,
            predictor=body[-3],
            tables=tuple(self.tables[table >> 4] for _, table in chosen),
            point_transform=body[-1] & 15,
            restart_rows=self.restart // max(self.columns, 1),
        )


def read_scan(data: bytes | memoryview) -> tuple[Scan, int]:
    """Read the header of a lossless JPEG.

    Args:
        data: Bytes that begin with its SOI; any may follow its header.

    Returns:
        The scan, and how many bytes there are before its first entropy-coded one.

    Raises:
        ValueError: The bytes are no lossless JPEG, or one that `Scan` has no words for.
    """
    header, at = _Header(), 2
    if bytes(data[:2]) != bytes((0xFF, _SOI)):
        message = "bytes that do not begin as a JPEG does"
        raise ValueError(message)
    while True:
        # A marker may have any number of fill bytes before it.
        while bytes(data[at : at + 2]) == b"\xff\xff":
            at += 1
        marker, length = _segment(data, at)
        body = bytes(data[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == _SOS:
            return header.scan(body), at
        header.read(marker, body)


def _segment(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Marker of the segment at a place, and its length."""
    if at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = struct.unpack_from(">BH", data, at + 1)
        if length >= 2 and at + 2 + length <= len(data):
            return marker, length
    message = "a JPEG whose header is cut or broken"
    raise ValueError(message)


def write_scan(scan: Scan) -> bytes:
    """The header of a lossless JPEG, from SOI to the first entropy-coded byte.

    Each component has a table of its own, and their numbers count from 0.
    """
    count = scan.components
    tables = b"".join(
        bytes((k,)) + table.counts + table.categories for k, table in enumerate(scan.tables)
    )
    frame = struct.pack(">BHHB", scan.precision, scan.rows, scan.columns, count)
    frame += b"".join(bytes((k, _UNSAMPLED, 0)) for k in range(count))
    start = bytes((count, *(n for k in range(count) for n in (k, k << 4))))
    start += bytes((scan.predictor, 0, scan.point_transform))
    parts = [bytes((0xFF, _SOI)), _packed(_SOF3, frame), _packed(_DHT, tables)]
    if scan.restart_rows:
        parts.append(_packed(_DRI, struct.pack(">H", scan.restart_rows * scan.columns)))
    return b"".join([*parts, _packed(_SOS, start)])


def _packed(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body
