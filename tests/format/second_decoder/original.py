"""The raw file itself, from its recipe and all samples (3.14 of FORMAT.md)."""

from __future__ import annotations

import hashlib
import lzma
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .payload import Source, cbor
from .refusal import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def batched(items: Any, count: int) -> list[Any]:
    """Items in groups of so many (3.14)."""
    return [items[at : at + count] for at in range(0, len(items), count)]


def runs(data: bytes) -> bytes:
    """What runs give together (3.14)."""
    source = Source(data)
    parts = []
    while not source.at_end:
        kind = source.take(1)[0]
        size, length = source.varint(), source.varint()
        coded = source.take(length)
        require(kind in (0, 1), "a run of an unknown kind")
        if kind == 1:
            dictionary = min(max(1 << max(size - 1, 0).bit_length(), 1 << 12), 1 << 26)
            settings = {"id": lzma.FILTER_LZMA2, "dict_size": dictionary, "lc": 0, "lp": 0, "pb": 0}
            coded = lzma.decompress(coded, lzma.FORMAT_RAW, filters=[settings])
        require(len(coded) == size, "a run of another size")
        parts.append(coded)
    return b"".join(parts)


def behind_lengths(source: Source, count: int) -> list[bytes]:
    """Parts, each behind its length (3.14)."""
    return [source.take(source.varint()) for _ in range(count)]


def signed(source: Source) -> int:
    """A number of either sign (3.14)."""
    value = source.varint()
    return -(value + 1) // 2 if value % 2 else value // 2


