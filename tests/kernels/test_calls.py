"""What a kernel is given is checked before it runs, and the library before it is trusted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rawback.errors import RawbackError
from rawback.kernels import VARIANTS, Integer, Kernel, Read, Write, library, load

square_means = Kernel(
    "square_means",
    *(Read(np.uint8, 3), Integer, Integer, Integer, Write(np.uint16, 1), Write(np.uint8, 3)),
)
PIXELS = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
MEANS = np.empty((3, 4, 3), np.uint8)


def wanted(**changes: object) -> list[object]:
    sums = np.empty(15, np.uint16)
    arguments = {"pixels": PIXELS, "top": 0, "left": 0, "side": 2, "sums": sums, "means": MEANS}
    return list({**arguments, **changes}.values())


def test_a_call_that_fits() -> None:
    assert square_means(*wanted()) == 0
    assert MEANS[0, 0].tolist() == [9, 10, 11]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pixels": PIXELS.astype(np.int64)}, "int64 with 3 axes, not uint8 with 3"),
        ({"sums": np.empty(15, ">u2")}, "not uint16"),
        ({"pixels": PIXELS[0]}, "uint8 with 2 axes, not uint8 with 3"),
        ({"pixels": PIXELS[:, :, ::2]}, "has gaps"),
        ({"pixels": PIXELS.T}, "has gaps"),
        ({"means": np.broadcast_to(np.uint8(0), (3, 4, 3))}, "read-only"),
        ({"sums": np.frombuffer(bytes(31), np.uint8)[1:].view(np.uint16)}, "read-only"),
        ({"sums": np.zeros(31, np.uint8)[1:].view(np.uint16)}, "uint16 with 1 axes"),
    ],
)
def test_arrays_of_the_wrong_kind(changes: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        square_means(*wanted(**changes))


def test_sizes_that_do_not_fit_each_other() -> None:
    with pytest.raises(ValueError, match="square_means: arguments do not fit each other, line"):
        square_means(*wanted(sums=np.empty(14, np.uint16)))


def test_integers_and_counts() -> None:
    with pytest.raises(OverflowError, match="64 bits"):
        square_means(*wanted(top=1 << 63))
    with pytest.raises(ValueError, match="zip"):
        square_means(*wanted()[:3])


def test_a_kernel_that_does_not_exist() -> None:
    with pytest.raises(RawbackError, match=r"no kernel \"no_such\"") as caught:
        Kernel("no_such")()
    assert "Install rawback again" in str(caught.value)


def test_the_choice_of_the_processor() -> None:
    chosen = Path(load()._name).stem
    assert chosen in VARIANTS
    assert {chosen} >= {os.environ.get("RAWBACK_KERNELS", chosen)} or chosen == "baseline"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the libraries and their sources, from which the next load is."""
    copy = tmp_path / "kernels"
    shutil.copytree(library.ROOM, copy)
    monkeypatch.setattr(library, "ROOM", copy)
    return copy


fresh = load.__wrapped__
"""Loads again, whatever is loaded."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_lower_variant_on_demand(
    room: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    highest = Path(load()._name).stem
    monkeypatch.setenv("RAWBACK_KERNELS", variant)
    loaded = Path(fresh()._name).stem
    assert loaded == min(variant, highest, key=VARIANTS.index)


def test_a_choice_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAWBACK_KERNELS", "mmx")
    with pytest.raises(RawbackError, match="Take baseline, avx2, avx512"):
        fresh()


def test_a_missing_library(room: Path) -> None:
    for path in (room / "compiled").iterdir():
        path.unlink()
    with pytest.raises(RawbackError, match=r"is missing .* Install rawback again"):
        fresh()


def test_a_library_that_is_none(room: Path) -> None:
    for path in (room / "compiled").iterdir():
        path.unlink()  # the process has its pages mapped
        path.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(RawbackError, match=r"does not fit this machine .* Install rawback again"):
        fresh()


def test_a_stale_library(room: Path) -> None:
    with (room / "planes.c").open("a") as source:
        source.write("/* changed */\n")
    with pytest.raises(RawbackError, match="compiled from other sources"):
        fresh()


def test_a_library_without_sources_beside_it(room: Path) -> None:
    for path in [*room.glob("*.c"), *room.glob("*.h")]:
        path.unlink()
    assert fresh().rawback_processor_level() >= 0


def test_loading_is_quick() -> None:
    """Within a process that has NumPy; 5 ms on a quiet machine, much more is allowed here."""
    program = (
        "import time, numpy, ctypes, hashlib\n"
        "from rawback import kernels\n"
        "start = time.perf_counter(); kernels.load(); print(time.perf_counter() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 0.1
