"""One table of orientations: images, positions and boxes agree."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.orientation import (
    compose,
    inverse,
    orient_box,
    orient_image,
    orient_position,
    oriented_size,
)


@pytest.mark.parametrize("orientation", range(1, 9))
class TestOrientations:
    def test_the_inverse_turns_back(self, orientation: int) -> None:
        assert compose(orientation, inverse(orientation)) == 1

    def test_composing_is_one_after_the_other(self, orientation: int) -> None:
        image = np.arange(12).reshape(3, 4)
        for then in range(1, 9):
            np.testing.assert_array_equal(
                orient_image(compose(orientation, then), image),
                orient_image(then, orient_image(orientation, image)),
            )

    def test_positions_go_where_their_pixels_go(self, orientation: int) -> None:
        image = np.arange(12).reshape(3, 4)
        turned = orient_image(orientation, image)
        assert turned.shape[::-1] == oriented_size(orientation, 4, 3)
        for y in range(3):
            for x in range(4):
                u, v = orient_position(orientation, x, y, 4, 3)
                assert turned[v, u] == image[y, x]

    def test_boxes_go_where_their_pixels_go(self, orientation: int) -> None:
        image = np.zeros((9, 14), np.uint8)
        image[2:5, 3:10] = 1
        turned = orient_image(orientation, image)
        left, top, width, height = orient_box(orientation, (3, 2, 7, 3), 14, 9)
        assert turned[top : top + height, left : left + width].all()
        assert turned.sum() == width * height
        back = orient_box(inverse(orientation), (left, top, width, height), *turned.shape[::-1])
        assert back == (3, 2, 7, 3)
