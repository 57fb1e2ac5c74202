"""What other software leaves of a payload, and that `verify` tells each case apart."""

from __future__ import annotations

import pytest

from rawback_lab.reliability.tools import CASES, Absent, Case, carrier, outcome

KEPT = "intact, restores exactly"
THEN = {
    "exiftool, tags edited": KEPT,
    "exiftool, all tags removed": "payload missing",
    "exiv2, tag edited": KEPT,
    "jpegtran -copy all": KEPT,
    "jpegtran -copy all, turned": "pixels changed",
    "jpegtran": "payload missing",
    "jpegoptim": "payload missing",
    "jpegoptim --strip-all": "payload missing",
    "jpegoptim, quality 80": "payload missing",
    "mozjpeg, lossless": KEPT,
    "JPEG XL, lossless, and back": KEPT,
    "ImageMagick, saved anew": "pixels changed",
    "ImageMagick, made smaller": "pixels changed",
    "Pillow, saved anew": "payload missing",
    "OpenCV, saved anew": "payload missing",
    "one segment lost": "payload cut",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_left(case: Case) -> None:
    try:
        changed = case.use(carrier())
    except Absent as error:
        pytest.skip(f"{error} is not installed")
    assert (changed == carrier()) is (case.name == "JPEG XL, lossless, and back")
    assert outcome(changed) == THEN[case.name]


def test_the_carrier_is_good_and_every_case_is_told() -> None:
    assert outcome(carrier()) == KEPT
    assert {case.name for case in CASES} == set(THEN)
