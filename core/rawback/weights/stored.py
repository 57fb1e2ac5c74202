"""Files of weights: written by the export, read by the codec.

For each exact convolution ``NAME.weight`` (int8), ``NAME.bias`` (int32) and ``NAME.shift`` (uint8)
hold integers; what only the encoder runs is float16; ``tables`` (uint16) are the probability tables
of quantised latents. The metadata hold the configuration.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load, save

from rawback.entropy import TableSet
from rawback.files import read_packaged
from rawback.models import ExactConv, ModelConfig, Network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MEMBERS", "Weights", "read_weights", "weights", "write_weights"]

MEMBERS = ("bayer", "linear")
"""What the package carries weights of: Bayer mosaics, and linear pictures of three colours."""

_EXACT = 1 << 24


@dataclass(frozen=True, slots=True)
class Weights:
    """A network, ready to run.

    Attributes:
        digest: First 8 bytes of the SHA-256 of its file.
        network: In evaluation mode, exact.
        tables: Probability tables of quantised latents.
    """

    digest: bytes
    network: Network
    tables: TableSet


_FILE_NAMES = {
    "auxiliary.head": "auxiliary.told",
    "main.head": "main.told",
    "synthesis.scaled_head": "synthesis.told",
    "skip.head": "means.means",
}
"""What parts are called in files, where not as in the code: payloads name files by their digest, so
a file never changes."""

_SIDE, _FILE_SIDE = "samples_per_cell_side", "sites"


def _in_files(name: str) -> str:
    """What files call a tensor."""
    part, _, field = name.rpartition(".")
    return f"{_FILE_NAMES.get(part, part)}.{field}" if part else field


def _in_code(name: str) -> str:
    """Undo :func:`_in_files`."""
    part, _, field = name.rpartition(".")
    names = {theirs: ours for ours, theirs in _FILE_NAMES.items()}
    return f"{names.get(part, part)}.{field}" if part else field


_loading = Lock()


def weights(name: str) -> Weights:
    """The weights that the package carries under a name, such as ``bayer``.

    They are loaded once, whichever threads ask first, and serve the whole process.
    """
    with _loading:
        return _loaded(name)


@cache
def _loaded(name: str) -> Weights:
    return read_weights(read_packaged("rawback.weights", f"{name}.safetensors"))


def write_weights(network: Network, tables: NDArray[np.uint16]) -> bytes:
    """A file of weights.

    Raises:
        ValueError: Some sum of some convolution could reach ``2 ** 24`` and be inexact.
    """
    tensors: dict[str, torch.Tensor] = {"tables": torch.from_numpy(tables.astype("int32"))}
    exact = {name: part for name, part in network.named_modules() if isinstance(part, ExactConv)}
    for name, conv in exact.items():
        if conv.bound() >= _EXACT:
            message = f"sums of {name} may reach {conv.bound()}: too large to be exact"
            raise ValueError(message)
        weight, bias, shifts = conv.integers()
        tensors[f"{name}.weight"] = weight.to(torch.int8)
        tensors[f"{name}.bias"] = bias.to(torch.int32)
        tensors[f"{name}.shift"] = shifts.to(torch.uint8)
    for name, value in network.state_dict().items():
        if name.rpartition(".")[0] not in exact:
            tensors[name] = value.to(torch.float16)
    config = asdict(network.config)
    config[_FILE_SIDE] = config.pop(_SIDE)
    metadata = {"config": json.dumps(config, sort_keys=True)}
    named = {_in_files(name): value.contiguous() for name, value in tensors.items()}
    return save(dict(sorted(named.items())), metadata)


def read_weights(data: bytes) -> Weights:
    """Undo :func:`write_weights`."""
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    config = json.loads(metadata["config"])
    config[_SIDE] = config.pop(_FILE_SIDE)
    network = Network(ModelConfig(**config))
    tensors = {_in_code(name): value for name, value in load(data).items()}
    for name, part in network.named_modules():
        if isinstance(part, ExactConv):
            parts = (tensors.pop(f"{name}.{field}") for field in ("weight", "bias", "shift"))
            part.freeze(*parts)
    tables = TableSet(tensors.pop("tables").numpy().astype("uint16"))
    network.load_state_dict({name: value.float() for name, value in tensors.items()}, strict=False)
    network.requires_grad_(requires_grad=False)
    return Weights(hashlib.sha256(data).digest()[:8], network.eval(), tables)
