"""Moments compared as instants, cameras without their makers' names."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rawback.batch.capture import Agreement, Capture

NOON = "2024-05-31 12:00:00"


def capture(second: str = "", fraction: str = "", hours: float | None = None) -> Capture:
    return Capture(
        datetime.fromisoformat(second) if second else None,
        fraction,
        None if hours is None else timedelta(hours=hours),
    )


CASES: list[tuple[Capture, Capture, Agreement]] = [
    (capture(NOON), capture(NOON), Agreement.SAME),
    (capture(NOON), capture(), Agreement.UNKNOWN),
    (capture(), capture(), Agreement.UNKNOWN),
    # Fractions of any length; the shorter was cut, or rounded.
    (capture(NOON, "12"), capture(NOON, "1200"), Agreement.SAME),
    (capture(NOON, "12"), capture(NOON, "1239"), Agreement.SAME),
    (capture(NOON, "13"), capture(NOON, "1260"), Agreement.SAME),
    (capture(NOON, "00"), capture("2024-05-31 11:59:59", "996"), Agreement.SAME),
    (capture(NOON, "12"), capture(NOON), Agreement.SAME),
    (capture(NOON, "12"), capture(NOON, "45"), Agreement.NEAR),
    (capture(NOON, "991"), capture("2024-05-31 12:00:01", "164"), Agreement.NEAR),
    (capture(NOON), capture("2024-05-31 12:00:05"), Agreement.NEAR),
    (capture(NOON), capture("2024-05-31 12:00:06"), Agreement.OTHER),
    # The same instant on clocks of other zones.
    (capture(NOON, hours=2), capture("2024-05-31 10:00:00", hours=0), Agreement.SAME),
    (capture(NOON, hours=5.75), capture("2024-05-30 20:15:00", hours=-10), Agreement.SAME),
    (capture(NOON, "5", 2), capture("2024-05-31 10:00:01", "2", 0), Agreement.NEAR),
    (capture(NOON, hours=2), capture(NOON, hours=1), Agreement.OTHER),
    # One clock's zone is not known.
    (capture(NOON, hours=2), capture(NOON), Agreement.SAME),
    (capture(NOON, hours=2), capture("2024-05-31 10:00:00"), Agreement.SHIFTED),
    (capture(NOON), capture("2024-06-01 01:45:01"), Agreement.SHIFTED),
    (capture(NOON), capture("2024-05-31 12:10:00"), Agreement.OTHER),
    (capture(NOON), capture("2024-06-02 12:00:00"), Agreement.OTHER),
]


@pytest.mark.parametrize(("one", "other", "expected"), CASES)
def test_moments(one: Capture, other: Capture, expected: Agreement) -> None:
    assert one.agreement(other) is expected
    assert other.agreement(one) is expected


def test_seconds_to_look_moments_up_by() -> None:
    abroad, home = capture(NOON, hours=2), capture("2024-05-31 10:00:00", hours=0)
    assert abroad.seconds & home.seconds
    assert capture(NOON).seconds & abroad.seconds
    assert not capture().seconds


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (("Canon", "Canon EOS 6D"), ("", "EOS 6D"), False),
        (("Canon", "Canon EOS 6D"), ("CANON", "eos 6d"), False),
        (("NIKON CORPORATION", "NIKON D850"), ("Nikon", "D850"), False),
        (("GoPro", "HERO7 Black"), ("", "GoPro HERO7 Black"), False),
        (("", ""), ("Canon", "Canon EOS 6D"), False),
        (("Canon", ""), ("Canon", "Canon EOS 6D"), False),
        (("Canon", "Canon EOS 6D"), ("Canon", "Canon EOS 5D"), True),
        (("NIKON CORPORATION", "NIKON D850"), ("Canon", "EOS D85"), True),
        (("Sony", "DSC-RX100M3"), ("Sony", "DSC-RX100M4"), True),
    ],
)
def test_cameras(one: tuple[str, str], other: tuple[str, str], differ: bool) -> None:
    mine, theirs = (Capture(make=make, model=model) for make, model in (one, other))
    assert mine.is_other_camera(theirs) is differ
    assert theirs.is_other_camera(mine) is differ
