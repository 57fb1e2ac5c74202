"""Print the SHA-256 of what each stored carrier restores, one line each.

Run in a process of its own, so that what the processor may do can be restricted from outside. The
arguments are numbers of threads that OpenCV and torch may use, one round for each.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import torch

from rawback.bitstream import unpack
from rawback.common.header_fields import samples_digest
from rawback.container import extract_payload
from rawback.decoder import decode
from rawback.jpegio import decode_jpeg


def main() -> None:
    for threads in map(int, sys.argv[1:]):
        cv2.setNumThreads(threads)
        torch.set_num_threads(threads)
        for path in sorted(Path(__file__).parent.glob("*.jpg")):
            carrier = path.read_bytes()
            frame = decode(unpack(extract_payload(carrier)), decode_jpeg(carrier))
            digest = samples_digest(frame).hex()
            sys.stdout.write(f"{path.stem} {digest}\n")


if __name__ == "__main__":
    main()
