"""Raws and JPEGs compared by what they show, small: a look where names and times leave doubt."""

from __future__ import annotations

import io
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from rawback.batch.storage import is_local, read_bytes
from rawback.errors import RawbackError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rawback.geometry.registration import Comparison, Summary

__all__ = ["Pictures", "Votes"]

_SIDE = 512
_LEAST_SIDE = 300
"""Pixels of a preview's longer side; smaller ones show too little."""

_KEPT = 1024
"""Summaries that are kept, of about a third of a megabyte each."""

_FEATURES, _FEWEST, _MOST_OF_ALL = 200, 40, 400_000
"""Features of a picture that vote; fewer where there are so many raws that memory would not do."""

_DIMENSIONS = 64
"""Of descriptors that vote: along these they differ the most."""

_CLOSE = 0.65
_CANDIDATES, _LEAST_SHARE = 8, 0.5
"""How many raws are compared with a JPEG at first, and the least share of the most votes."""

_ALL_CANDIDATES = 32
"""How many are compared if none of those shows it."""


class Pictures:
    """Compares files, and keeps what it has seen of the last ones. Threads may share one."""

    def __init__(self) -> None:
        self._summaries: OrderedDict[Path, Summary | None] = OrderedDict()
        self._lock = Lock()

    def compare(self, raw: Path, jpeg: Path) -> Comparison:
        """Whether a JPEG shows a raw's shot; unclear where one of them cannot be looked at."""
        from rawback.geometry.registration import Comparison, Verdict, shows_same_shot

        mine, theirs = self.raw(raw), self.jpeg(jpeg)
        if mine is None or theirs is None:
            return Comparison(Verdict.UNCLEAR, 0.0)
        return shows_same_shot(mine, theirs)

    def own_raw(self, raws: Sequence[Path], jpeg: Path) -> Path | None:
        """Of raws that all show what a JPEG shows, the one it was made of; None if none clearly."""
        from rawback.geometry.registration import own_raw

        theirs = self.jpeg(jpeg)
        mine = [summary for raw in raws if (summary := self.raw(raw)) is not None]
        if theirs is None or len(mine) < len(raws):
            return None
        place = own_raw(mine, theirs)
        return None if place is None else raws[place]

    def registers(self, raw: Path, jpeg: Path) -> bool:
        """Whether a JPEG is found on a raw as embedding does it: surely, in a second or more."""
        from rawback import jpegio, rawio
        from rawback.geometry.registration import register

        try:
            register(rawio.read_raw(read_bytes(raw)), jpegio.decode_jpeg(read_bytes(jpeg)).pixels)
        except RawbackError:
            return False
        return True

    def raw(self, path: Path) -> Summary | None:
        """What a raw shows; None where it cannot be looked at."""
        return self._summary(path, _raw_summary)

    def jpeg(self, path: Path) -> Summary | None:
        """What a JPEG shows; None where it cannot be looked at."""
        return self._summary(path, _jpeg_summary)

    def _summary(self, path: Path, make: Callable[[Path], Summary | None]) -> Summary | None:
        with self._lock:
            if path in self._summaries:
                self._summaries.move_to_end(path)
                return self._summaries[path]
        try:
            summary = make(path)
        except RawbackError:
            summary = None
        with self._lock:
            self._summaries[path] = summary
            if len(self._summaries) > _KEPT:
                self._summaries.popitem(last=False)
        return summary


