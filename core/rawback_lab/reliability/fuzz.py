"""Hostile bytes by the thousand: ``python -m rawback_lab.reliability.fuzz restore 20000``.

Whatever the bytes say, the outcome is a result or a `RawbackError`, in at most ten seconds and four
times the memory that the honest file takes. What breaks this is written to a folder, to become a
regression file under ``tests/fuzz``. Input number N of a seed is always the same.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from rawback.errors import RawbackError
from rawback_lab.reliability.limits import measured
from rawback_lab.reliability.metadata import feed_metadata
from rawback_lab.reliability.recipes import feed_recipes
from rawback_lab.reliability.report import record, recorded
from rawback_lab.reliability.targets import feed_parsers, feed_restore, honest, replay

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SECONDS", "SHARE", "Tally", "fuzz", "honest_peak", "judge"]

SECONDS = 10.0
SHARE = 4
_EVERY = 500

_FEEDS = {"metadata": feed_metadata, "parsers": feed_parsers, "recipes": feed_recipes}


@dataclass(slots=True)
class Tally:
    """What came of many inputs.

    Attributes:
        outcomes: Inputs by outcome: ``result``, or the name of the error.
        finds: Inputs that broke a rule: which, where it arose, and the bytes.
        slowest: Most seconds of CPU time that one took.
        peak: Most bytes that the process held.
        growth: Most bytes by which one made it grow.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    finds: list[tuple[str, str, bytes]] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0
    growth: int = 0


def judge(use: Callable[[], object], data: bytes, tally: Tally, most: int) -> None:
    """Do something with hostile bytes, and put into the tally what came of it.

    Args:
        use: What to do.
        data: The bytes, to be kept if a rule is broken.
        tally: Is added to.
        most: Bytes that the process may hold.
    """
    where = ""
    with measured(SECONDS) as taken:
        try:
            use()
            outcome = "result"
        except RawbackError as error:
            outcome = type(error).__name__
        except (Exception, MemoryError) as error:  # noqa: BLE001 -- that is what we are after
            outcome = f"! {type(error).__name__}"
            where = "".join(traceback.format_exception(error))
    if taken.peak > most:
        outcome, where = "! memory", f"{taken.peak >> 20} MiB held, {most >> 20} MiB allowed"
    tally.outcomes[outcome] += 1
    if outcome.startswith("!"):
        tally.finds.append((outcome, where, data))
    tally.slowest = max(tally.slowest, taken.seconds)
    tally.peak = max(tally.peak, taken.peak)
    tally.growth = max(tally.growth, taken.growth)


@cache
def honest_peak() -> int:
    """Most bytes that the process holds while it restores the honest carriers."""
    tally = Tally()
    for _ in range(2):
        for data in honest():
            judge(lambda data=data: replay(data), data, tally, sys.maxsize)  # type: ignore[misc]
    if tally.outcomes != {"result": 2 * len(honest())}:
        message = f"the honest carriers do not restore: {tally.outcomes}"
        raise RuntimeError(message)
    return tally.peak


def fuzz(what: str, numbers: range, seed: int, tell: Callable[[int, Tally], None]) -> Tally:
    """Feed inputs.

    Args:
        what: ``"parsers"``, ``"metadata"``, ``"recipes"`` or ``"restore"``.
        numbers: Of the inputs.
        seed: Of all chance.
        tell: Is told how far this is, now and then.

    Returns:
        What came of them.
    """
    most = SHARE * honest_peak()
    tally = Tally()
    for number in numbers:
        random = Random(f"{seed} {what} {number}")  # noqa: S311 -- chance that can be repeated
        if what == "restore":
            data = feed_restore(random)
            judge(lambda data=data, n=number: replay(data, n), data, tally, most)  # type: ignore[misc]
        else:
            parser, data = _FEEDS[what](random)
            judge(lambda parser=parser, data=data: parser(data), data, tally, most)  # type: ignore[misc]
        if (number + 1) % _EVERY == 0:
            tell(number + 1, tally)
    if numbers.stop % _EVERY:
        tell(numbers.stop, tally)
    return tally


def figures_of(tally: Tally, inputs: int, seed: int) -> dict[str, Any]:
    """A tally as the results have it."""
    return {
        "inputs": inputs,
        "seed": seed,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "broken_rules": len(tally.finds),
        "slowest_cpu_seconds": round(tally.slowest, 2),
        "peak_memory_mib": tally.peak >> 20,
        "honest_peak_memory_mib": honest_peak() >> 20,
        "largest_growth_mib": tally.growth >> 20,
    }


def together(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Figures of two runs of one seed."""
    summed = {key: before[key] + now[key] for key in ("inputs", "broken_rules")}
    worst = {
        key: max(before[key], now[key])
        for key in ("slowest_cpu_seconds", "peak_memory_mib", "largest_growth_mib")
    }
    outcomes = Counter(before["outcomes"]) + Counter(now["outcomes"])
    return now | summed | worst | {"outcomes": dict(sorted(outcomes.items()))}


def main() -> None:
    parser = argparse.ArgumentParser(description="Feed hostile bytes.")
    parser.add_argument("what", choices=["parsers", "metadata", "recipes", "restore"])
    parser.add_argument("count", type=int)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--finds", type=Path, default=Path(".scratch/finds"), help="where they go")
    parser.add_argument(
        "--record", action="store_true", help="go on from the results, and add to them as it goes"
    )
    options = parser.parse_args()
    options.finds.mkdir(parents=True, exist_ok=True)
    name = f"fuzz_{options.what}"
    before = recorded(name) if options.record else None
    start = before["inputs"] if before else options.start
    kept = 0

    def tell(number: int, tally: Tally) -> None:
        nonlocal kept
        for outcome, where, data in tally.finds[kept:]:
            place = options.finds / f"{options.what}-{hashlib.sha256(data).hexdigest()[:12]}"
            place.write_bytes(data)
            place.with_suffix(".txt").write_text(f"{outcome}\n{where}\n", "utf-8")
        kept = len(tally.finds)
        print(f"{number:9,} {kept} finds, {dict(tally.outcomes.most_common())}", flush=True)
        inputs = sum(tally.outcomes.values())
        if options.record and inputs:
            figures = figures_of(tally, inputs, options.seed)
            record(name, together(before, figures) if before else figures)

    tally = fuzz(options.what, range(start, start + options.count), options.seed, tell)
    raise SystemExit(bool(tally.finds))


if __name__ == "__main__":
    main()
