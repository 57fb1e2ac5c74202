"""Compile the kernels: when the package is built, or by hand after a change of their source.

``python core/build_kernels.py`` compiles them in place for this machine (it needs hatchling and
ziglang, which ``pip install -e '.[test]'`` brings). The compiler is Zig's, from PyPI, so none has
to be installed, and one machine builds for all: see `rawback_lab.wheels`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOM = Path(__file__).parent / "rawback" / "kernels"
COMPILED = ROOM / "compiled"
"""Where the libraries of a checkout lie: a folder of its own, as Python takes them for modules."""

FLAGS = (
    "-std=c11",
    "-O3",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    # Every machine computes the same bits.
    "-ffp-contract=off",
    "-fno-fast-math",
    "-fno-math-errno",
    "-Wall",
    "-Wextra",
)
X86_VARIANTS = {"baseline": "x86_64_v2", "avx2": "x86_64_v3", "avx512": "x86_64_v4"}
"""Names of the variants for processors of x86-64, and what the compiler calls their levels."""

TARGET = "RAWBACK_TARGET"
"""The environment variable that names what a wheel is built for, if not this machine."""


class Target(NamedTuple):
    """What a library can be built for: Zig's name, a wheel's platform tag, a library's suffix."""

    triple: str
    tag: str
    suffix: str


TARGETS = {
    "linux-x86_64": Target("x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64", ".so"),
    "linux-aarch64": Target("aarch64-linux-gnu.2.17", "manylinux_2_17_aarch64", ".so"),
    "windows-x86_64": Target("x86_64-windows-gnu", "win_amd64", ".dll"),
    "macos-x86_64": Target("x86_64-macos.11.0", "macosx_11_0_x86_64", ".dylib"),
    "macos-arm64": Target("aarch64-macos.11.0", "macosx_11_0_arm64", ".dylib"),
}


def this_machine() -> Target:
    """The target that is where the build runs; an empty triple lets the compiler look."""
    tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    return Target("", tag, suffix)


def build(target: Target, folder: Path) -> list[Path]:
    """Compile every variant of the library for a target into a folder.

    Raises:
        SystemExit: The compiler failed; it has said why.
    """
    folder.mkdir(exist_ok=True)
    triple = target.triple or platform.machine().lower()
    variants = X86_VARIANTS if triple.startswith(("x86_64", "amd64")) else {"baseline": ""}
    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(_compile, target, processor, folder / f"{name}{target.suffix}")
            for name, processor in variants.items()
        ]
    return [job.result() for job in jobs]


def _compile(target: Target, processor: str, library: Path) -> Path:
    sources = sorted(path for path in ROOM.iterdir() if path.suffix in {".c", ".h"})
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    options = [f'-DRAWBACK_SOURCES="{digest}"']
    options += ["-target", target.triple] if target.triple else []
    # Longer vectors would make the coders slower: decisions wait for sums across them.
    options += [f"-mcpu={processor}", "-mprefer-vector-width=128"] if processor else []
    # Under another name first: a process may have the old library loaded.
    draft = library.with_name(f".{library.name}.{os.getpid()}")
    files = [str(path) for path in sources if path.suffix == ".c"]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        *FLAGS,
        *options,
        "-o",
        str(draft),
        *files,
        "-lm",
    ]
    done = subprocess.run(command, check=False)  # noqa: S603
    if done.returncode:
        message = f"The kernels could not be compiled: {' '.join(command)}"
        raise SystemExit(message)
    for extra in (".pdb", ".lib"):
        draft.with_suffix(extra).unlink(missing_ok=True)
    return draft.replace(library)


class KernelsHook(BuildHookInterface):  # type: ignore[misc]
    """Adds the compiled kernels to a wheel, and compiles them in place for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are gathered."""
        name = os.environ.get(TARGET)
        if name and name not in TARGETS:
            message = f"{TARGET}={name} is no target; take one of {', '.join(TARGETS)}"
            raise SystemExit(message)
        target = TARGETS[name] if name else this_machine()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{target.tag}"
        if version == "editable":
            build(target, COMPILED)
            return
        self._folder = tempfile.TemporaryDirectory()
        for library in build(target, Path(self._folder.name)):
            build_data["force_include"][str(library)] = f"rawback/kernels/compiled/{library.name}"

    def finalize(self, version: str, *_: object) -> None:
        """Remove what was compiled for a wheel."""
        if version != "editable":
            self._folder.cleanup()


if __name__ == "__main__":
    for built in build(this_machine(), COMPILED):
        print(built)  # noqa: T201
