"""XMP packets: what they say about the picture, less what they say about its edits.

The packet of an exported JPEG tells what an editor did to make it, in the editor's own terms. In a
raw the same words would be instructions to do it again, so only descriptions go back into one.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

__all__ = ["descriptive_xmp"]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_XMP = "http://ns.adobe.com/xap/1.0/"

# Dublin Core, rights, Photoshop's and IPTC's captions and places, keywords, people.
_DESCRIPTIVE = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://www.metadataworkinggroup.com/schemas/keywords/": "mwg-kw",
}
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_PHOTOSHOP_CAPTIONS = {
    "AuthorsPosition", "CaptionWriter", "Category", "City", "Country", "Credit", "DateCreated",
    "Headline", "Instructions", "Source", "State", "SupplementalCategories",
    "TransmissionReference", "Urgency",
}  # fmt: skip
_RATINGS = {"Rating", "Label"}
_FORMAT = "{http://purl.org/dc/elements/1.1/}format"

_LARGEST = 1 << 20
_DEPTH = 64


def descriptive_xmp(packet: bytes) -> bytes | None:
    """The descriptive part of an XMP packet.

    Args:
        packet: The packet of a JPEG; anything, as it comes from strangers.

    Returns:
        A packet with titles, captions, keywords, rights, people, places and ratings; None where
        there are none, or where the packet cannot be read.
    """
    root = _parsed(packet)
    if root is None:
        return None
    kept = ET.Element(f"{{{_RDF}}}RDF")
    for description in root.iter(f"{{{_RDF}}}Description"):
        part = ET.Element(f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
        for name, value in description.attrib.items():
            if _is_descriptive(name):
                part.set(name, value)
        part.extend(child for child in description if _is_descriptive(child.tag))
        if len(part) or len(part.attrib) > 1:
            kept.append(part)
    if not len(kept):
        return None
    meta = ET.Element(f"{{{_META}}}xmpmeta")
    meta.append(kept)
    packed: bytes = ET.tostring(meta, encoding="utf-8")
    return packed


def _parsed(packet: bytes) -> ET.Element | None:
    if len(packet) > _LARGEST:
        return None
    for encoding in ("utf-8-sig", "utf-16"):
        try:
            text = packet.decode(encoding).strip("\0 \r\n\t")
            break
        except UnicodeDecodeError:
            continue
    else:
        return None
    # Entities are where small files grow without end, and XMP has no use for them.
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 -- see above
    except (ET.ParseError, ValueError):
        return None
    return root if _depth(root) <= _DEPTH else None


def _depth(root: ET.Element) -> int:
    """How deep elements nest, found without recursion."""
    depth, level = 0, [root]
    while level and depth <= _DEPTH:
        level = [child for element in level for child in element]
        depth += 1
    return depth


def _is_descriptive(name: str) -> bool:
    space, _, local = name.removeprefix("{").partition("}")
    if name == _FORMAT:
        return False  # that of the JPEG
    if space == _XMP:
        return local in _RATINGS
    if space == _PHOTOSHOP:
        return local in _PHOTOSHOP_CAPTIONS
    return space in _DESCRIPTIVE


for _space, _prefix in {**_DESCRIPTIVE, _PHOTOSHOP: "photoshop", _XMP: "xmp", _META: "x"}.items():
    ET.register_namespace(_prefix, _space)
