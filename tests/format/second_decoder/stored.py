"""The stored tables and the weights of the networks (3.1 and the start of 3.11 of FORMAT.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from .networks import Network

if TYPE_CHECKING:
    from pathlib import Path

    from .arrays import Ints


@dataclass(frozen=True)
class Tables:
    """What `tables.safetensors` holds, and the first bytes of its digest (3.1)."""

    digest: bytes
    arrays: dict[str, Ints]

    def __getitem__(self, name: str) -> Ints:
        """The table of a name (3.1)."""
        return self.arrays[name]


@dataclass(frozen=True)
class Stored:
    """The tables, and the networks by the first bytes of their file's digest (3.1, 3.11)."""

    tables: Tables
    networks: dict[bytes, Network]


def _read(path: Path) -> tuple[bytes, dict[str, npt.NDArray[Any]]]:
    """The first 8 bytes of the SHA-256 of a file, and its tensors (3.1, 3.11)."""
    data = path.read_bytes()
    return hashlib.sha256(data).digest()[:8], load(data)


def load_stored(tables_folder: Path, weights_folder: Path) -> Stored:
    """Read `tables.safetensors`, `bayer.safetensors` and `linear.safetensors` (3.1, 3.11)."""
    digest, arrays = _read(tables_folder / "tables.safetensors")
    tables = Tables(digest, {name: array.astype(np.int64) for name, array in arrays.items()})
    networks = {}
    for name in ("bayer", "linear"):
        digest, tensors = _read(weights_folder / f"{name}.safetensors")
        networks[digest] = Network(tensors, linear=name == "linear")
    return Stored(tables, networks)