class Votes:
    """Finds the few of many raws that a JPEG may show, by their strongest features.

    Each feature of the JPEG votes for the raws that have one much more like it than most raws
    have: several that show one thing get a vote each. Descriptors are projected on the directions
    in which those of all raws differ the most (PCA-SIFT: Ke and Sukthankar 2004). A thousand raws
    take 50 MB and a tenth of a second a JPEG.

    Args:
        raws: All that may be shown.
        pictures: Looks at them.
        looked: Is called after each.
    """

    def __init__(
        self, raws: Sequence[Path], pictures: Pictures, looked: Callable[[], None]
    ) -> None:
        import numpy as np

        from rawback.parallel import in_threads

        self._pictures = pictures
        self._count = max(_FEWEST, min(_FEATURES, _MOST_OF_ALL // max(len(raws), 1)))
        descriptors: list[NDArray[np.float32]] = []
        self._seen: list[Path] = []
        for raw, summary in zip(raws, in_threads(pictures.raw, raws), strict=True):
            strongest = None if summary is None else self._strongest(summary)
            if strongest is not None and len(strongest):
                descriptors.append(strongest)
                self._seen.append(raw)
            looked()
        self._starts = np.cumsum([0, *map(len, descriptors)])[:-1]
        self._projection = _projection(descriptors) if descriptors else None

    def candidates(self, jpeg: Path) -> tuple[list[Path], list[Path]]:
        """The raws with the most votes, the most first; none where there is nothing to see.

        Returns:
            Those to look at first, and those to look at if none of these shows the JPEG: votes of
            small, grey or noisy pictures are few.
        """
        import numpy as np

        summary = self._pictures.jpeg(jpeg)
        if self._projection is None or summary is None:
            return [], []
        mine = self._strongest(summary)
        if not len(mine):
            return [], []
        if len(self._seen) <= _CANDIDATES:
            return self._seen, []
        axes, nearness = self._projection
        mine = mine @ axes
        lengths = np.square(mine).sum(axis=1, keepdims=True)
        # Of each raw the nearest feature counts.
        products = np.column_stack([mine, np.ones_like(lengths)]) @ nearness
        distances = lengths - 2 * np.maximum.reduceat(products, self._starts, axis=1)
        close = distances < _CLOSE * np.median(distances, axis=1, keepdims=True)
        votes = close.sum(axis=0)
        best = np.argsort(-votes, kind="stable")[:_ALL_CANDIDATES]
        likely = votes[best] >= max(_LEAST_SHARE * votes.max(), 1)
        likely[_CANDIDATES:] = False
        first, others = (
            [self._seen[number] for number in best[chosen]] for chosen in (likely, ~likely)
        )
        return first, others

    def _strongest(self, summary: Summary) -> NDArray[np.float32]:
        """Descriptors of a picture's strongest features, float32 ``[n, 128]``."""
        return summary.features.strongest(self._count).descriptors


def _projection(
    descriptors: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Axes to project descriptors on, and what tells their distances from those of all raws.

    Returns:
        float32 ``[128, n]``, and ``[n + 1, features]``: multiplied with a projected descriptor and
        a 1, it gives for each feature half the square of its length less their product, negated.
    """
    import numpy as np

    moments = sum(part.T.astype(np.float64) @ part for part in descriptors)
    middle = sum(part.sum(axis=0, dtype=np.float64) for part in descriptors)
    count = sum(map(len, descriptors))
    spread = moments / count - np.outer(middle, middle) / count**2
    axes = np.linalg.eigh(spread)[1][:, -_DIMENSIONS:].astype(np.float32)
    projected = np.concatenate([part @ axes for part in descriptors])
    lengths = np.square(projected).sum(axis=1, keepdims=True)
    return axes, np.ascontiguousarray(np.hstack([projected, -lengths / 2]).T)


def _raw_summary(path: Path) -> Summary | None:
    """Of the preview in a raw, or else of its mosaic."""
    from rawback import rawio
    from rawback.geometry.registration import summarise

    preview = _preview(path)
    return summarise(rawio.read_raw(read_bytes(path)) if preview is None else preview)


def _preview(path: Path) -> NDArray[np.uint8] | None:
    """The preview in a raw, uint8 ``[H, W, 3]``; None if there is none that shows enough."""
    import numpy as np
    import rawpy

    try:
        # A path lets LibRaw read what it needs only.
        with rawpy.imread(str(path) if is_local(path) else io.BytesIO(read_bytes(path))) as raw:
            thumb = raw.extract_thumb()
            # The view of a bitmap does not outlive the file.
            data = bytes(thumb.data) if isinstance(thumb.data, bytes) else thumb.data.copy()
    except (rawpy.LibRawError, UnicodeError, ValueError):
        return None
    pixels = _small_pixels(data) if isinstance(data, bytes) else np.ascontiguousarray(data)
    if pixels is None or pixels.ndim != 3 or max(pixels.shape[:2]) < _LEAST_SIDE:
        return None
    return pixels


def _jpeg_summary(path: Path) -> Summary | None:
    from rawback.geometry.registration import summarise

    pixels = _small_pixels(read_bytes(path))
    return None if pixels is None else summarise(pixels)


def _small_pixels(data: bytes) -> NDArray[np.uint8] | None:
    """A JPEG's pixels, decoded at a part of its size; None where it cannot be decoded."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
            opened.draft("RGB", (_SIDE, _SIDE))
            return np.asarray(opened.convert("RGB"))
    except Exception:  # noqa: BLE001 -- Pillow raises what it meets in broken data
        return None
