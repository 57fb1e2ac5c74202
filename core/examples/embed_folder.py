"""Put every raw of a folder into the JPEG of the same name, and say what each took.

::

    python embed_folder.py FOLDER [KILOBYTES]
"""

from __future__ import annotations

import sys
from pathlib import Path

import rawback


def main(folder: str, kilobytes: str = "200") -> int:
    """Embed all pairs of `folder`, in files beside the JPEGs."""
    failures = 0
    for raw in sorted(Path(folder).glob("*.dng")):
        jpeg = raw.with_suffix(".jpg")
        try:
            result = rawback.embed(raw, jpeg, rate=rawback.Rate.size(1000 * int(kilobytes)))
        except rawback.RawbackError as error:
            failures += 1
            print(f"{raw.name}: {error}")
        else:
            print(f"{raw.name}: {result.payload_bytes} bytes, {result.psnr_db:.1f} dB")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
