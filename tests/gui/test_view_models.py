# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at, without a window: places, states, actions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback_gui.models.actions import ACTIONS, MENUS
from rawback_gui.models.orientation import (
    from_upright,
    to_raw,
    to_upright,
    upright,
    upright_size,
)
from rawback_gui.models.state import SOURCES, Source, ViewState, changed, resolved
from rawback_gui.models.viewport import Viewport


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_turn_with_the_picture(orientation: int) -> None:
    marked = np.zeros((30, 40), np.uint8)
    marked[6:10, 4:12] = 1
    turned = upright(marked, orientation)
    left, top, width, height = to_upright((4, 6, 8, 4), orientation, 40, 30)
    assert turned.shape[::-1] == upright_size(orientation, 40, 30)
    assert turned[top : top + height, left : left + width].all()
    assert turned.sum() == width * height
    assert to_raw((left, top, width, height), orientation, 40, 30) == (4, 6, 8, 4)
    assert np.array_equal(from_upright(turned, orientation), marked)


@given(
    zoom=st.floats(0.1, 30),
    at=st.tuples(st.floats(0, 799), st.floats(0, 599)),
    place=st.tuples(st.floats(0, 4000), st.floats(0, 3000)),
)
def test_what_is_under_the_pointer_stays_there(
    zoom: float, at: tuple[float, float], place: tuple[float, float]
) -> None:
    view = Viewport(800, 600, 4000, 3000, *place, zoom=0.5, fitted=False)
    zoomed = view.zoomed(zoom, at)
    inside = zoomed.zoomed(zoomed.zoom * 2, at)
    before, after = zoomed.to_picture(*at), inside.to_picture(*at)
    # From 1:1 on pictures lie on whole device pixels.
    near = 0.51 * (1 / zoomed.zoom + 1 / inside.zoom)
    assert after == pytest.approx(before, abs=near) or inside.zoom == zoomed.zoom
    if inside.zoom >= 1:
        start = inside.to_pane(0, 0)
        assert start == pytest.approx([round(part) for part in start], abs=1e-6)
    left, top, width, height = zoomed.visible()
    assert 0 <= left <= left + width <= 4000
    assert 0 <= top <= top + height <= 3000
    assert left % 2 == top % 2 == 0


def test_fitting_follows_the_pane_and_one_to_one_does_not() -> None:
    view = Viewport().resized(800, 600).of_picture(4000, 3000)
    assert view.zoom == pytest.approx(0.2)
    assert view.resized(400, 600).zoom == pytest.approx(0.1)
    actual = view.zoomed(1.0)
    assert actual.resized(400, 300).zoom == 1
    assert actual.panned(10, -20).to_picture(0, 0) == pytest.approx((1590, 1220))
    assert actual.panned(1e9, 1e9).visible()[:2] == (0, 0)
    assert actual.fit().visible() == (0, 0, 4000, 3000)


def test_states_tell_what_differs() -> None:
    state = ViewState()
    assert changed(state, replace(state, divider=0.2, layout="side")) == {"divider", "layout"}
    assert changed(state, ViewState()) == frozenset()


@given(
    left=st.sampled_from(SOURCES),
    right=st.sampled_from(SOURCES),
    available=st.sets(st.sampled_from(SOURCES), min_size=1),
)
def test_two_pictures_are_shown_where_there_are_two(
    left: Source, right: Source, available: set[Source]
) -> None:
    state = resolved(ViewState(left=left, right=right), frozenset(available))
    assert {state.left, state.right} <= available
    if left != right and len(available) > 1:
        assert state.left != state.right
    if {left, right} <= available:
        assert (state.left, state.right) == (left, right)


def test_every_action_has_a_shortcut_of_its_own() -> None:
    keys = [key for action in ACTIONS for key in action.shortcuts]
    assert len(keys) == len(set(keys))
    assert all(action.shortcuts for action in ACTIONS)
    assert {action.menu for action in ACTIONS} == set(MENUS)
    for menu in MENUS:
        texts = [action.text for action in ACTIONS if action.menu == menu]
        marks = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert len(marks) == len(set(marks)), menu
