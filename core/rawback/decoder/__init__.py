"""From a payload and its carrier back to the raw."""

from __future__ import annotations

from rawback.decoder.decoder import carried_guide, coding_order, decode

__all__ = ["carried_guide", "coding_order", "decode"]
