"""Kernels on an emulated processor: ``python -m rawback_lab.reliability.replay``.

What restoring the stored carriers and embedding the sample call the kernels with is recorded, and
what these give and write. The kernels are then compiled for another processor, together with a
program that calls them again with the same and compares bit for bit (``replay.c``), and that runs
under ``qemu-aarch64-static``. All that decides how bits are read is in kernels, and this takes
seconds where whole restores under emulation (:mod:`.machines`) take hours.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

import rawback
from rawback.kernels import Kernel, Read, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Recorder", "compiled", "replayed"]

_ROOT = Path(__file__).parents[3]
_KERNELS = _ROOT / "core" / "rawback" / "kernels"
_AXES = 4


class Recorder:
    """Writes down calls of kernels.

    Args:
        path: The record, for ``replay.c``.
        most: Calls of each kernel that are kept.

    Attributes:
        names: Of the kernels that were called, by their numbers in the record.
        counts: Calls that are kept, by kernel.
    """

    def __init__(self, path: Path, most: int) -> None:
        self.names: list[str] = []
        self.counts: Counter[str] = Counter()
        self._path, self._most = path, most
        self._lock = Lock()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Keep all calls that are made meanwhile, from any thread."""
        call = Kernel.__call__
        with self._path.open("ab") as record:

            def kept(kernel: Any, *arguments: Any) -> int:
                with self._lock:
                    if self.counts[kernel.name] >= self._most:
                        before = None
                    else:
                        self.counts[kernel.name] += 1
                        before = [_argument(t, a) for t, a in _pairs(kernel, arguments)]
                result = call(kernel, *arguments)
                if before is not None:
                    with self._lock:
                        self._keep(record, kernel, arguments, before, result)
                return result

            Kernel.__call__ = kept  # type: ignore[method-assign, assignment]
            try:
                yield
            finally:
                Kernel.__call__ = call  # type: ignore[method-assign]

    def _keep(
        self,
        record: BinaryIO,
        kernel: Kernel,
        arguments: Sequence[Any],
        before: list[bytes],
        result: int,
    ) -> None:
        if kernel.name not in self.names:
            self.names.append(kernel.name)
        after = [_bytes(a) for t, a in _pairs(kernel, arguments) if isinstance(t, Write)]
        head = struct.pack("<3q", self.names.index(kernel.name), len(arguments), result)
        record.write(b"".join((head, *before, *after)))


def _pairs(kernel: Kernel, arguments: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(kernel.takes, arguments, strict=True)


def _argument(takes: Any, argument: Any) -> bytes:
    if not isinstance(takes, Read):
        return struct.pack("<2q", 0, argument)
    whole = np.ascontiguousarray(argument)
    missing = _AXES - takes.axes
    sizes = (*argument.shape, *[1] * missing)
    strides = (*(stride // whole.itemsize for stride in whole.strides), *[0] * missing)
    kind = 2 if isinstance(takes, Write) else 1
    return struct.pack(f"<{1 + 2 * _AXES}q", kind, *sizes, *strides) + _bytes(whole)


def _bytes(array: Any) -> bytes:
    data = np.ascontiguousarray(array).tobytes()
    return struct.pack("<q", len(data)) + data + bytes(-len(data) % 8)


def compiled(folder: Path, names: Sequence[str], target: str) -> Path:
    """The program that calls recorded kernels again.

    Args:
        folder: Where it goes.
        names: Of the kernels in a record.
        target: What it is for, as Zig calls it, such as ``aarch64-linux-musl``.
    """
    program = folder / "replay"
    declared = "".join(f"int64_t rawback_{name}();\n" for name in names)
    table = ", ".join(f"(void *)rawback_{name}" for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    (folder / "table.h").write_text(
        f"{declared}static void *const kernels[] = {{{table}}};\n"
        f"static const char *const names[] = {{{quoted}}};\n"
    )
    sources = (Path(__file__).with_name("replay.c"), *sorted(_KERNELS.glob("*.c")))
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-static", "-std=gnu11"]
    command += ["-O2", "-ffp-contract=off", "-fno-math-errno", "-w", '-DRAWBACK_SOURCES=""']
    command += [f"-I{folder}", *map(str, sources), "-o", str(program)]
    subprocess.run(command, check=True)  # noqa: S603 -- a compiler that is a requirement
    return program


def replayed(program: Path, record: Path, emulator: Sequence[str] = ()) -> str:
    """Call recorded kernels again.

    Args:
        program: Of their names, see `compiled`.
        record: As a `Recorder` wrote it.
        emulator: What runs the program.

    Returns:
        What the program says: which kernels differ, and how many calls there were.
    """
    done = subprocess.run(  # noqa: S603 -- what was just compiled
        [*emulator, program, record], check=False, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def main() -> None:
    """Record, replay and say what came of it."""
    parser = argparse.ArgumentParser(description="Replay kernels on an emulated processor.")
    parser.add_argument("--calls", type=int, default=1000, help="of each kernel at most")
    parser.add_argument("--target", default="aarch64-linux-musl")
    parser.add_argument("--emulator", nargs="*", default=["qemu-aarch64-static"])
    options = parser.parse_args()
    assets = _ROOT / "assets"
    with tempfile.TemporaryDirectory() as folder:
        record, out = Path(folder, "calls"), Path(folder, "out")
        recorder = Recorder(record, options.calls)
        with recorder.recording():
            for carrier in sorted((_ROOT / "tests" / "golden").glob("*.jpg")):
                rawback.restore(carrier, output=out.with_suffix(".dng"), overwrite=True)
            for rate in (rawback.Rate.quality(60), rawback.Rate.lossless(), rawback.Rate.bpp(0.1)):
                rawback.embed(
                    *(assets / "sample.dng", assets / "sample.jpg"),
                    output=out.with_suffix(".jpg"),
                    rate=rate,
                    overwrite=True,
                )
        for name, count in sorted(recorder.counts.items()):
            print(f"{name:24} {count} calls")
        program = compiled(Path(folder), recorder.names, options.target)
        print(replayed(program, record, options.emulator), end="")


if __name__ == "__main__":
    main()
