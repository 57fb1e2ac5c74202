"""Superboxes in APP11: cut into packets, and found again.

A box travels as packets, one to a segment, each with the same head but for its number
(ISO/IEC 18477-3)::

    'JP'   En          Z           LBox   TBox     data
    2      instance 2  number 4    4      'jumb'   up to 65,517 bytes

Some software joins the bodies of all APP11 segments and splits them anew at 65,533 bytes, without
regard to packets. So packets are not looked for at the starts of segments alone: the head of the
next packet is known to the last bit, and where it does not start a segment it is sought in the
joined bodies.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

from rawback.container.jumbf import CONTENT_TYPE, PACKET
from rawback.errors import UnsupportedCarrier
from rawback.jpeg_segments import APP11, Segment, segment, walk

__all__ = ["App11", "Box", "added_size", "free_instance", "split"]

_HEAD = 16
_OURS = re.compile(
    rb"JP(..)\x00\x00\x00\x01(.{4})jumb.{4}jumd" + re.escape(CONTENT_TYPE), re.DOTALL
)
_SIGNATURE = re.compile(rb"jumd.{17}c2pa\x00", re.DOTALL)
_INSTANCE = re.compile(rb"JP(?=(..).{8}jumb)", re.DOTALL)
_FIRST_INSTANCE = 0x5242
_C2PA_INSTANCE = 0x0211


@dataclass(frozen=True, slots=True)
class Box:
    """A superbox as it was found.

    Attributes:
        data: The superbox; shorter than its own length field says if packets are missing.
        spans: Start and end of each of its packets in the joined bodies.
    """

    data: bytes
    spans: tuple[tuple[int, int], ...]

    @property
    def whole(self) -> bool:
        """Whether every byte of the box was found."""
        return len(self.data) == int.from_bytes(self.data[:4], "big")


@dataclass(frozen=True, slots=True)
class App11:
    """The bodies of a file's APP11 segments, joined.

    Attributes:
        segments: The APP11 segments in the order of the file.
        extents: Where in `joined` the body of each of them starts and ends.
        joined: The bodies, one behind the other.
    """

    segments: tuple[Segment, ...]
    extents: tuple[tuple[int, int], ...]
    joined: bytes

    @classmethod
    def of(cls, jpeg: bytes) -> App11:
        """Collect them from a JPEG.

        Raises:
            UnsupportedCarrier: The bytes are no JPEG.
            DamagedCarrier: The file is cut or broken before its first scan.
        """
        segments = tuple(item for item in walk(jpeg) if item.marker == APP11)
        ends = accumulate((item.end - item.body for item in segments), initial=0)
        whole = memoryview(jpeg)
        joined = b"".join(whole[item.body : item.end] for item in segments)
        return cls(segments, tuple(pairwise(ends)), joined)

    @property
    def signed(self) -> bool:
        """Whether a C2PA manifest store is among the boxes."""
        return _SIGNATURE.search(self.joined) is not None

    def boxes(self) -> list[Box]:
        """Our superboxes; where some start a segment, only those that do."""
        reader = PacketReader(self)
        starts = [item for item in _OURS.finditer(self.joined) if not self._nested(item)]
        boxes: list[Box] = []
        end = 0
        for match in [item for item in starts if item.start() in reader.ends] or starts:
            if match.start() >= end:
                boxes.append(reader.follow(match.start(), match[1], match[2]))
                end = max(after for _, after in boxes[-1].spans)
        return boxes

    def _nested(self, match: re.Match[bytes]) -> bool:
        """Whether a first packet is in a JPEG inside another box (a thumbnail in a manifest).

        Joining bodies drops the heads of their segments, so one in front of it was never dropped.
        """
        body = min(_HEAD + PACKET, 8 + int.from_bytes(match[2], "big"))
        head = segment(APP11, bytes(body))[:4]
        return self.joined[max(0, match.start() - 4) : match.start()] == head

    def without(self, boxes: list[Box]) -> list[tuple[Segment, bytes]]:
        """The segments that packets of `boxes` touch, and what to put in their places.

        Returns:
            Each touched segment, with a segment for the rest of its body, or with nothing where
            nothing is left of it.
        """
        spans = deque(sorted(span for box in boxes for span in box.spans))
        edits: list[tuple[Segment, bytes]] = []
        for item, (start, end) in zip(self.segments, self.extents, strict=True):
            rest: list[bytes] = []
            kept = start
            while spans and spans[0][0] < end:
                low, high = spans.popleft()
                rest.append(self.joined[kept:low])
                kept = max(kept, min(high, end))
                if high > end:
                    spans.appendleft((end, high))
            if kept > start:
                body = b"".join((*rest, self.joined[kept:end]))
                edits.append((item, segment(APP11, body) if body else b""))
        return edits


class PacketReader:
    """Follows the packets of a box from one to the next.

    A packet was once the body of a segment: it is at most that long, and where it starts a segment
    today it does not reach beyond it. So whatever is missing, no other data is taken for ours, and
    the work stays in proportion to the file.
    """

    def __init__(self, app11: App11) -> None:
        self.joined = app11.joined
        self.ends = {start: end for start, end in app11.extents if end > start}
        self.heads = {self.joined[start : start + _HEAD]: start for start in self.ends}

    def follow(self, start: int, instance: bytes, length: bytes) -> Box:
        """Collect the box whose first packet is at `start`."""
        missing = max(0, int.from_bytes(length, "big") - 8)
        chunks = [length + b"jumb"]
        spans: list[tuple[int, int]] = []
        position = start
        number = 1
        while position >= 0:
            number += 1
            head = b"JP" + instance + number.to_bytes(4, "big") + length + b"jumb"
            end, following = self.step(position, missing, head)
            chunks.append(self.joined[position + _HEAD : end])
            spans.append((position, end))
            missing -= len(chunks[-1])
            position = following if missing else -1
        return Box(b"".join(chunks), tuple(spans))

    def step(self, position: int, missing: int, head: bytes) -> tuple[int, int]:
        """Where a packet ends, and where the one that begins with `head` is (-1: nowhere)."""
        begin = position + _HEAD
        end = min(begin + min(missing, PACKET), self.ends.get(position, len(self.joined)))
        following = self.joined.find(head, begin, end + _HEAD)
        if following >= 0:
            return following, following
        # Not next to each other; each head is used up, so that packets cannot be met in circles.
        return end, self.heads.pop(head, -1)


def split(superbox: bytes, instance: int) -> list[bytes]:
    """Cut a superbox into APP11 segments, ready to be joined.

    Args:
        superbox: As `rawback.container.jumbf.wrap` makes it.
        instance: Box instance number, 0 to 65535.
    """
    front = b"JP" + instance.to_bytes(2, "big")
    head = superbox[:8]
    return [
        segment(APP11, front + number.to_bytes(4, "big") + head + superbox[start : start + PACKET])
        for number, start in enumerate(range(8, len(superbox), PACKET), start=1)
    ]


def added_size(superbox_size: int) -> int:
    """Bytes of all the segments that a superbox of so many bytes is cut into."""
    data = superbox_size - 8
    heads = -(-data // PACKET) * (len(segment(APP11, b"")) + _HEAD)
    return data + heads


def free_instance(joined: bytes) -> int:
    """A box instance number that no superbox in `joined` has, and that C2PA does not use.

    Raises:
        UnsupportedCarrier: All are taken.
    """
    taken = {int.from_bytes(match[1], "big") for match in _INSTANCE.finditer(joined)}
    taken.add(_C2PA_INSTANCE)
    for number in chain(range(_FIRST_INSTANCE, 1 << 16), range(1, _FIRST_INSTANCE)):
        if number not in taken:
            return number
    message = "The JPEG has no room for another JUMBF box; keep the payload in a .rawback file."
    raise UnsupportedCarrier(message)
