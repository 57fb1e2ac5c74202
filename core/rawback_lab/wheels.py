"""Wheels for every platform, built on this one: ``python -m rawback_lab.wheels dist``.

The kernels are compiled for each target by Zig's compiler; everything else is Python, the same in
all wheels. Each is checked by what it holds: libraries of the right format for the right processor,
that offer every kernel and, on Linux, ask for no newer C library than the tag promises.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["faults", "targets"]

_ROOT = Path(__file__).parents[2]

# What stands at these places of a library: ELF, PE (by the offset of its header) and Mach-O.
_ELF = {"x86_64": 62, "aarch64": 183}
_MACHO = {"x86_64": 0x01000007, "arm64": 0x0100000C}
_PE = {"x86_64": 0x8664}


def targets() -> dict[str, tuple[str, str]]:
    """Platform tag of the wheel and suffix of its libraries, by the name of each target."""
    return {name: (t.tag, t.suffix) for name, t in _builder().TARGETS.items()}


def faults(wheel: Path, target: str) -> list[str]:
    """What is wrong with a wheel for a target; nothing, if it is as it should be."""
    tag, suffix = targets()[target]
    found = [] if wheel.name.endswith(f"-py3-none-{tag}.whl") else [f"named {wheel.name}"]
    processor = target.split("-")[1]
    variants = _builder().X86_VARIANTS if processor == "x86_64" else ("baseline",)
    expected = {f"rawback/kernels/compiled/{variant}{suffix}" for variant in variants}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if "/compiled/" in name}
        if names != expected:
            found.append(f"libraries {sorted(names)}, not {sorted(expected)}")
        if any(name.endswith((".c", ".h")) for name in archive.namelist()):
            found.append("sources of the kernels in it")
        for name in sorted(names):
            found += [f"{name}: {fault}" for fault in _library_faults(archive.read(name), target)]
    return found


def _library_faults(library: bytes, target: str) -> list[str]:
    system, processor = target.split("-")
    found = []
    machine = {"linux": _ELF, "macos": _MACHO, "windows": _PE}[system][processor]
    if _machine(library, system) != machine:
        found.append(f"no library of {target}")
    kernels = _kernels()
    found += [f"no kernel {name.decode()}" for name in sorted(kernels) if name not in library]
    newest = max(map(int, re.findall(rb"GLIBC_2\.(\d+)", library)), default=0)
    if newest > 17:
        found.append(f"needs glibc 2.{newest}")
    return found


def _machine(library: bytes, system: str) -> int | None:
    """The processor that a library's header names, None if the format is not the system's."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(library[at : at + size], "little")

    if system == "linux" and library.startswith(b"\x7fELF\x02\x01"):
        return number(18, 2)
    if system == "macos" and library.startswith(b"\xcf\xfa\xed\xfe"):
        return number(4, 4)
    header = number(60, 4)
    if system == "windows" and library[header : header + 4] == b"PE\0\0":
        return number(header + 4, 2)
    return None


def _kernels() -> set[bytes]:
    """The names of all kernels, as their sources have them."""
    sources = (_ROOT / "core" / "rawback" / "kernels").glob("*.c")
    declared = re.compile(rb"^KERNEL (\w+)\(", re.MULTILINE)
    return {name for source in sources for name in declared.findall(source.read_bytes())}


def _builder() -> ModuleType:
    """The build hook, which lies outside of every package."""
    path = _ROOT / "core" / "build_kernels.py"
    specification = importlib.util.spec_from_file_location("build_kernels", path)
    if specification is None or specification.loader is None:
        raise SystemExit(path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a wheel for every platform.")
    parser.add_argument("into", type=Path, help="the folder for the wheels")
    parser.add_argument("targets", nargs="*", default=list(targets()), help="all by default")
    options = parser.parse_args()
    wrong = False
    for target in options.targets:
        tag = targets()[target][0]
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", str(options.into), str(_ROOT)]
        environment = {**os.environ, "RAWBACK_TARGET": target}
        subprocess.run(command, env=environment, check=True)  # noqa: S603
        (wheel,) = options.into.glob(f"rawback-*-{tag}.whl")
        found = faults(wheel, target)
        wrong |= bool(found)
        print(f"{wheel.name}: {'; '.join(found) or 'as it should be'}")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
