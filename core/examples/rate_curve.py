"""Print what each size of payload buys for one shot, and save the carrier of one of them.

::

    python rate_curve.py RAW JPEG OUTPUT [DECIBELS]
"""

from __future__ import annotations

import sys

import rawback


def main(raw: str, jpeg: str, output: str, decibels: str = "48") -> int:
    """Measure the curve, pick the smallest payload of at least `decibels`, write its carrier."""
    session = rawback.open_session(raw, jpeg)
    curve = session.curve(progress=lambda stage, done: print(f"{stage}: {done:.0%}"))
    for point in curve.points:
        print(f"{point.payload_bytes:>10} bytes  {point.bpp:6.3f} bpp  {point.psnr_db:6.2f} dB")
    chosen = curve.at_psnr(float(decibels))
    encoding = session.encode(chosen.rate)
    session.save(encoding, output)
    print(f"{output}: {encoding.result.payload_bytes} bytes, {encoding.result.psnr_db:.2f} dB")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