@dataclass
class Plan:
    """The head (3.14)."""

    size: int
    digest: bytes
    method: int
    grid: tuple[int, ...]
    place: tuple[int, ...]
    coding: tuple[int, ...]

    def chunk(self, number: int) -> tuple[slice, slice]:
        """Where a chunk lies on the grid (3.14)."""
        rows, columns, high, wide = self.grid
        down, across = divmod(number, columns // wide)
        bottom = min((down + 1) * high, rows)
        return slice(down * high, bottom), slice(across * wide, (across + 1) * wide)


def original(recipe: bytes, mosaic: NDArray[np.integer[Any]]) -> bytes:
    """The file (3.14)."""
    source = Source(recipe)
    head, container, chunks, samples, patches = behind_lengths(source, 5)
    require(source.at_end, "bytes behind a recipe")
    fields = cbor(Source(head))
    require(list(fields) == [1, 2, 3, 4, 5, 6, 7], "another head")
    plan = Plan(*(fields[key] for key in range(2, 8)))
    file = bytearray(runs(container))
    if plan.method:
        grid = grid_of(plan, samples, mosaic.astype(np.int64).reshape(mosaic.shape[0], -1))
        file = assembled(plan, grid, Source(runs(chunks)), bytes(file))
    places = Source(runs(patches))
    at = -1
    while not places.at_end:
        at += places.varint() + 1
        file[at] = places.take(1)[0]
    require(len(file) == plan.size, "a file of another size")
    require(hashlib.sha256(file).digest() == plan.digest, "another file")
    return bytes(file)


def grid_of(plan: Plan, coded: bytes, mosaic: NDArray[np.int64]) -> NDArray[np.int64]:
    """All samples that the file stores (3.14)."""
    source = Source(coded)
    turns, table, singles, border = (Source(runs(p)) for p in behind_lengths(source, 4))
    require(source.at_end, "bytes behind the samples")
    if turns.data:
        by: list[int] = []
        for row in range(len(mosaic)):
            above = by[row - 4] if row >= 4 else 0
            by.append((above + turns.varint()) % mosaic.shape[1])
        mosaic = np.stack([np.roll(row, turn) for row, turn in zip(mosaic, by, strict=True)])
    if table.data:
        replacing = np.zeros(1 << 16, np.int64)
        before = after = 0
        while not table.at_end:
            before += table.varint()
            after += signed(table)
            replacing[before] = after
        mosaic = replacing[mosaic]
    flat = mosaic.flatten()
    at = -1
    while not singles.at_end:
        at += singles.varint() + 1
        flat[at] += signed(singles)
    return with_border(plan, border, flat.reshape(mosaic.shape))


def with_border(plan: Plan, coded: Source, mosaic: NDArray[np.int64]) -> NDArray[np.int64]:
    """The mosaic on its grid, and the bands around it (3.14)."""
    rows, columns = plan.grid[:2]
    top, left, high, wide = plan.place
    bottom, right = top + high, left + wide
    grid = np.zeros((rows, columns), np.int64)
    grid[top:bottom, left:right] = mosaic
    bands = [
        [(r, c) for r in range(start, end) for c in range(first, last)]
        for start, end, first, last in (
            (0, top, left, right),
            (bottom, rows, left, right),
            (0, rows, 0, left),
            (0, rows, right, columns),
        )
    ]
    count = sum(map(len, bands))
    if not count:
        return grid
    guesses = coded.take(4)
    halves = zip(coded.take(count), coded.take(count), strict=True)
    numbers = [low + 256 * high for low, high in halves]
    values = iter([n >> 1 if n % 2 == 0 else 65535 - (n >> 1) for n in numbers])
    for guess, band in zip(guesses, bands, strict=True):
        differences: list[int] = []
        for place in band:
            difference = next(values)
            if guess == 3 and len(differences) >= 2:
                difference += differences[-2]
            differences.append(difference)
            guessed = guess_at(guess, place, plan.place, grid)
            grid[place] = (difference + guessed) % 65536
    return grid


def guess_at(
    guess: int, at: tuple[int, int], place: tuple[int, ...], grid: NDArray[np.int64]
) -> int:
    """What a sample around the mosaic is likely to be (3.14)."""
    require(guess <= 4, "an unknown guess")
    if guess in (0, 3):
        return 0
    shrinks = guess == 4 and min(place[2:]) > 2
    nearest = []
    for axis in (0, 1):
        first, last = place[axis] + shrinks, place[axis] + place[axis + 2] - 1 - shrinks
        step = 2 if guess == 2 and last > first else 1
        position = at[axis]
        while position < first:
            position += step
        while position > last:
            position -= step
        nearest.append(position)
    return int(grid[nearest[0], nearest[1]])


def assembled(plan: Plan, grid: NDArray[np.int64], chunks: Source, container: bytes) -> bytearray:
    """The container with the coded chunks between its bytes (3.14)."""
    rest = Source(container)
    file = bytearray()
    number = 0
    for _ in range(chunks.varint()):
        number += signed(chunks)
        file += rest.take(chunks.varint())
        chunk = grid[plan.chunk(number)]
        number += 1
        if plan.method == 1:
            for row, packed in enumerate(packed_rows(chunk, *plan.coding)):
                file += (rest.take(plan.coding[2]) if row else b"") + packed
        else:
            length, pad = divmod(chunks.varint(), 2)
            file += jpeg(chunk, bytes(file[len(file) - length :]), pad, *plan.coding)
    return file + rest.rest()


def packed_rows(
    chunk: NDArray[np.int64], bits: int, order: int, _gap: int, continuous: int
) -> Iterator[bytes]:
    """Rows of samples in bytes (3.14)."""
    for row in [chunk.flatten()] if continuous else chunk:
        if order < 2:
            yield row.astype({8: "u1", 16: (">u2" if order else "<u2")}[bits]).tobytes()
        elif order == 6:
            yield csi_2(row.tolist(), bits)
        else:
            word = {4: 2, 5: 4}.get(order, 1)
            stream = "".join(f"{v:0{bits}b}"[:: -1 if order == 3 else 1] for v in row)
            stream += "0" * (-len(stream) % (8 * word))
            octets = [o[:: -1 if order == 3 else 1] for o in batched(stream, 8)]
            yield b"".join(bytes(w[::-1]) for w in batched([int(o, 2) for o in octets], word))


def csi_2(row: list[int], bits: int) -> bytes:
    """Upper 8 bits of some samples, then their lower ones (3.14)."""
    low, count = bits - 8, 2 if bits == 12 else 4
    packed = b""
    for group in batched(row + [0] * (-len(row) % count), count):
        packed += bytes(v >> low for v in group)
        lower = sum((v & (1 << low) - 1) << low * k for k, v in enumerate(group))
        packed += lower.to_bytes(low * count // 8, "little")
    return packed


@dataclass
class Scan:
    """What a header of lossless JPEG says (T.81, annex B)."""

    codes: list[dict[int, str]]
    precision: int
    rows: int
    columns: int
    predictor: int
    shift: int
    restart: int


def scan_of(header: bytes) -> Scan:
    """Read a header (T.81, annex B)."""
    source = Source(header)
    require(source.take(2) == b"\xff\xd8", "no JPEG")
    tables: dict[int, dict[int, str]] = {}
    restart, frame, start = 0, b"", b""
    while not start:
        marker, length = source.number(2), source.number(2)
        body = Source(source.take(length - 2))
        if marker == 0xFFC4:
            while not body.at_end:
                place, counts = body.take(1)[0], body.take(16)
                tables[place], code = {}, 0
                for size, count in enumerate(counts, 1):
                    for category in body.take(count):
                        tables[place][category] = f"{code:0{size}b}"
                        code += 1
                    code *= 2
        elif marker == 0xFFDD:
            restart = body.number(2)
        elif marker == 0xFFC3:
            frame = body.rest()
        elif marker == 0xFFDA:
            start = body.rest()
    numbers = Source(frame)
    precision, rows, columns = numbers.number(1), numbers.number(2), numbers.number(2)
    codes = [tables[start[2 + 2 * k] >> 4] for k in range(start[0])]
    return Scan(codes, precision, rows, columns, start[-3], start[-1] & 15, restart // columns)


def jpeg(
    chunk: NDArray[np.int64], header: bytes, pad: int, arrangement: int, wide: int, *slices: int
) -> bytes:
    """The entropy-coded segments of a chunk (3.14)."""
    scan = scan_of(header)
    count = len(scan.codes)
    if arrangement == 1:
        cells = chunk.reshape(scan.rows, 2, scan.columns, 2).transpose(0, 2, 1, 3)
        chunk = cells.reshape(scan.rows, -1)
    elif arrangement == 2:
        chunk = chunk[: scan.rows, : scan.columns * count]
    elif slices:
        ends = np.cumsum(slices)
        parts = [chunk[:, end - wide_ : end] for end, wide_ in zip(ends, slices, strict=True)]
        chunk = np.concatenate([part.flatten() for part in parts])
    image = chunk.reshape(scan.rows, scan.columns, count) >> scan.shift
    coded, bits = b"", ""
    for row in range(scan.rows):
        starts = row == 0 or (scan.restart and row % scan.restart == 0)
        if row and starts:
            coded += stuffed(bits, pad) + bytes((0xFF, 0xD0 + (row // scan.restart - 1) % 8))
            bits = ""
        for column in range(scan.columns):
            for k in range(count):
                base = prediction(scan, image, row, column, k, starts=bool(starts))
                difference = (int(image[row, column, k]) - base + 32768) % 65536 - 32768
                category = abs(difference).bit_length()
                more = 0 if category == 16 and not wide else category
                value = (difference - (difference < 0)) % (1 << more)
                bits += scan.codes[k][category] + (f"{value:0{more}b}" if more else "")
    return coded + stuffed(bits, pad)


def prediction(
    scan: Scan, image: NDArray[np.int64], row: int, column: int, k: int, *, starts: bool
) -> int:
    """What a sample is predicted as (T.81, H.1.2.1)."""
    if starts:
        return int(image[row, column - 1, k]) if column else 1 << scan.precision - scan.shift - 1
    b = int(image[row - 1, column, k])
    if column == 0:
        return b
    a, c = int(image[row, column - 1, k]), int(image[row - 1, column - 1, k])
    choices = (a, b, c, a + b - c, a + (b - c >> 1), b + (a - c >> 1), a + b >> 1)
    return choices[scan.predictor - 1]


def stuffed(bits: str, pad: int) -> bytes:
    """Bits in bytes, with a 0 behind each that is all ones (T.81, F.1.2.3)."""
    bits += str(pad) * (-len(bits) % 8)
    return bytes(int(o, 2) for o in batched(bits, 8)).replace(b"\xff", b"\xff\0")
