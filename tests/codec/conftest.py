"""Made-up shots that the codec's tests share: each is prepared, and coded at each rate, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rawback_lab.scenes import Trial, made_up_shot

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def small() -> Trial:
    """97 x 131 pixels."""
    return Trial.of(*made_up_shot(131, 97))


@pytest.fixture(scope="package")
def sizeable() -> Trial:
    """200 x 152 pixels: large enough that sizes can be met to a few percent."""
    return Trial.of(*made_up_shot(152, 200, quality=85))


@pytest.fixture(scope="module")
def small_tiles() -> Iterator[None]:
    """Tiles of 32 cells, so that small frames have several."""
    patch = pytest.MonkeyPatch()
    patch.setattr("rawback.common.tiles.TILE", 32)
    yield
    patch.undo()
