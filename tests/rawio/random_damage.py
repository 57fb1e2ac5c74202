"""Random damage to files, which either read all the same or are refused with one of our errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from rawback.errors import RawbackError
from rawback.rawio import read_raw, write_dng

if TYPE_CHECKING:
    from collections.abc import Iterable

Edit = tuple[int, bool, bytes, int]
"""A place, counted from the end or not; what is put in there, and how many bytes it replaces."""

EDITS = st.lists(
    st.tuples(st.integers(0, 1500), st.booleans(), st.binary(max_size=4), st.integers(0, 40)),
    min_size=1,
    max_size=5,
)


def read_or_refused(data: bytes, edits: Iterable[Edit]) -> None:
    """Read a file with edits, and write what was read; only our own errors are caught."""
    for place, from_end, inserted, removed in edits:
        at = len(data) - place if from_end else place
        data = data[:at] + inserted + data[at + removed :]
    try:
        frame = read_raw(data)
    except RawbackError:
        return
    write_dng(frame)
