"""What encoder and decoder must compute alike, bit for bit.

::

    tiles           the frame cut into tiles and windows
    header_fields   frames to header fields and back, rounded once for both sides
    prediction      guide and base over a window
    network_input   a frame as the networks see it
    latents         the learned layer's sections, and what they add to the base
    error_weights   what an error counts at each sample
    reconstruction  wavelet coefficients to the residual of a window
    coding_tables   the stored weights and tables that every payload is coded with

All of it is normative: it decides how bits are read, or what they restore.
"""

from __future__ import annotations

__all__: list[str] = []
