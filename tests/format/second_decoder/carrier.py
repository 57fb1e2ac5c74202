"""The carrier: its JUMBF superbox and its pixels (1.1 to 1.3 and the start of 3.3 of FORMAT.md)."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .refusal import RefusedError, refuse, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arrays import Bytes8

CONTENT_TYPE = bytes.fromhex("586bd79b135d42899adfdcd66b96ab6c")
PACKET_HEAD = 16
PACKET_DATA = 65_517
FIRST_PACKET = re.compile(
    rb"(?=JP..\x00\x00\x00\x01....jumb....jumd" + re.escape(CONTENT_TYPE) + rb")", re.DOTALL
)


def app11_bodies(jpeg: bytes) -> Iterator[bytes]:
    """The bodies of all APP11 segments before the first scan (1.3)."""
    require(jpeg[:2] == b"\xff\xd8", "no JPEG")
    at = 2
    while at + 4 <= len(jpeg):
        require(jpeg[at] == 0xFF, "no marker where one must be")
        marker = jpeg[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            return
        size = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == 0xEB:
            yield jpeg[at + 4 : at + 2 + size]
        at += 2 + size
    refuse("no scan")


@dataclass(frozen=True)
class Joined:
    """The joined bodies of the APP11 segments, and where each of them begins and ends (1.3)."""

    data: bytes
    ends: dict[int, int]

    def is_embedded(self, at: int) -> bool:
        """Whether a first packet follows its own segment head: a JPEG in another box (1.3)."""
        box = int.from_bytes(self.data[at + 8 : at + 12], "big")
        size = 2 + PACKET_HEAD + min(box - 8, PACKET_DATA)
        return self.data[max(at - 4, 0) : at] == b"\xff\xeb" + size.to_bytes(2, "big")

    def first_packets(self) -> list[int]:
        """Where first packets of ours begin (1.3, point 1)."""
        found = [match.start() for match in FIRST_PACKET.finditer(self.data)]
        return [at for at in found if at in self.ends] or [
            at for at in found if not self.is_embedded(at)
        ]

    def packet_end(self, at: int, following: bytes, missing: int) -> int:
        """Where the data of the packet at `at` end (1.3, point 2)."""
        start = at + PACKET_HEAD
        limit = start + min(PACKET_DATA, missing)
        found = self.data.find(following, start, limit + PACKET_HEAD)
        if found >= 0:
            return found
        return min(limit, self.ends.get(at, limit), len(self.data))

    def next_packet(self, end: int, following: bytes) -> int | None:
        """Where the packet with the head `following` begins (1.3, points 2 and 3)."""
        places = [end, *self.ends]
        return next((at for at in places if self.data.startswith(following, at)), None)

    def superbox(self, first: int) -> bytes | None:
        """The superbox whose first packet begins at `first`, or None if it is damaged (1.3)."""
        head = self.data[first : first + PACKET_HEAD]
        size = int.from_bytes(head[8:12], "big")
        box = head[8:16]
        at: int | None = first
        number = 1
        while at is not None:
            number += 1
            following = head[:4] + number.to_bytes(4, "big") + head[8:]
            end = self.packet_end(at, following, size - len(box))
            box += self.data[at + PACKET_HEAD : end]
            if len(box) >= size:
                return box
            at = self.next_packet(end, following)
        return None


def superbox_of(jpeg: bytes) -> bytes:
    """The first whole superbox of ours in a JPEG (1.3)."""
    bodies = list(app11_bodies(jpeg))
    ends: dict[int, int] = {}
    at = 0
    for body in bodies:
        start, at = at, at + len(body)
        ends[start] = at
    joined = Joined(b"".join(bodies), ends)
    for first in joined.first_packets():
        box = joined.superbox(first)
        if box is not None:
            return box
    msg = "no whole superbox"
    raise RefusedError(msg)


def payload_bytes(box: bytes) -> bytes:
    """What the first `bidb` box in a superbox holds (1.1)."""
    at = 8
    while at + 8 <= len(box):
        size = int.from_bytes(box[at : at + 4], "big")
        require(8 <= size <= len(box) - at, "a box has an impossible size")
        if box[at + 4 : at + 8] == b"bidb":
            return box[at + 8 : at + size]
        at += size
    msg = "no bidb box"
    raise RefusedError(msg)


def carrier_pixels(jpeg: bytes) -> Bytes8:
    """The carrier's decoded pixels, [height, width, RGB] (3.3)."""
    with Image.open(io.BytesIO(jpeg)) as image:
        require(image.format in ("JPEG", "MPO"), "no JPEG")
        require(image.mode in ("L", "RGB"), "a JPEG of neither RGB nor grey")
        return np.asarray(image.convert("RGB"), np.uint8)


def carrier_digest(pixels: Bytes8) -> bytes:
    """The digest of the carrier's pixels as the header has it (3.3)."""
    height, width = pixels.shape[:2]
    sides = height.to_bytes(4, "big") + width.to_bytes(4, "big")
    return hashlib.sha256(sides + pixels.tobytes()).digest()[:16]
