"""Edits as darktable stores them: XMP files that turn single modules on.

Parameters are the modules' own structures, packed as darktable 4.2 declares them; later versions
read them by their version numbers. Positions are shares of the picture, 0 to 1, from the top left.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EDITS", "Drawn", "Edit", "Module", "xmp"]

_BLEND_VERSION = 11
_MASK_VERSION = 6
_CIRCLE, _GROUP, _CLONE = 1, 4, 8
_USED_AND_SHOWN = 3
_GROUP_ID = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """A round shape drawn on the picture.

    Attributes:
        x: Its middle.
        y: The same.
        radius: As a share of the shorter side.
        border: Its soft rim, the same.
        source: Where a retouched spot is copied from; None for a mask.
    """

    x: float
    y: float
    radius: float
    border: float
    source: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A module that is on.

    Attributes:
        name: Darktable's name of it.
        version: Of its parameters.
        params: They.
        shapes: What is drawn for it: its mask, or the spots it retouches.
    """

    name: str
    version: int
    params: bytes
    shapes: tuple[Drawn, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody did to a picture before exporting it.

    Attributes:
        modules: In the order of the history.
        width: Greatest width of the export in pixels, as a share of the raw's; 0 for all of it.
    """

    modules: tuple[Module, ...] = ()
    width: float = 0.0


def _crop(left: float, top: float, right: float, bottom: float) -> Module:
    return Module("crop", 1, struct.pack("<4f2i", left, top, right, bottom, -1, -1))


def _flip(orientation: int) -> Module:
    """Bits of the orientation: 1 upside down, 2 mirrored left to right, 4 rows as columns."""
    return Module("flip", 2, struct.pack("<i", orientation))


def _ashift(
    rotation: float = 0.0,
    vertical: float = 0.0,
    horizontal: float = 0.0,
    shear: float = 0.0,
    crop: tuple[float, float, float, float] = (0, 1, 0, 1),
) -> Module:
    """Rotation in degrees, lens shifts, shear; the crop is left, right, top and bottom."""
    head = (rotation, vertical, horizontal, shear, 28.0, 1.0, 100.0, 1.0)
    params = struct.pack("<8f2i4f", *head, 0, 1, *crop) + bytes(4 * 200 + 4 + 4 * 8)
    return Module("ashift", 5, params)


def _lens(camera: str, lens: str, focal: float) -> Module:
    """Distortion, colour fringes and vignetting as lensfun knows them."""
    lensfun, everything, rectilinear = 1, 7, 1
    params = struct.pack("<3i5f", lensfun, everything, 0, 1.0, 1.5, focal, 5.6, 1000.0)
    params += struct.pack("<i128s128s", rectilinear, camera.encode(), lens.encode())
    params += struct.pack("<i4fi", 0, 1.0, 1.0, 0.0, 0.0, 1)
    return Module("lens", 6, params)


def _borders(share: float) -> Module:
    """A white frame, as wide as a share of the picture."""
    constant = -1.0
    params = struct.pack("<4f20sif", 1, 1, 1, constant, b"constant border", 0, share)
    params += struct.pack("<f20sf20s", 0.5, b"1/2", 0.5, b"1/2")
    params += struct.pack("<5fi", 0.0, 0.5, 0, 0, 0, 1)
    return Module("borders", 3, params)


def _retouch(*spots: Drawn) -> Module:
    """Spots that are healed from elsewhere in the picture."""
    heal, most = 2, 300
    forms = b"".join(
        struct.pack("<4ifi4fi", _GROUP_ID + 1 + number, 0, heal, 0, 10.0, 0, 0, 0, 0, 0, 2)
        for number in range(len(spots))
    )
    params = forms.ljust(44 * most, b"\0")
    params += struct.pack("<4i3f", heal, 0, 0, 0, -3.0, 0.0, 3.0)
    params += struct.pack("<ifi4fi", 0, 10.0, 0, 0, 0, 0, 0, 2000)
    return Module("retouch", 3, params, spots)


def _monochrome() -> Module:
    return Module("monochrome", 2, struct.pack("<4f", 32.0, 0.0, 2.0, 0.0))


def _tone_equaliser(*stops: float) -> Module:
    """Exposure compensation of nine bands, from -8 to 0 EV."""
    guided, norm = 4, 4
    tail = struct.pack("<6f3i", 5.0, 1.414, 1.0, 0.0, 0.0, 0.0, guided, norm, 1)
    return Module("toneequal", 2, struct.pack("<9f", *stops) + tail)


def _exposure(stops: float, *shapes: Drawn) -> Module:
    params = struct.pack("<i4fi", 0, 0.0, stops, 50.0, -4.0, 0)
    return Module("exposure", 6, params, shapes)


_HEALED = (
    Drawn(0.3, 0.4, 0.05, 0.02, (0.5, 0.6)),
    Drawn(0.6, 0.3, 0.04, 0.02, (0.4, 0.7)),
    Drawn(0.7, 0.75, 0.06, 0.02, (0.3, 0.8)),
)

EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "default": Edit(),
        "crop": Edit((_crop(0.12, 0.08, 0.88, 0.8),)),
        "turned 90": Edit((_flip(5),)),
        "turned 180": Edit((_flip(3),)),
        "mirrored": Edit((_flip(2),)),
        "rotation": Edit((_ashift(rotation=2.5, crop=(0.05, 0.95, 0.05, 0.95)),)),
        "perspective": Edit(
            (_ashift(1.0, 0.35, -0.25, 0.02, crop=(0.12, 0.88, 0.12, 0.88)),),
        ),
        "lens": Edit(
            (_lens("Canon EOS 300D DIGITAL", "Canon EF-S 18-55mm f/3.5-5.6", 18.0),),
        ),
        "width 50 %": Edit(width=0.5),
        "borders": Edit((_borders(0.1),)),
        "retouch": Edit((_retouch(*_HEALED),)),
        "monochrome": Edit((_monochrome(),)),
        "tone equaliser": Edit((_tone_equaliser(2, 2, 2, 1.5, 1, 0, -1, -2, -2),)),
        "mask +2.5 EV": Edit((_exposure(2.5, Drawn(0.4, 0.5, 0.25, 0.1)),)),
        "all": Edit(
            (
                _lens("Canon EOS 300D DIGITAL", "Canon EF-S 18-55mm f/3.5-5.6", 18.0),
                _ashift(rotation=-1.5, crop=(0.04, 0.96, 0.04, 0.96)),
                _crop(0.1, 0.1, 0.9, 0.85),
                _retouch(*_HEALED),
                _tone_equaliser(1, 1, 1, 1, 0.5, 0, -0.5, -1, -1),
                _borders(0.05),
            ),
            0.6,
        ),
    }
)
"""Edits that benchmarks export with, by name."""


def xmp(edit: Edit) -> bytes:
    """The XMP file that makes darktable develop a raw so."""
    items, masks = [], []
    for number, module in enumerate(edit.modules):
        mask = _GROUP_ID if module.shapes else 0
        fields = {
            "num": number,
            "operation": module.name,
            "enabled": 1,
            "modversion": module.version,
            "params": module.params.hex(),
            "multi_name": "",
            "multi_priority": 0,
            "blendop_version": _BLEND_VERSION,
            "blendop_params": _blending(mask).hex(),
        }
        items.append(_item(fields))
        if mask:
            masks += _forms(number, module.shapes)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/"'
        ' darktable:xmp_version="5" darktable:raw_params="0"'
        f' darktable:auto_presets_applied="0" darktable:history_end="{len(items)}">'
    )
    lists = "".join(
        f"<darktable:{name}><rdf:Seq>{''.join(found)}</rdf:Seq></darktable:{name}>"
        for name, found in (("masks_history", masks), ("history", items))
    )
    return f"{head}{lists}</rdf:Description></rdf:RDF></x:xmpmeta>\n".encode()


def _item(fields: Mapping[str, object]) -> str:
    words = (f"darktable:{name}={quoteattr(str(value))}" for name, value in fields.items())
    return f"<rdf:li {' '.join(words)}/>"


def _blending(mask: int) -> bytes:
    """Normal blending, inside a mask if there is one."""
    scene_rgb, normal, drawn, guide = 4, 24, 3, 5
    data = struct.pack("<3I2f", drawn if mask else 0, scene_rgb, normal, 0.0, 100.0)
    data += struct.pack("<3IfI4f", 0, mask, 0, 0.0, guide, 0.0, 0.0, 0.0, 0.0)
    data += bytes(12) + struct.pack("<4f", 0, 0, 1, 1) * 16
    return data.ljust(420, b"\0")


def _forms(number: int, shapes: tuple[Drawn, ...]) -> list[str]:
    """What is drawn for the module of that number, and the group of it all."""
    found, members = [], b""
    clone = 0
    for index, shape in enumerate(shapes):
        name = _GROUP_ID + 1 + index
        clone = 0 if shape.source is None else _CLONE
        points = struct.pack("<4f", shape.x, shape.y, shape.radius, shape.border)
        source = struct.pack("<2f", *(shape.source or (0.0, 0.0)))
        found.append(_form(number, name, _CIRCLE | clone, points, 1, source))
        members += struct.pack("<3if", name, _GROUP_ID, _USED_AND_SHOWN, 1.0)
    group = _form(number, _GROUP_ID, _GROUP | clone, members, len(shapes), bytes(8))
    return [*found, group]


def _form(number: int, name: int, kind: int, points: bytes, count: int, source: bytes) -> str:
    return _item(
        {
            "mask_num": number,
            "mask_id": name,
            "mask_type": kind,
            "mask_name": f"shape {name}",
            "mask_version": _MASK_VERSION,
            "mask_points": points.hex(),
            "mask_nb": count,
            "mask_src": source.hex(),
        }
    )
