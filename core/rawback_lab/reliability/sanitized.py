"""The kernels' tests, every access watched: ``python -m rawback_lab.reliability.sanitized``.

The same sources are compiled with AddressSanitizer and UndefinedBehaviorSanitizer. These end the
process at the first access outside an array, overflow of a signed sum or shift by too much. The
tests of rooms that give kernels random and hostile input run with that library. Zig brings no
AddressSanitizer, so this needs gcc or clang (``CC``) on Linux.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rawback.kernels.library import ROOM, sources_digest
from rawback_lab.reliability.report import record

__all__ = ["TESTS", "build", "run"]

_ROOT = Path(__file__).parents[3]

TESTS = ("kernels", "ljpeg", "original", "entropy", "residual", "format/test_kernel_twins.py")
"""Rooms and files of tests that run by default."""

_LOADING = "--ignore=tests/kernels/test_calls.py"
"""Its tests are about the library that is loaded otherwise."""

_FLAGS = (
    *("-std=c11", "-O1", "-g", "-shared", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
)
_PROGRAM = """
import sys
from pathlib import Path
import pytest
from rawback.kernels import library
library._path = lambda _: Path(sys.argv[1])
sys.exit(pytest.main(sys.argv[2:]))
"""


def build(library: Path, compiler: str) -> None:
    """Compile the kernels with both sanitizers."""
    sources = sorted(str(path) for path in ROOM.glob("*.c"))
    digest = f'-DRAWBACK_SOURCES="{sources_digest()}"'
    command = [*shlex.split(compiler), *_FLAGS, digest, "-o", str(library), *sources, "-lm"]
    subprocess.run(command, check=True)  # noqa: S603 -- no shell


def run(library: Path, compiler: str, tests: list[str]) -> int:
    """Run tests with a library that `build` made; pytest's exit status, or that of the crash."""
    asked = [*shlex.split(compiler), "-print-file-name=libasan.so"]
    runtime = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: S603
    environment = os.environ | {
        "LD_PRELOAD": runtime.stdout.strip(),
        # Python leaves much to the end of the process.
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": str(_ROOT / "core"),
    }
    command = [sys.executable, "-c", _PROGRAM, str(library), "-q", "-p", "no:cacheprovider"]
    command += [_LOADING, *tests]
    done = subprocess.run(command, check=False, cwd=_ROOT, env=environment)  # noqa: S603
    return done.returncode


def main() -> None:
    tests = sys.argv[1:] or [str(_ROOT / "tests" / room) for room in TESTS]
    compiler = os.environ.get("CC", "gcc")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "sanitized.so")
        build(library, compiler)
        status = run(library, compiler, tests)
    if not sys.argv[1:]:
        figures = {"rooms": list(TESTS), "sources": sources_digest(), "clean": not status}
        record("sanitized", figures)
    raise SystemExit(status)


if __name__ == "__main__":
    main()
