"""The stored carriers elsewhere: ``python -m rawback_lab.reliability.machines``.

Without arguments: this interpreter, under every level of instructions that torch and oneDNN can be
held to, with one to eight threads. ``--other NAME COMMAND`` runs another interpreter, say that of
an environment with the oldest versions::

    python3 -m venv oldest && oldest/bin/pip install torch==2.6.0 pillow==10.3.0 numpy==1.26.4 \\
        opencv-python-headless==4.9.0.80 imagecodecs==2024.9.22 \\
        safetensors==0.4.5 cbor2==5.6.0 google-crc32c==1.5.0 rawpy==0.23.1 \\
        platformdirs==4.0.0 rich==13.7.0 typer==0.15.1 exifread==3.0.0
    python -m rawback_lab.reliability.machines --other "oldest versions" oldest/bin/python

or Python for another processor under emulation. It takes an aarch64 ROOT (``debootstrap
--arch=arm64 --foreign --include=python3,libgomp1``, its packages unpacked by ``dpkg-deb -x``),
wheels of the same packages and of what they need in a folder of it (``pip install --no-deps
--only-binary=:all: --platform manylinux_2_28_aarch64 --target ROOT/wheels ...``), and a copy of the
checkout whose kernels are those of ``core/build_kernels.py`` for linux-aarch64::

    python -m rawback_lab.reliability.machines --other "aarch64, emulated" --path ROOT/wheels \\
        "proot -q qemu-aarch64-static -r ROOT -b /proc -b /dev -b $PWD -b ROOT/wheels -w / \\
        /usr/bin/python3"
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from rawback_lab.reliability.report import record

__all__ = ["ATEN", "ONEDNN", "digests", "expected"]

ONEDNN = (
    *("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"),
    *("AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX512_CORE_AMX", "DEFAULT"),
)
"""Levels of ``ONEDNN_MAX_CPU_ISA``; those above what a processor has are as good as the default."""

_LEVELS = ("default", "avx2", "avx512")
_HAS = torch.backends.cpu.get_cpu_capability().lower()

ATEN = _LEVELS[: 1 + (_LEVELS.index(_HAS) if _HAS in _LEVELS else 0)]
"""Levels of ``ATEN_CPU_CAPABILITY``, up to this processor's: one that it lacks ends the process."""

_ROOT = Path(__file__).parents[3]
_GOLDEN = _ROOT / "tests" / "golden"
_THREADS = tuple(map(str, range(1, 9)))
_TELL = (
    "import json, platform, cv2, numpy, PIL, torch; print(json.dumps({"
    "'machine': platform.machine(), 'python': platform.python_version(),"
    " 'torch': torch.__version__, 'pillow': PIL.__version__,"
    " 'numpy': numpy.__version__, 'opencv': cv2.__version__}))"
)


def expected() -> dict[str, str]:
    """Digests by stored carrier."""
    stored = json.loads((_GOLDEN / "digests.json").read_text("utf-8"))
    return {name: entry["sha256"] for name, entry in stored.items()}


def digests(
    threads: tuple[str, ...],
    restrictions: dict[str, str],
    command: tuple[str, ...] = (sys.executable,),
    paths: tuple[Path, ...] = (),
) -> dict[str, set[str]]:
    """What the stored carriers restore to, in a process of its own.

    Args:
        threads: Numbers of threads, one round for each.
        restrictions: Environment variables that take instructions away.
        command: The interpreter.
        paths: Folders that modules are looked for in, before the library's own.

    Returns:
        All digests that were seen, by carrier.
    """
    out = _run((*command, str(_GOLDEN / "restore.py"), *threads), restrictions, paths)
    found: dict[str, set[str]] = {}
    for name, digest in (line.split() for line in out.splitlines()):
        found.setdefault(name, set()).add(digest)
    return found


def _run(command: tuple[str, ...], restrictions: dict[str, str], paths: tuple[Path, ...]) -> str:
    where = os.pathsep.join(map(str, (*paths, _ROOT / "core")))
    done = subprocess.run(  # noqa: S603 -- the interpreter that was named
        command,
        env={**os.environ, "PYTHONPATH": where, **restrictions},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def _agrees(found: dict[str, set[str]]) -> bool:
    return found == {name: {digest} for name, digest in expected().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Restore the stored carriers elsewhere.")
    parser.add_argument("command", nargs="?", default=sys.executable, help="an interpreter")
    parser.add_argument("--other", metavar="NAME", help="what the other interpreter is called")
    parser.add_argument("--path", type=Path, action="append", default=[], help="where modules are")
    options = parser.parse_args()
    command = tuple(shlex.split(options.command))
    paths = tuple(path.resolve() for path in options.path)
    figures: dict[str, Any] = json.loads(_run((*command, "-c", _TELL), {}, paths))
    figures["stored_carriers"] = len(expected())
    if options.other:
        runs = {"1, 2": _agrees(digests(("1", "2"), {}, command, paths))}
    else:
        levels = [{"ONEDNN_MAX_CPU_ISA": level} for level in ONEDNN]
        levels += [{"ATEN_CPU_CAPABILITY": level} for level in ATEN]
        runs = {}
        for level in levels:
            name = " ".join(f"{key}={value}" for key, value in level.items())
            runs[f"1 to 8, {name}"] = _agrees(digests(_THREADS, level))
            print(name, flush=True)
    figures["same_bits_by_threads"] = runs
    print(figures)
    record(f"machines, {options.other or 'here'}", figures)
    raise SystemExit(not all(runs.values()))


if __name__ == "__main__":
    main()
