"""Payloads in JPEG files: put in, taken out, removed without a trace.

Only APP11 segments of ours are ever added or taken away; every other byte of the file stays as it
is, in its order.
"""

from __future__ import annotations

from rawback.container.app11 import App11, added_size, free_instance, split
from rawback.container.jumbf import unwrap, wrap, wrapped_size
from rawback.container.segments import APP2, APPLICATION, walk
from rawback.errors import PayloadDamaged, PayloadMissing, SignedCarrier

__all__ = ["carried_size", "embed_payload", "extract_payload", "is_signed", "remove_payload"]


def embed_payload(jpeg: bytes, payload: bytes, *, force: bool = False) -> bytes:
    """Put a payload into a JPEG, in the place of one that is there already.

    Args:
        jpeg: The file's bytes.
        payload: A packed payload.
        force: Go on although a C2PA manifest is there, whose signature will no longer hold.

    Returns:
        The file's bytes with the payload in APP11.

    Raises:
        UnsupportedCarrier: The bytes are no JPEG, or have no room for another box.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        SignedCarrier: A C2PA manifest is there and `force` is not given.
        RateUnreachable: The payload is larger than 4 GiB.
    """
    bare = remove_payload(jpeg)
    app11 = App11.of(bare)
    if app11.signed and not force:
        message = (
            "The JPEG is signed (C2PA) and its signature would no longer hold; embed first and "
            "sign afterwards, or use force."
        )
        raise SignedCarrier(message)
    position = _place(bare)
    packets = split(wrap(payload), free_instance(app11.joined))
    whole = memoryview(bare)
    return b"".join((whole[:position], *packets, whole[position:]))


def carried_size(payload_size: int) -> int:
    """Bytes by which a payload of so many bytes makes a JPEG larger: boxes and packets counted."""
    return added_size(wrapped_size(payload_size))


def extract_payload(jpeg: bytes, *, tolerate_cut: bool = False) -> bytes:
    """Take a copy of the payload out of a JPEG.

    Args:
        jpeg: The file's bytes.
        tolerate_cut: Where a part of the payload is missing, return what stands before it.

    Raises:
        UnsupportedCarrier: The bytes are no JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        PayloadMissing: It carries no payload of ours.
        PayloadDamaged: A part of the payload is missing.
    """
    boxes = App11.of(jpeg).boxes()
    if not boxes:
        message = "The JPEG carries no rawback payload; give its .rawback file if it has one."
        raise PayloadMissing(message)
    for box in boxes:
        if box.whole:
            return unwrap(box.data)
    if tolerate_cut:
        return unwrap(boxes[0].data, tolerate_cut=True)
    message = "The JPEG has lost a part of its payload; fetch the file again."
    raise PayloadDamaged(message)


def remove_payload(jpeg: bytes) -> bytes:
    """Take every payload of ours out of a JPEG; one without any comes back as it is.

    Raises:
        UnsupportedCarrier: The bytes are no JPEG.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
    """
    app11 = App11.of(jpeg)
    whole = memoryview(jpeg)
    parts: list[memoryview | bytes] = []
    position = 0
    for item, rest in app11.without(app11.boxes()):
        parts.extend((whole[position : item.start], rest))
        position = item.end
    return b"".join((*parts, whole[position:]))


def is_signed(jpeg: bytes) -> bool:
    """Whether a JPEG carries a C2PA manifest, which signs the file as it is.

    Raises:
        UnsupportedCarrier: The bytes are no JPEG.
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
