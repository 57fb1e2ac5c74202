"""No two files of a batch are written to one name."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from rawback.batch.outputs import distinct_outputs

if TYPE_CHECKING:
    import random


def carriers(*sources: str, folder: str | None = None) -> dict[str, str]:
    paths = [Path(source) for source in sources]
    wanted = [
        (path.parent if folder is None else Path(folder)) / f"{path.stem}.rawback.jpg"
        for path in paths
    ]
    return {str(p): str(o) for p, o in zip(paths, distinct_outputs(paths, wanted), strict=True)}


def test_names_that_differ_stay() -> None:
    assert carriers("x/a.jpg", "x/b.jpg", "y/a.jpg") == {
        "x/a.jpg": "x/a.rawback.jpg",
        "x/b.jpg": "x/b.rawback.jpg",
        "y/a.jpg": "y/a.rawback.jpg",
    }


def test_endings_tell_jpegs_apart() -> None:
    assert carriers("IMG_1.JPG", "IMG_1.jpeg", "IMG_1.jpg") == {
        "IMG_1.jpg": "IMG_1.rawback.jpg",
        "IMG_1.JPG": "IMG_1.JPG.rawback.jpg",
        "IMG_1.jpeg": "IMG_1.jpeg.rawback.jpg",
    }


def test_folders_tell_cards_apart() -> None:
    assert carriers("card1/DCIM/1.JPG", "card2/100/1.JPG", "card3/100/1.JPG", folder="out") == {
        "card1/DCIM/1.JPG": "out/1.rawback.jpg",
        "card2/100/1.JPG": "out/1.100.rawback.jpg",
        "card3/100/1.JPG": "out/1_2.rawback.jpg",
    }


def test_a_name_that_is_given_out_is_not_given_again() -> None:
    assert carriers("a.jpg", "a.JPG", "a.JPG.jpg") == {
        "a.jpg": "a.rawback.jpg",
        "a.JPG": "a_2.rawback.jpg",
        "a.JPG.jpg": "a.JPG.rawback.jpg",
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "x", "y/x"]),
            st.sampled_from(["a", "A", "a_2", "a.x", "\u00e4", "a\u0308"]),
            st.sampled_from([".jpg", ".JPG", ".jpeg"]),
        ),
        unique=True,
    ),
    st.booleans(),
    st.randoms(),
)
def test_always_distinct_and_in_any_order(
    parts: list[tuple[str, str, str]], together: bool, order: random.Random
) -> None:
    sources = [f"{folder}/{stem}{ending}".lstrip("/") for folder, stem, ending in parts]
    names = carriers(*sources, folder="out" if together else None)
    spelled = {unicodedata.normalize("NFC", name).casefold() for name in names.values()}
    assert len(spelled) == len(sources)
    order.shuffle(sources)
    assert carriers(*sources, folder="out" if together else None) == names
