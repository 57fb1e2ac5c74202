"""Kernels under sanitisers: ``python -m rawback_lab.reliability.sanitised``.

All kernels are compiled anew with AddressSanitizer and UndefinedBehaviorSanitizer, which end the
process at the first access outside of an array, and at what C does not define. Then
every kernel is called with arrays and integers of any size, few of which fit each other, and
the tests named are run, which call them with hostile values that do. It takes gcc (or ``--compiler
clang``) and its sanitisers' libraries; nobody who uses rawback needs them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[3]
_ROOM = _ROOT / "core" / "rawback" / "kernels"
_FLAGS = (
    *("-std=c11", "-O1", "-g", "-fPIC", "-shared", "-ffp-contract=off", "-msse4.2"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
    '-DRAWBACK_SOURCES=""',
)
_TESTS = (
    *("tests/kernels", "tests/ljpeg", "tests/original", "tests/entropy", "tests/residual"),
    "tests/format/test_kernel_twins.py",
)
_SIZES = (0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 17, 18, 36, 64, 256, 432, 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description="Call every kernel under sanitisers.")
    parser.add_argument("tests", nargs="*", default=_TESTS, help="what is run besides")
    parser.add_argument("--calls", type=int, default=10_000, help="of each kernel")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compiler", default="gcc")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "compiled", "baseline.so")
        library.parent.mkdir()
        sources = [str(path) for path in sorted(_ROOM.glob("*.c"))]
        compiler = [options.compiler, *_FLAGS, "-o", str(library), *sources, "-lm"]
        subprocess.run(compiler, check=True)  # noqa: S603
        environment = {
            **os.environ,
            "LD_PRELOAD": _runtime(options.compiler),
            "ASAN_OPTIONS": "detect_leaks=0",
            "RAWBACK_KERNELS": "baseline",
        }
        for code, arguments in (
            ("sanitised.call_all(*map(int, sys.argv[2:]))", [options.calls, options.seed]),
            ("raise SystemExit(pytest.main(['-q', '-x', *sys.argv[2:]]))", options.tests),
        ):
            program = (
                "import sys, pytest; from pathlib import Path; from rawback.kernels import library;"
                "library.ROOM = Path(sys.argv[1]);"
                f"from rawback_lab.reliability import sanitised; {code}"
            )
            command = [sys.executable, "-c", program, folder, *map(str, arguments)]
            subprocess.run(command, cwd=_ROOT, env=environment, check=True)  # noqa: S603


def _runtime(compiler: str) -> str:
    """The library that has to be loaded before all others."""
    command = [compiler, "-print-file-name=libasan.so"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def call_all(calls: int, seed: int) -> None:
    """Call every kernel that the library's rooms declare, with whatever comes."""
    import importlib
    import pkgutil

    import rawback
    from rawback.kernels import Kernel

    kernels: dict[str, Kernel] = {}
    for info in pkgutil.walk_packages(rawback.__path__, "rawback."):
        if "__main__" not in info.name:
            module = importlib.import_module(info.name)
            found = [value for value in vars(module).values() if isinstance(value, Kernel)]
            kernels |= {kernel.name: kernel for kernel in found}
    for name, kernel in sorted(kernels.items()):
        done = _call(kernel, calls, seed)
        print(f"{name:24} {calls} calls, {done} of them with arguments that fit", flush=True)


def _call(kernel: Any, calls: int, seed: int) -> int:
    import numpy as np

    from rawback.kernels import Read

    rng = np.random.default_rng(seed)
    done = 0
    for _ in range(calls):
        # Few sizes at a time, so that some fit each other.
        few = rng.choice(_SIZES, 3)
        arguments: list[Any] = []
        for takes in kernel.takes:
            if isinstance(takes, Read):
                shape = tuple(int(size) for size in rng.choice(few, takes.axes))
                size = min(int(np.prod(shape)), 1 << 14) * np.dtype(takes.dtype).itemsize
                shape = shape if np.prod(shape) <= 1 << 14 else (0,) * takes.axes
                data = rng.bytes(size) if rng.random() < 0.7 else bytes(size)
                whole = np.frombuffer(bytearray(data), takes.dtype)
                arguments.append(whole[: int(np.prod(shape))].reshape(shape))
            else:
                wide = int(rng.integers(-(1 << 62), 1 << 62))
                arguments.append(wide if rng.random() < 0.2 else int(rng.integers(-2, 20)))
        try:
            kernel(*arguments)
            done += 1
        except ValueError:
            pass
    return done


if __name__ == "__main__":
    main()
