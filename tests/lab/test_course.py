"""The learning rate over steps, or over time."""

from __future__ import annotations

import time

import pytest

from rawback_lab.course import Course


def test_rates_rise_and_fall_with_steps() -> None:
    course = Course(1000, warm_up=100, least=0.1)
    assert course.rate(0) == pytest.approx(0.01)
    assert course.rate(99) == pytest.approx(0.98, abs=0.01)
    assert course.rate(500) == pytest.approx(0.55)
    assert course.rate(1000) == pytest.approx(0.1)
    assert course.share(1000) == 1
    rates = [course.rate(step) for step in range(100, 1000)]
    assert rates == sorted(rates, reverse=True)


def test_time_ends_a_training_that_steps_would_not() -> None:
    begun = time.monotonic()
    half = Course(10**9, minutes=10, started=begun - 5 * 60)
    assert half.share(1) == pytest.approx(0.5, abs=0.01)
    assert Course(10**9, minutes=10, started=begun - 11 * 60).share(1) == 1
    assert Course(100, minutes=10, started=begun).share(100) == 1
