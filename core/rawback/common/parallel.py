"""Tiles side by side, and libraries that start threads of their own held to as many."""

from __future__ import annotations

from rawback.parallel import in_threads, set_thread_count, threads

__all__ = ["in_threads", "set_threads", "threads"]


def set_threads(count: int) -> None:
    """Let this process compute in so many threads: tiles, torch and OpenCV.

    It counts for what begins after it, so it is called before any work.

    Raises:
        ValueError: The count is below 1.
    """
    import cv2
    import torch

    set_thread_count(count)
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
