"""Names of one shot's files, as cameras, phones, editors and file managers make them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback.batch.names import is_output_name, jpeg_keys, raw_keys

EXACT = [
    ("IMG_1.CR2", "IMG_1.JPG"),
    ("IMG_1.CR2", "img_1.jpeg"),
    ("IMG_1.CR2", "IMG_1.CR2.jpg"),
    (unicodedata.normalize("NFD", "Käse.dng"), unicodedata.normalize("NFC", "KÄSE.jpg")),
    ("straße.dng", "STRASSE.JPG"),
    ("PXL_20240531_120000000.dng", "PXL_20240531_120000000.jpg"),
    ("a_01.nef", "a_01.jpg"),
    ("IMG_20240531_120000_RAW.dng", "IMG_20240531_120000.jpg"),
]
DERIVED = [
    ("a.dng", "a_01.jpg"),
    ("a.dng", "a_12.jpg"),
    ("IMG_1.CR3", "IMG_1-Edit.jpg"),
    ("IMG_1.CR3", "IMG_1-Edit-2.jpg"),
    ("IMG_1.CR3", "IMG_1-edited.jpg"),
    ("IMG_1.CR3", "IMG_1_edited (2).jpg"),
    ("IMG_1.CR3", "IMG_1-2.jpg"),
    ("IMG_1.CR3", "IMG_1 (1).jpg"),
    ("IMG_1.CR3", "IMG_1(12).jpg"),
    ("IMG_1.CR3", "IMG_1 copy 2.jpg"),
    ("IMG_1.CR3", "IMG_1 - Copy.jpg"),
    ("IMG_1.CR3", "IMG_1 - Kopie (3).jpg"),
    ("IMG_1.CR3", "IMG_1-Enhanced-NR.jpg"),
    ("IMG_1.CR3", "IMG_1_DxO_DeepPRIME.jpg"),
    ("IMG_1.CR3", "IMG_1.CR3_01.jpg"),
    ("PXL_20240531_120000000.RAW-02.ORIGINAL.dng", "PXL_20240531_120000000.RAW-01.COVER.jpg"),
    ("PXL_20240531_120000000.RAW-02.ORIGINAL.dng", "PXL_20240531_120000000.RAW-01.MP.COVER.jpg"),
    ("PXL_20240531_120000000.RAW-02.ORIGINAL.dng", "PXL_20240531_120000000~2.jpg"),
    ("PXL_20240531_120000000.dng", "PXL_20240531_120000000.NIGHT.jpg"),
    ("IMG_20180531_120000.dng", "MVIMG_20180531_120000.jpg"),
    ("IMG_1234.DNG", "IMG_E1234.JPG"),
    ("IMG_1234.DNG", "IMG_E1234 (1).JPG"),
    ("WP_20140531_001__highres.dng", "WP_20140531_001_Pro.jpg"),
    ("IMG_1.CR3", "IMG_1_1.jpg"),
    ("IMG_1.CR3", "IMG_1 2.JPG"),
    ("IMG_1.CR3", "IMG_1-bearbeitet.jpg"),
    ("IMG_1.CR3", unicodedata.normalize("NFD", "IMG_1-modifié.jpg")),
    ("IMG_1.CR3", "Copy of IMG_1.JPG"),
    ("IMG_1.CR3", "Kopie von IMG_1 (1).JPG"),
    ("IMG_1.CR3", "IMG_1-scaled.jpg"),
    ("IMG_1.CR3", "IMG_1-1024x683.jpg"),
    ("IMG_1.CR3", "IMG_1_2048px.jpg"),
    ("IMG_1.CR3", "IMG_1_BW-2.jpg"),
    ("IMG_1.CR3", "IMG_1_CR3.jpg"),
    ("_DSC0001.NEF", "_DSC0001_NEF_01.jpg"),
    ("IMG_20180531_120000.dng", "IMG_20180531_120000_HDR.jpg"),
    ("IMG20240531120000.dng", "IMG20240531120000_Bokeh.jpg"),
]
NEITHER = [
    ("a.dng", "b.jpg"),
    ("a.dng", "a_001.jpg"),
    ("a.dng", "ab.jpg"),
    ("IMG_1.dng", "IMG_12.jpg"),
    ("IMG_1.dng", "IMG_1.tif.jpg"),
    ("PXL_20240531_120000000.RAW-02.ORIGINAL.dng", "PXL_20240531_120000001.RAW-01.COVER.jpg"),
    ("IMG_1234.DNG", "IMG_E12.JPG"),
    ("x.dng", "_01.jpg"),
    ("x.dng", "copy of .jpg"),
    ("DSC.nef", "DSC_0001.jpg"),
    ("IMG_1.dng", "IMG_1x1024.jpg"),
]


def kind(raw: str, jpeg: str) -> str:
    exact, derived = jpeg_keys(Path(jpeg))
    keys = raw_keys(Path(raw))
    if set(exact) & set(keys):
        return "exact"
    return "derived" if set(derived) & set(keys) else "neither"


@pytest.mark.parametrize(
    ("raw", "jpeg", "expected"),
    [
        (*pair, expected)
        for pairs, expected in ((EXACT, "exact"), (DERIVED, "derived"), (NEITHER, "neither"))
        for pair in pairs
    ],
)
def test_names_of_one_shot(raw: str, jpeg: str, expected: str) -> None:
    assert kind(raw, jpeg) == expected


@given(st.text(st.characters(exclude_characters="\0/"), min_size=1))
def test_any_name_has_keys(name: str) -> None:
    path = Path("x") / name
    assert raw_keys(path)
    exact, derived = jpeg_keys(path)
    assert exact
    assert not set(exact) & set(derived)


def test_long_names_take_no_long_time() -> None:
    name = "a" + "-edit" * 10_000 + " (1)" * 10_000
    exact, derived = jpeg_keys(Path(f"{name}.jpg"))
    assert exact == [name]
    assert len(derived) <= 8


def test_names_of_carriers() -> None:
    assert is_output_name(Path("a.rawback.jpg"))
    assert is_output_name(Path("IMG_1.JPG.Rawback.JPG"))
    assert not is_output_name(Path("rawback.jpg"))
    assert is_output_name(Path("a.rawback.dng"))
