"""Lossless JPEG (ITU-T T.81, process 14): how DNG and CR2 files keep their samples.

Everything about one scan: what its header says, its Huffman tables, its samples out and in. The
loops that visit samples are C (`rawback.kernels`, ljpeg.c). A header that is read and a scan that
is coded again give the same bytes, but for what an encoder is free in: how the last byte is filled.

Bytes that are no lossless JPEG, or one of a kind that no camera writes, raise a ValueError that
says why, for whoever knows what file they come from.
"""

from __future__ import annotations

from rawback.ljpeg.coder import compress, decode, encode
from rawback.ljpeg.huffman import HuffmanTable
from rawback.ljpeg.scan import Scan, read_scan, write_scan

__all__ = ["HuffmanTable", "Scan", "compress", "decode", "encode", "read_scan", "write_scan"]
