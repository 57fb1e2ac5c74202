"""The verbs with everything loaded, for programs that do many jobs."""

from __future__ import annotations

from rawback._api.embed import embed, embed_bytes
from rawback._api.restoring import restore, restore_bytes, verify

__all__ = ["Codec", "set_threads"]


def set_threads(count: int) -> None:
    """Let this process compute in so many threads; call it before any work.

    By default it takes as many as there are processors that it may use, up to 8.

    Programs that run several processes, or several jobs in threads, divide the cores with it. What
    NumPy's linear algebra takes besides, ``OMP_NUM_THREADS`` says when the process starts. Payloads
    read the same on any number of threads; two that were made on different numbers may differ by
    some bytes, as sums of floats do.

    Args:
        count: Threads of one job, at least 1. Jobs that run side by side have so many each.

    Raises:
        ValueError: The count is below 1.
    """
    from rawback import parallel

    parallel.set_threads(count)


class Codec:
    """The networks and tables, loaded, and the verbs that need them.

    The first job of a process takes a second or two longer, as libraries and weights are loaded on
    first use. A codec loads them when it is made. They are loaded once for the process, so codecs
    are cheap to make, and stay for as long as the process lives::

        codec = rawback.Codec()
        for raw, jpeg in shots:
            codec.embed(raw, jpeg)

    `embed`, `embed_bytes`, `restore`, `restore_bytes` and `verify` are the functions of these
    names in `rawback`. All may be called from any thread, several at a time: they share nothing
    that is written to, and give the same bytes as one after another. Processes are independent of
    each other; start them with the method ``spawn`` or ``forkserver``: torch and OpenCV do not
    promise to work in a ``fork`` of a process that has used them.
    """

    embed = staticmethod(embed)
    embed_bytes = staticmethod(embed_bytes)
    restore = staticmethod(restore)
    restore_bytes = staticmethod(restore_bytes)
    verify = staticmethod(verify)

    def __init__(self) -> None:
        from rawback import decoder, encoder, jpegio, rawio  # noqa: F401 -- being loaded is all
        from rawback.common import border  # noqa: F401
        from rawback.common.coding_tables import coding_tables
        from rawback.weights import MEMBERS, weights

        coding_tables()
        weights(MEMBERS[0])
