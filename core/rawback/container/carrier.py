"""Payloads in JPEG files: put in, taken out, removed without a trace.

Only APP11 segments of ours are ever added or taken away; every other byte of the file stays as it
is, in its order.
"""

from __future__ import annotations

from dataclasses import dataclass

from rawback.container.app11 import App11, Box, added_size, free_instance, split
from rawback.container.jumbf import unwrap, wrap, wrapped_size
from rawback.errors import PayloadDamaged, PayloadMissing, SignedCarrier
from rawback.jpeg_segments import APP2, APPLICATION, walk

__all__ = [
    "CarrierFile",
    "carried_size",
    "embed_payload",
    "extract_payload",
    "is_signed",
    "remove_payload",
]


@dataclass(frozen=True, slots=True)
class CarrierFile:
    """A JPEG file taken apart, once for all that is asked of it.

    Attributes:
        bare: The file's bytes without payloads of ours: the very file they were put into.
        added_size: Bytes by which those make it larger.
        boxes: The superboxes of ours, in the order of the file.
        signed: Whether it carries a C2PA manifest, which signs the file as it is.
    """

    bare: bytes
    added_size: int
    boxes: tuple[Box, ...]
    signed: bool

    @classmethod
    def parse(cls, jpeg: bytes) -> CarrierFile:
        """Take a JPEG file apart.

        Raises:
            UnsupportedCarrier: The bytes are not a JPEG.
            DamagedCarrier: The JPEG is cut or broken before its first scan.
        """
        app11 = App11.of(jpeg)
        boxes = app11.boxes()
        if not boxes:
            return cls(jpeg, 0, (), app11.signed)
        whole = memoryview(jpeg)
        parts: list[memoryview | bytes] = []
        position = 0
        for item, rest in app11.without(boxes):
            parts.extend((whole[position : item.start], rest))
            position = item.end
        bare = b"".join((*parts, whole[position:]))
        return cls(bare, len(jpeg) - len(bare), tuple(boxes), app11.signed)

    @property
    def whole(self) -> bool:
        """Whether a payload is there of which nothing is missing."""
        return any(box.whole for box in self.boxes)

    def payload(self, *, tolerate_cut: bool = False) -> bytes:
        """A copy of the payload.

        Args:
            tolerate_cut: Where a part of it is missing, return what stands before that.

        Raises:
            PayloadMissing: The file carries no payload of ours.
            PayloadDamaged: A part of the payload is missing, or its box makes no sense.
        """
        if not self.boxes:
            message = "The JPEG carries no rawback payload; give its .rawback file if it has one."
            raise PayloadMissing(message)
        for box in self.boxes:
            if box.whole:
                return unwrap(box.data)
        if tolerate_cut:
            return unwrap(self.boxes[0].data, tolerate_cut=True)
        message = "The JPEG has lost a part of its payload; fetch the file again."
        raise PayloadDamaged(message)

    def check_embeddable(self, *, force: bool = False) -> None:
        """Refuse at once what :meth:`with_payload` would refuse after all the work.

        Raises:
            UnsupportedCarrier: There is no room for another box.
            SignedCarrier: A C2PA manifest is there and `force` is not given.
        """
        if self.signed and not force:
            message = (
                "The JPEG is signed (C2PA) and its signature would no longer hold; embed first and "
                "sign afterwards, or use force."
            )
            raise SignedCarrier(message)
        free_instance(App11.of(self.bare).joined)

    def with_payload(self, payload: bytes) -> bytes:
        """The file's bytes with a packed payload in APP11, in the place of one that is there.

        Raises:
            UnsupportedCarrier: There is no room for another box.
            RateUnreachable: The payload is larger than 4 GiB.
        """
        position = _place(self.bare)
        packets = split(wrap(payload), free_instance(App11.of(self.bare).joined))
        whole = memoryview(self.bare)
        return b"".join((whole[:position], *packets, whole[position:]))


def embed_payload(jpeg: bytes, payload: bytes, *, force: bool = False) -> bytes:
    """Put a payload into a JPEG, in the place of one that is there already.

    Args:
        jpeg: The file's bytes.
        payload: A packed payload.
        force: Go on although a C2PA manifest is there, whose signature will no longer hold.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG, or have no room for another box.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        SignedCarrier: A C2PA manifest is there and `force` is not given.
        RateUnreachable: The payload is larger than 4 GiB.
    """
    file = CarrierFile.parse(jpeg)
    file.check_embeddable(force=force)
    return file.with_payload(payload)


def carried_size(payload_size: int) -> int:
    """Bytes by which a payload of so many bytes makes a JPEG larger: boxes and packets counted."""
    return added_size(wrapped_size(payload_size))


def extract_payload(jpeg: bytes, *, tolerate_cut: bool = False) -> bytes:
    """Take a copy of the payload out of a JPEG, see :meth:`CarrierFile.payload`.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        PayloadMissing: It carries no payload of ours.
        PayloadDamaged: A part of the payload is missing.
    """
    return CarrierFile.parse(jpeg).payload(tolerate_cut=tolerate_cut)


def remove_payload(jpeg: bytes) -> bytes:
    """Take every payload of ours out of a JPEG; one without any comes back as it is.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
    """
    return CarrierFile.parse(jpeg).bare


def is_signed(jpeg: bytes) -> bool:
    """Whether a JPEG carries a C2PA manifest, which signs the file as it is.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
    """
    return App11.of(jpeg).signed


def _place(jpeg: bytes) -> int:
    """Where our segments go: behind the application segments, but before a multi-picture index.

    The index (CIPA DC-007, 5.2) counts the offsets of further pictures from itself, so everything
    between it and them has to stay as it is.
    """
    position = 2
    for item in walk(jpeg):
        index = item.marker == APP2 and jpeg[item.body : item.body + 4] == b"MPF\0"
        if index or item.marker not in APPLICATION:
            break
        position = item.end
    return position
