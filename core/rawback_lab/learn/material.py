"""Packed crops, in memory, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

from rawback.common.error_weights import WEIGHT_POWER
from rawback.models.objective import gain_of
from rawback.residual import RegionClass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from torch import Tensor

__all__ = ["Batch", "Material"]

_DARK = 0.04


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops as the networks take them, all float32.

    Attributes:
        guide: ``[B, 3, 2 h, 2 w]``, 0 to 255.
        flags: ``[B, 2, h, w]``, see :func:`rawback.models.input_features.cell_view`.
        base: ``[B, 4, h, w]`` in 1/16 of the noise's standard deviation.
        truth: The raw likewise.
        light: The brightness that errors are weighed by: the base.
    """

    guide: Tensor
    flags: Tensor
    base: Tensor
    truth: Tensor
    light: Tensor

    @property
    def gain(self) -> Tensor:
        """What a feature of 1 is worth at each quad, ``[B, 1, h, w]``."""
        return gain_of(self.flags)

    @property
    def worth(self) -> Tensor:
        """What an error counts beside one of the mean brightness, ``[B, 4, h, w]``.

        A standard deviation of the noise is a larger part of full scale in bright places, and
        payloads weigh errors by a power of it. Of a crop the camera is not known, so brightness in
        the noise-normalised domain stands for it.
        """
        dark = _DARK * self.light.amax(dim=(1, 2, 3), keepdim=True)
        light = self.light.clamp(min=0) + dark
        ratio = light / light.mean(dim=(1, 2, 3), keepdim=True).clamp(min=1)
        return torch.pow(ratio, WEIGHT_POWER / 4).clamp(0.1, 4)

    def without_base(self) -> Batch:
        """The same as if nothing were known but the mean of each plane."""
        mean = self.truth.mean(dim=(2, 3), keepdim=True).round()
        return replace(self, base=mean.expand_as(self.truth))

    @property
    def residual(self) -> Tensor:
        """Raw less base in standard deviations of the noise."""
        return (self.truth - self.base) / 16


class Material:
    """All crops of some shards.

    Args:
        shards: Files written by :mod:`rawback_lab.learn.pack`.
        device: Where they are kept, and worked with.
    """

    def __init__(self, shards: Iterable[Path] = (), device: str = "cpu") -> None:
        self._device = device
        self._ends = torch.zeros(0, dtype=torch.int64)
        self._parts: dict[str, Tensor] = {}
        self.add(shards)

    def add(self, shards: Iterable[Path]) -> None:
        """Take in more of them."""
        held = [load_file(shard) for shard in shards]
        if not held:
            return
        counts = torch.tensor([len(part["classes"]) for part in held])
        self._ends = torch.cat([self._ends, len(self) + torch.cumsum(counts, 0)])
        parts: dict[str, Tensor] = {}
        for name in ("guide", "base", "truth", "classes"):
            known = [self._parts[name]] if self._parts else []
            more = [part[name].to(self._device) for part in held]
            parts[name] = torch.cat([*known, *more])
        self._parts = parts

    @property
    def shots(self) -> int:
        """Shards taken in."""
        return len(self._ends)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def rows(self, shots: int, crops: int, random: torch.Generator) -> Tensor:
        """Crops of as many shots, those of each shot side by side, ``[shots * crops]``."""
        chosen = torch.randint(len(self._ends), (shots, 1), generator=random)
        ends = self._ends[chosen]
        starts = torch.where(chosen > 0, self._ends[chosen - 1], 0)
        places = torch.rand(shots, crops, generator=random) * (ends - starts)
        return (starts + places.long()).reshape(-1)

    def batch(self, rows: Tensor, turn: int = 0) -> Batch:
        """Some crops.

        Args:
            rows: Which.
            turn: 0 to 7: transposed, or mirrored either way, or any of these together.
        """
        rows = rows.to(self._device)
        guide, base, truth, classes = (part[rows] for part in self._parts.values())
        flags = torch.stack(
            [classes == RegionClass.CLIPPED, classes == RegionClass.UNCOVERED], dim=1
        )
        parts = [guide.permute(0, 3, 1, 2), flags, base, truth]
        if turn & 1:
            parts = [part.transpose(2, 3) for part in parts]
            parts[2:] = [planes[:, _TRANSPOSED[planes.shape[1]]] for planes in parts[2:]]
        for bit, dim in ((2, 2), (4, 3)):
            if turn & bit:
                parts = _mirrored(parts, dim)
        guide, flags, base, truth = (part.float() for part in parts)
        return Batch(guide, flags, base, truth, base)


_TRANSPOSED = {4: [0, 2, 1, 3], 3: [0, 1, 2]}


def _mirrored(parts: list[Tensor], dim: int) -> list[Tensor]:
    """Guide, flags, base and truth mirrored along a dimension.

    A Bayer mosaic seen in a mirror is RGGB again only a pixel further on; there it goes on at its
    other end. Its flags are those of both quads that a new one takes samples of.
    """
    guide, flags, *planes = (part.flip(dim) for part in parts)
    if planes[0].shape[1] == 4:
        guide, next_flags = guide.roll(-1, dim), flags.roll(-1, dim)
        flags = flags | next_flags
        odd = [1, 3] if dim == 3 else [2, 3]
        for part in planes:
            part[:, odd] = part[:, odd].roll(-1, dim)
    return [guide, flags, *planes]
