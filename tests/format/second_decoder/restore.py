"""From the bytes of a carrier to the raw mosaic (the diagram of part 3 of FORMAT.md)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from .base import colours_of
from .border import border_remainders, with_border
from .carrier import carrier_digest, carrier_pixels, payload_bytes, superbox_of
from .domain import Domain
from .exact import ExactTile, Layout, Sensor, fitted_model, sensor, sensor_codes
from .filters import base_of
from .floats import Codes, Remainders
from .frame import spots_of, tiles_of
from .guide import guide_of, shows_nothing
from .metadata import Metadata, metadata_of
from .mosaics import Frame
from .offsets import offsets_of
from .payload import Header, Sections, read_payload
from .refusal import refuse, require
from .residual import with_residual
from .synthesis import with_learned_layer

if TYPE_CHECKING:
    from .arrays import Ints, Mosaic
    from .stored import Stored, Tables

BASE, FILTER, EXACT, CODES, REMAINDER = 1, 2, 4, 5, 10
MOST_PIXELS = 1 << 28


def _sensor(header: Header, sections: Sections, domain: Domain) -> Sensor | None:
    """What the two CODES sections tell, None unless both are there (3.10)."""
    codes, model = (sections.get((CODES, layer, 0)) for layer in (0, 1))
    if codes is None or model is None:
        return None
    colours, linear = header.pattern.colours, header.pattern.linear
    fitted = fitted_model(model, len(colours), linear=linear)
    return sensor(sensor_codes(codes, len(colours), linear=linear), fitted, domain)


def _samples(values: Ints, domain: Domain, frame: Frame) -> Ints:
    """The samples nearest to values, both in rows of samples (3.4)."""
    found = np.zeros_like(values)
    for channel in range(len(frame.pattern.colours)):
        here = frame.channels == channel
        found[here] = domain.samples(values[here], channel)
    return found


def _restored(
    values: Ints,
    spots: Ints,
    frame: Frame,
    sections: Sections,
    domain: Domain,
    found: Sensor | None,
    tables: Tables,
) -> tuple[Ints, bool]:
    """The rows of samples of these values, and whether they are the very ones (3.4, 3.10)."""
    samples = _samples(values, domain, frame)
    exact = True
    for number, (rows, columns) in enumerate(tiles_of(*spots.shape)):
        data = sections.get((EXACT, 0, number))
        if data is None or found is None:
            exact = False
            continue
        here = frame.within(rows, columns)
        layout = Layout.of(frame, rows, columns)
        part = np.clip(values[here], -32767, 32767)
        tile = ExactTile(found, tables, data, part, spots[rows, columns], layout)
        samples[here] = tile.samples()
    return samples, exact


def _remainders(
    samples: Ints, header: Header, sections: Sections, frame: Frame, tables: Tables, *, coded: bool
) -> tuple[Ints | None, bool]:
    """The remainders of rows of codes, if there are such, and whether all are known (3.16)."""
    if header.floats is None or not header.floats[2]:
        return None, True
    codes, data = Codes(*header.floats[:2]), sections.get((REMAINDER, 0, 0))
    if data is None:
        return None, False
    used, places = np.unique(samples, return_inverse=True)
    usual = np.array([codes.split(codes.meant(code))[1] for code in used.tolist()])
    found: Ints = usual[places.reshape(samples.shape)]
    count = header.width * header.height * header.pattern.samples
    decoder, whole = Remainders(codes, data, tables, count), True
    cells = samples.shape[0] // frame.pattern.side, samples.shape[1] // frame.pattern.across
    for number, (rows, columns) in enumerate(tiles_of(*cells)):
        section = sections.get((REMAINDER, 1, number))
        if section is None or not coded or (EXACT, 0, number) not in sections:
            whole = False
            continue
        here = frame.within(rows, columns)
        found[here] = decoder.tile(samples[here], section)
    return found, whole


def _check_carrier(header: Header, digest: bytes, sides: tuple[int, ...]) -> None:
    """Refuse a carrier that is not the one of the header (3.3)."""
    require(sides == (header.carrier_height, header.carrier_width), "another carrier's sides")
    require(digest == header.carrier_digest, "another carrier's pixels")


def _check_size(header: Header) -> None:
    """Refuse a raw that is too large, also beside its carrier (3.5)."""
    pixels = header.width * header.height
    require(pixels <= MOST_PIXELS, "too large a raw")
    require(pixels <= 256 * header.carrier_width * header.carrier_height, "too small a carrier")


def restore(jpeg: bytes, stored: Stored) -> Mosaic:
    """The raw mosaic [row, column] that a carrier restores; of linear frames [row, column, 3]."""
    return restore_all(jpeg, stored)[0]


def restore_all(jpeg: bytes, stored: Stored) -> tuple[Mosaic, Ints | None]:
    """The mosaic, and the remainders of its samples as far as sections tell of any (3.16)."""
    header, sections = read_payload(payload_bytes(superbox_of(jpeg)))
    require(header.tables == stored.tables.digest, "tables that this reader does not have")
    carrier = carrier_pixels(jpeg)
    if shows_nothing(header):
        carrier = np.zeros((1, 1, 3), np.uint8)
    else:
        _check_carrier(header, carrier_digest(carrier), carrier.shape[:2])
    _check_size(header)
    data = sections.get((BASE, 0, 0))
    if data is None:
        refuse("no base")
    offsets = offsets_of(header)
    guide, domain = guide_of(header, carrier), Domain(header, offsets)
    pattern = header.pattern
    frame = Frame(pattern, header.height, header.width)
    colours = colours_of(data, carrier, guide, header)
    spots = spots_of(colours, guide, pattern)
    base = base_of(sections.get((FILTER, 0, 0)), colours, spots, frame)
    base = with_learned_layer(base, guide, spots, sections, pattern, stored.networks)
    planes = with_residual(base, spots, sections, header.residual, domain, stored.tables)
    found = _sensor(header, sections, domain)
    values = frame.samples(planes)
    samples, exact = _restored(values, spots, frame, sections, domain, found, stored.tables)
    remainders, known = _remainders(
        samples, header, sections, frame, stored.tables, coded=found is not None
    )

    def cropped(rows: Ints) -> Ints:
        part = rows[: header.height, : header.width * pattern.samples]
        return part.reshape(*part.shape[:1], -1, pattern.samples) if pattern.linear else part

    visible = cropped(samples) if offsets is None else offsets.added(cropped(samples))
    mosaic = visible.astype(np.uint16)
    if remainders is not None:
        remainders = cropped(remainders)
    if exact and known and header.cfa_digest is not None:
        digest = hashlib.sha256(mosaic.astype("<u2").tobytes())
        if remainders is not None:
            digest.update(remainders.astype("<u4").tobytes())
        require(digest.digest() == header.cfa_digest, "another mosaic than the header's")
    return mosaic, remainders


def numbers_of(jpeg: bytes, mosaic: Mosaic, remainders: Ints | None) -> Ints:
    """The bits of the numbers that a carrier's whole mosaic stands for (3.13, 3.16)."""
    header, sections = read_payload(payload_bytes(superbox_of(jpeg)))
    if header.floats is None:
        refuse("no floating point numbers")
    codes, whole = Codes(*header.floats[:2]), with_border(mosaic, header, sections)
    rest = remainders
    if remainders is not None:
        rest = border_remainders(whole, remainders, header, sections)
    used = whole.ravel().tolist()
    if rest is None:
        bits = [codes.meant(code) for code in used]
    else:
        bits = [codes.number(*pair) for pair in zip(used, rest.ravel().tolist(), strict=True)]
    return np.array(bits, np.int64).reshape(whole.shape)


def sensor_of(jpeg: bytes, mosaic: Mosaic) -> tuple[Mosaic, Metadata]:
    """The whole mosaic around the one that a carrier restores, and its metadata (3.12, 3.13)."""
    header, sections = read_payload(payload_bytes(superbox_of(jpeg)))
    return with_border(mosaic, header, sections), metadata_of(sections)
