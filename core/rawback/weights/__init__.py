"""The trained networks, as the package carries them.

A file of weights is known by its SHA-256 and by nothing else: a payload names the first bytes of
it, and whoever does not have that very file does not decode. Files are safetensors: numbers only.
"""

from rawback.weights.stored import MEMBERS, Weights, read_weights, weights, write_weights

__all__ = ["MEMBERS", "Weights", "read_weights", "weights", "write_weights"]
