"""Lossless JPEG in plain Python, straight from ITU-T T.81: slow, and independent of the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.ljpeg import Scan

__all__ = ["decode", "encode"]


def _prediction(scan: Scan, image: NDArray[np.int64], y: int, x: int, k: int) -> int:
    """T.81, H.1.2.1: the first row after a start goes by the left, first columns by above."""
    starts = y == 0 or bool(scan.restart_rows and y % scan.restart_rows == 0)
    if starts:
        return int(image[y, x - 1, k]) if x else 2 ** (scan.precision - scan.point_transform - 1)
    if x == 0:
        return int(image[y - 1, x, k])
    a, b, c = (int(v) for v in (image[y, x - 1, k], image[y - 1, x, k], image[y - 1, x - 1, k]))
    return {
        1: a,
        2: b,
        3: c,
        4: a + b - c,
        5: a + (b - c) // 2,
        6: b + (a - c) // 2,
        7: (a + b) // 2,
    }[scan.predictor]


def _code_words(scan: Scan) -> list[dict[int, str]]:
    words: list[dict[int, str]] = []
    for table in scan.tables:
        spelled: dict[int, str] = {}
        code, categories = 0, iter(table.categories)
        for length, count in enumerate(table.counts, start=1):
            for _ in range(count):
                spelled[next(categories)] = f"{code:0{length}b}"
                code += 1
            code *= 2
        words.append(spelled)
    return words


def _stuffed(bits: str, pad: int) -> bytes:
    bits += str(pad) * (-len(bits) % 8)
    packed = bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
    return packed.replace(b"\xff", b"\xff\0")


def encode(scan: Scan, samples: NDArray[np.uint16], *, wide: bool = False, pad: int = 1) -> bytes:
    """The entropy-coded segments with their restart markers. Raises KeyError without a code."""
    image = samples.astype(np.int64) >> scan.point_transform
    words = _code_words(scan)
    coded, bits, restarts = b"", "", 0
    for y in range(scan.rows):
        if y and scan.restart_rows and y % scan.restart_rows == 0:
            coded += _stuffed(bits, pad) + bytes((0xFF, 0xD0 + restarts % 8))
            bits, restarts = "", restarts + 1
        for x in range(scan.columns):
            for k in range(scan.components):
                step = (int(image[y, x, k]) - _prediction(scan, image, y, x, k)) % 65536
                step -= 65536 if step >= 32768 else 0
                category = abs(step).bit_length()
                bits += words[k][category]
                if category and (category < 16 or wide):
                    # T.81, table H.2: negative ones are spelled as one less, modulo 2 ** category.
                    # Of the two spellings that 16 bits give 2 ** 15, this is the negative one.
                    bits += f"{step if step > 0 else step - 1 + (1 << category):0{category}b}"
    return coded + _stuffed(bits, pad)


class _Ended(Exception):
    pass


def _bits(coded: bytes) -> Iterator[str]:
    at = 0
    while at < len(coded):
        if coded[at] == 0xFF:
            if coded[at + 1 : at + 2] != b"\0":
                break
            at += 1
            yield from "11111111"
        else:
            yield from f"{coded[at]:08b}"
        at += 1
    raise _Ended


def _segment_size(coded: bytes, bits: int) -> int:
    """Bytes that so many bits take, stuffing included."""
    at = 0
    for _ in range(-(-bits // 8)):
        at += 2 if coded[at] == 0xFF else 1
    return at


def decode(
    scan: Scan, coded: bytes, *, wide: bool = False
) -> tuple[NDArray[np.uint16], int] | None:
    """Samples and bytes used; None if the scan is damaged."""
    words = [{word: category for category, word in table.items()} for table in _code_words(scan)]
    image = np.zeros((scan.rows, scan.columns, scan.components), dtype=np.int64)
    start, restarts = 0, 0
    try:
        source, used = _bits(coded), 0
        for y in range(scan.rows):
            if y and scan.restart_rows and y % scan.restart_rows == 0:
                start += _segment_size(coded[start:], used)
                if coded[start : start + 2] != bytes((0xFF, 0xD0 + restarts % 8)):
                    return None
                start, restarts = start + 2, restarts + 1
                source, used = _bits(coded[start:]), 0
            for x in range(scan.columns):
                for k in range(scan.components):
                    word = ""
                    while word not in words[k]:
                        word += next(source)
                        if len(word) > 16:
                            return None
                    category = words[k][word]
                    more = category if category < 16 or wide else 0
                    value = "".join(next(source) for _ in range(more))
                    used += len(word) + more
                    step = 32768 if category == 16 and not wide else int(value or "0", 2)
                    if more and value[0] == "0":
                        step -= (1 << more) - 1
                    image[y, x, k] = (_prediction(scan, image, y, x, k) + step) % 65536
    except _Ended:
        return None
    samples = (image << scan.point_transform) % 65536
    return samples.astype(np.uint16), start + _segment_size(coded[start:], used)
