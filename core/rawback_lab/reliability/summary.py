"""The README's figures of reliability: ``python -m rawback_lab.reliability.summary``."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rawback_lab.reliability.report import recorded

__all__ = ["lines"]


def lines() -> list[str]:
    """Sentences and the table of other software, from the results."""
    return [*_fuzzed(), *_killed(), *_machines(), "", *_software()]


_FUZZED = (
    ("fuzz_parsers", "parsers"),
    ("fuzz_metadata", "metadata: sections, raw files and JPEGs, and what is written from them"),
    ("fuzz_recipes", "recipes of original files, and to what makes them"),
    ("fuzz_restore", "whole restores"),
)


def _fuzzed() -> list[str]:
    told = []
    for name, what in _FUZZED:
        found: Any = recorded(name)
        if found:
            ratio = found["peak_memory_mib"] / found["honest_peak_memory_mib"]
            told.append(
                f"{found['inputs']:,} hostile inputs to {what}: {found['broken_rules']} broke a "
                f"rule, the slowest took {found['slowest_cpu_seconds']} s, memory {ratio:.2f} of "
                "the honest files'"
            )
    return told


def _killed() -> list[str]:
    jobs: Any = recorded("kills") or {}
    kills = sum(
        job[key] for job in jobs.values() for key in ("untouched", "part", "complete") if key in job
    )
    drafts = sum(job.get("with a draft", 0) for job in jobs.values())
    broken = sum(job["broken_rules"] for job in jobs.values())
    return [f"{kills} kills of {len(jobs)} jobs, {drafts} with a draft on disk: {broken} losses"]


def _machines() -> list[str]:
    told = []
    for name in ("here", "oldest versions", "aarch64, emulated"):
        found: Any = recorded(f"machines, {name}")
        if found:
            runs = found["same_bits_by_threads"]
            told.append(
                f"{name}: {found['stored_carriers']} stored carriers, {sum(runs.values())} of "
                f"{len(runs)} settings the same bits; {found['machine']}, torch {found['torch']}, "
                f"Pillow {found['pillow']}"
            )
    return told


def _software() -> list[str]:
    by: dict[str, list[str]] = defaultdict(list)
    for name, found in (recorded("other_software") or {}).items():
        by[found["then"]].append(name)
    rows = [f"| {then} | {'; '.join(names)} |" for then, names in by.items()]
    return ["| `verify` says | after |", "|---|---|", *rows]


def main() -> None:
    print(*lines(), sep="\n")


if __name__ == "__main__":
    main()
