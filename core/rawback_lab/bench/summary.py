"""The README's tables from the kept figures: ``python -m rawback_lab.bench.summary``."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"

_UNSEEN = ("blackmagic_4k", "canon_550d_chart", "phone_night")
"""Frames that nothing was trained on; the tables set them in bold."""


def main() -> None:
    for name, show in (
        ("main_job.json", _job),
        ("main_job_darktable.json", _job),
        ("app.json", _app),
        ("geometry.json", _geometry),
        ("darktable.json", _darktable),
        ("hook.json", _hook),
        ("speed.json", _speed),
        ("throughput.json", _throughput),
        ("world.json", _maps),
        ("registration.json", _maps),
    ):
        path = RESULTS / name
        if path.exists():
            show(json.loads(path.read_text("utf-8")))


def _job(results: dict[str, Any]) -> None:
    print(f"\nCarriers: {results['carrier']}.\n")
    rates = ("0.02", "0.1", "0.5")
    print("| raw | " + " | ".join(f"{rate} bpp" for rate in rates) + " | lossless |")
    print("|---|" + "---|" * (len(rates) + 1))
    sizes = [0, 0]
    gains: dict[str, list[float]] = {rate: [] for rate in rates}
    alone: list[float] = []
    for name, found in results["frames"].items():
        cells = []
        for rate in rates:
            own = found["rates"][rate]["raw_psnr"]
            rival = found["peers"]["base+jpeg2000"][rate]
            cells.append(f"{own:.2f} ({_decibels(rival)})")
            if rival is not None:
                gains[rate].append(own - rival["raw_psnr"])
        plain = found["peers"]["jpegxl"]["0.5"]
        if plain is not None:
            alone.append(found["rates"]["0.5"]["raw_psnr"] - plain["raw_psnr"])
        pair = found["lossless"]["bytes"], found["peers"]["jpegxl-lossless"]["any"]["bytes"]
        sizes = [total + size for total, size in zip(sizes, pair, strict=True)]
        exact = "" if found["exact"] else " NOT EXACT"
        shown = f"**{name}**" if name in _UNSEEN else name
        print(f"| {shown} | " + " | ".join(cells) + f" | {pair[0] / pair[1]:.3f}{exact} |")
    means = [f"{_mean(gains[rate]):+.2f} (worst {min(gains[rate]):+.2f})" for rate in rates]
    print("| all | " + " | ".join(means) + f" | {sizes[0] / sizes[1]:.3f} |")
    print(f"\nAt 0.5 bpp {_mean(alone):+.2f} dB on JPEG XL of the raw alone.")


def _app(results: dict[str, Any]) -> None:
    print(f"\nThe desktop app on {results['cores']} cores, CPU seconds in brackets:\n")
    print("| shot | first comparison | restored raw | slider, curve being measured | at rest |")
    print("|---|---|---|---|---|")
    for pair in results["pairs"]:
        cells = [
            f"{pair[name + '_s']:.1f} s ({pair[name + '_cpu_s']:.1f})"
            for name in ("first_comparison", "restored")
        ]
        cells += [
            f"{found['median_s']:.2f} s, at most {found['slowest_s']:.2f}"
            f" ({found['median_cpu_s']:.2f})"
            for found in (pair["slider_while_measuring"], pair["slider_at_rest"])
        ]
        print(f"| {pair['file']}, {pair['pixels'] / 1e6:.1f} MP | " + " | ".join(cells) + " |")
    memory = results.get("memory")
    if memory:
        print(f"\n{memory['openings']} openings: {memory['held_mb'][0]} MB after the first,")
        print(f"{memory['held_mb'][-1]} MB after the last.")


def _geometry(results: dict[str, Any]) -> None:
    names = [key for key in next(iter(results["frames"].values())) if "jpegxl" not in key]
    print(f"\nRaw PSNR inside the covered area at {results['bpp']} bpp (plain carrier's there):\n")
    print("| raw | " + " | ".join(names) + " | JPEG XL alone |")
    print("|---|" + "---|" * (len(names) + 1))
    for raw, found in results["frames"].items():
        cells = [f"{found[n]['psnr_db']:.2f} ({found[n]['plain_psnr_db']:.2f})" for n in names]
        alone = found.get("jpegxl_alone_psnr_db")
        cells.append("-" if alone is None else f"{alone:.2f}")
        print(f"| {raw} | " + " | ".join(cells) + " |")


def _darktable(results: dict[str, Any]) -> None:
    frames = results["frames"]
    print(f"\nExports by darktable at {results['rate']}, inside the covered area:\n")
    print("| edit | " + " | ".join(frames) + " |")
    print("|---|" + "---|" * len(frames))
    for edit in next(iter(frames.values())):
        cells = [_export(found[edit]) if edit in found else "" for found in frames.values()]
        print(f"| {edit} | " + " | ".join(cells) + " |")


def _export(found: dict[str, Any]) -> str:
    inside = f"{found['psnr_db']:.2f} ({found['plain_psnr_db']:.2f})"
    where = f"{found['covered']:.0%} covered" if found["found"] else "not found"
    return f"{inside}, {found['bytes'] / 1000:.0f} kB, {where}"


def _hook(results: dict[str, Any]) -> None:
    print(f"\nThe export hook on 12.6 megapixels and {results['cores']} cores:\n")
    print("| helper | seconds | of them embedding | beyond |\n|---|---|---|---|")
    for run in results["runs"]:
        figures = (run[name] for name in ("wall_s", "embedding_s", "beyond_s"))
        print(f"| {run['kind']} | " + " | ".join(f"{value:.2f}" for value in figures) + " |")


def _speed(results: dict[str, Any]) -> None:
    print(f"\n{results['pixels'] / 1e6:.0f} megapixels on {results['cores']} cores:\n")
    print("| raw, repeated | rate | embed | restore |\n|---|---|---|---|")
    for raw, runs in results["raws"].items():
        for run in runs:
            cells = (
                f"{run[verb]['wall_seconds']:.1f} s, "
                f"{run[verb]['peak_memory_bytes'] / 2**30:.2f} GiB"
                for verb in ("embed", "restore")
            )
            print(f"| {raw} | `{run['rate']}` | " + " | ".join(cells) + " |")
            raw = ""


def _throughput(results: dict[str, Any]) -> None:
    pixels = results["size"][0] * results["size"][1] / 1e6
    print(f"\nA batch of {pixels:.0f}-megapixel raws on {results['cores']} cores:\n")
    print("| | workers x threads | files an hour | CPU seconds a megapixel | memory a worker |")
    print("|---|---|---|---|---|")
    for run in results["runs"]:
        cells = (
            run["verb"],
            f"{run['workers']} x {run['threads']}",
            f"{run['files_per_hour']:.0f}",
            f"{run['cpu_seconds_per_megapixel']:.2f}",
            f"{run['worker_bytes'] / 2**30:.2f} GiB",
        )
        print("| " + " | ".join(cells) + " |")
    shares = " and ".join(f"{share:.0%} ({verb})" for verb, share in results["efficiency"].items())
    million = results["million"]
    print(
        f"\nTwo workers make {shares} of what twice one makes. A million raws of "
        f"{million['megapixels_each']:.0f} megapixels would take "
        f"{million['embed_and_verify_cpu_hours']:,} CPU hours to embed and verify and "
        f"{million['restore_cpu_hours']:,} to restore, and {million['payload_terabytes']:.1f} TB "
        f"of payloads for {million['raw_terabytes_16_bit']:.0f} TB of samples."
    )


def _maps(results: dict[str, Any]) -> None:
    """Registration by kinds of maps, and by finishes."""
    columns = ("found", "median px", "95 % px", "loss dB, worst", "resampling dB", "coverage dB")
    finishes = {row["finish"]: (row["finish"],) for row in results["outcomes"]}
    for key, groups in (("warp", _WARPS), ("finish", finishes)):
        every = tuple(name for names in groups.values() for name in names)
        print(f"\n| {key} | " + " | ".join(columns) + " |")
        print("|---|" + "---|" * len(columns))
        for group, names in {**groups, "all": every}.items():
            rows = [row for row in results["outcomes"] if row[key] in names]
            if rows:
                print(f"| {group} | " + " | ".join(_registered(rows)) + " |")
    for kind, counts in results.get("wrong", {}).items():
        print(f"\n{kind}: {counts}")


_WARPS = {
    "whole frame": ("plain",),
    "turned by 0.3 to 10 degrees": ("turn 0.3", "turn 1", "turn 3", "turn 10"),
    "cropped: 70, 50 % of the sides, square, 16:9": (
        *("crop 70 %", "crop 50 %", "crop 16:9", "crop square"),
    ),
    "cropped to 30 and 25 % of the sides": ("crop 30 %", "crop 25 %"),
    "enlarged 2x, halved": ("scale 2", "scale 0.5"),
    "scaled to 0.25": ("scale 0.25",),
    "scaled to 0.1": ("scale 0.1",),
    "digital zoom, 2x and 4x": ("zoom 2", "zoom 4"),
    "barrel, pincushion, fisheye": ("barrel", "pincushion", "fisheye"),
    "keystone, mirrored and turned, all at once": ("keystone", "mirrored", "all at once"),
}


def _registered(rows: list[dict[str, Any]]) -> list[str]:
    seen = [row for row in rows if not row["error"]]
    losses = [row["loss"] for row in seen if row["loss"] is not None]
    others = [
        [row[name] for row in seen if row[name] is not None] for name in ("resampling", "coverage")
    ]
    return [
        f"{len(seen)} of {len(rows)}",
        f"{median(row['median'] for row in seen):.3f}" if seen else "-",
        f"{median(row['p95'] for row in seen):.3f} (worst {max(row['p95'] for row in seen):.3f})"
        if seen
        else "-",
        f"{_mean(losses):+.2f}, {max(losses):+.2f}" if losses else "-",
        *(f"{_mean(values):+.2f}" if values else "-" for values in others),
    ]


def _decibels(figures: dict[str, Any] | None) -> str:
    return "-" if figures is None else f"{figures['raw_psnr']:.2f}"


def _mean(values: list[float]) -> float:
    return sum(values) / max(len(values), 1)


if __name__ == "__main__":
    main()
