"""Keep raws in memory only: what a service that receives uploads would do.

::

    python web_service.py RAW JPEG
"""

from __future__ import annotations

import sys
from pathlib import Path

import rawback


def keep(raw: bytes, jpeg: bytes) -> bytes:
    """The carrier to store instead of both uploads; every sample of the raw is in it."""
    carrier, result = rawback.embed_bytes(raw, jpeg, rate=rawback.Rate.lossless())
    print(f"stored {len(carrier)} bytes instead of {len(raw) + len(jpeg)}")
    assert result.exact
    return carrier


def deliver(carrier: bytes, *, preview_bytes: int) -> tuple[bytes, bytes]:
    """A smaller carrier for a slow line, and the whole raw as a DNG."""
    small, _ = rawback.shrink_bytes(carrier, preview_bytes)
    dng, _ = rawback.restore_bytes(carrier)
    return small, dng


def main(raw: str, jpeg: str) -> int:
    """Store one shot and deliver it."""
    carrier = keep(Path(raw).read_bytes(), Path(jpeg).read_bytes())
    small, dng = deliver(carrier, preview_bytes=20_000)
    print(f"delivered a carrier of {len(small)} bytes, or a DNG of {len(dng)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
