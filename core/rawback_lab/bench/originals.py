"""What giving back the raw file itself takes: ``python -m rawback_lab.bench originals FOLDER``.

For every raw below a folder: how it keeps its image data, whether the very file comes back, and in
how many bytes. Carriers are LibRaw's renderings, or the camera's own JPEG where one lies beside the
raw under its name. Results of raws that are not there are kept. Without a folder, the table is
printed from the results.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rawpy

import rawback
from rawback import rawio
from rawback.errors import OriginalUnavailable, RawbackError
from rawback.files import JPEG_SUFFIXES, RAW_SUFFIXES
from rawback.original import read_recipe
from rawback.original.making import make_recipe, store_whole
from rawback.original.rebuilding import rebuild
from rawback_lab.bench.carriers import carrier_file
from rawback_lab.bench.peers import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["lines", "measured"]

RESULTS = Path(__file__).parents[1] / "results" / "originals.json"
_SUFFIXES = RAW_SUFFIXES | {".qtk"}


def measured(raw: Path, kept_in: Path) -> dict[str, Any]:
    """Figures of one raw.

    ``recipe_bytes`` and ``same_file`` are of the recipe alone; ``payload_bytes`` is all that
    `rawback.embed` adds to the JPEG with ``original=True``, or with ``"store"`` where the file
    cannot be made again. Of raws that rawback does not read there is no payload, and the recipe
    is made of LibRaw's samples.
    """
    data = raw.read_bytes()
    figures: dict[str, Any] = {"raw": raw.name, "bytes": len(data)}
    try:
        mosaic = rawio.read_raw(data).whole_mosaic
        is_read = True
    except RawbackError:
        with rawpy.imread(str(raw)) as opened:
            mosaic = np.array(opened.raw_image)
        if mosaic.ndim == 3:
            mosaic = np.ascontiguousarray(mosaic[:, :, :3])
        is_read = False
    try:
        recipe = make_recipe(data, mosaic, name=raw.name)
        figures["same_file"] = rebuild(recipe, mosaic) == data
    except OriginalUnavailable as error:
        figures["refused"] = str(error)
        recipe = store_whole(data, name=raw.name)
    figures |= {"encoding": read_recipe(recipe).head.encoding, "recipe_bytes": len(recipe)}
    if is_read:
        carrier, result = rawback.embed_bytes(
            data, _jpeg(raw, kept_in).read_bytes(), original="store", unguided=True
        )
        figures["payload_bytes"] = result.payload_bytes
        figures["payload_gives_same_file"] = (
            rawback.restore_bytes(carrier, original=True)[0] == data
        )
    return figures


def _jpeg(raw: Path, kept_in: Path) -> Path:
    beside = (raw.with_suffix(suffix) for suffix in (".JPG", *JPEG_SUFFIXES))
    return next((path for path in beside if path.exists()), None) or carrier_file(raw, kept_in)


def lines(results: Iterable[dict[str, Any]]) -> list[str]:
    """The results as a table."""
    table = [
        "| raw | file | image data | same file | the recipe takes | payload, part of the file |",
        "|---|---|---|---|---|---|",
    ]
    for row in results:
        encoding = row["encoding"]
        same = "yes" if row.get("payload_gives_same_file", row.get("same_file")) else "no"
        if "refused" in row:
            _, _, why = row["refused"].partition(": ")
            encoding = why.partition(". ")[0].removeprefix("its image data is ")
            same = "stored whole" if same == "yes" else "can be stored"
        part = "not read"
        if "payload_bytes" in row:
            part = f"{row['payload_bytes'] / row['bytes']:.3f}"
        table.append(
            f"| `{row['raw']}` | {row['bytes']:,} | {encoding} | {same} "
            f"| {row['recipe_bytes']:,} | {part} |"
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what original files take.")
    parser.add_argument("folder", type=Path, nargs="?", help="where the raws are")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures go")
    parser.add_argument("--scratch", type=Path, default=Path(".scratch/carriers"))
    options = parser.parse_args()
    if options.folder is None:
        print(*lines(json.loads(options.json.read_text("utf-8"))["raws"]), sep="\n")
        return
    raws = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    known: list[dict[str, Any]] = []
    if options.json.exists():
        known = json.loads(options.json.read_text("utf-8"))["raws"]
    results = {row["raw"]: row for row in known}
    for raw in raws:
        results[raw.name] = measured(raw, options.scratch)
        print(*lines([results[raw.name]])[2:], sep="\n", flush=True)
        write_json(options.json, {"raws": [results[name] for name in sorted(results)]})


if __name__ == "__main__":
    main()
