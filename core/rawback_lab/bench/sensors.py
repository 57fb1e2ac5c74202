"""Every kind of sensor, beside the peers: ``python -m rawback_lab.bench.sensors FOLDER PHOTOS``.

FOLDER holds raws of other sensors than Bayer's; PHOTOS photographs, of which each kind of mosaic is
simulated from one scene, so that its figures can be held against those of the Bayer frame. Frames
and renderings are cut by some pixels on each side: there LibRaw demosaics X-Trans by a cruder
method, which a small frame would show and a camera's does not. Payloads are tuned for raw PSNR and
hold no metadata. Where a raw has no JPEG beside it, one is rendered. The peer with a residual codes
the planes that rawback codes, and the samples in their own order as one plane; whichever is better
counts. Of simulated frames it tells, too, what their noise alone takes without loss.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import rawpy
from rich.console import Console
from rich.table import Table

from rawback import decoder, encoder, rawio
from rawback.bitstream import unpack
from rawback.errors import RateUnreachable
from rawback.jpegio import decode_jpeg
from rawback.metrics import raw_psnr
from rawback.rate import Rate
from rawback_lab.bench.layer_gain import summary
from rawback_lab.camera import CameraSpec
from rawback_lab.learn.renderings import linear_light
from rawback_lab.peers import PEERS, Shot
from rawback_lab.pictures import as_linear, software_isp
from rawback_lab.plane_codecs import jpegxl_lossless
from rawback_lab.protocols import listed_raws
from rawback_lab.render import STYLES, FilmicLook, encode_jpeg
from rawback_lab.simulate import exposed, noise_bits, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rawback.encoder import Session
    from rawback.types import RawFrame

RATES = (0.02, 0.1, 0.5)

_CURVE = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Rates of linear frames, so that bytes can be told that networks save at equal PSNR; at those in
between there is no peer."""

MARGIN = 12
"""Pixels cut from each side of simulated frames: a multiple of the periods of all patterns."""

_RIVALS = ("base+jpeg2000", "base+jpeg2000-linear")

_KINDS = {
    "Bayer": "RGGB",
    "X-Trans": "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG",
    "quad Bayer": "RRGG/RRGG/GGBB/GGBB",
    "monochrome": "W",
    "linear RGB": "R+G+B",
}


def jpeg_beside(raw_file: Path, frame: RawFrame) -> bytes:
    """The JPEG of the same name, or one that is rendered."""
    beside = raw_file.with_suffix(".jpg")
    if beside.exists():
        return beside.read_bytes()
    return rendered(frame)


def rendered(frame: RawFrame, margin: int = 0, style: str = "libraw") -> bytes:
    """A rendering, less a margin on each side, as a JPEG."""
    picture = STYLES[style](frame)
    colours = np.broadcast_to(picture, (*picture.shape[:2], 3))
    return encode_jpeg(np.ascontiguousarray(_cut(colours, margin)), 92, "4:2:0")


def _cut(image: NDArray[Any], margin: int) -> NDArray[Any]:
    return image[margin : len(image) - margin, margin : image.shape[1] - margin]


def sharpened(frame: RawFrame) -> bytes:
    """What a converter that sharpens makes of a linear frame, as a JPEG.

    LibRaw looks at each pixel of it alone: such renderings leave networks nothing to undo.
    """
    return encode_jpeg(software_isp(linear_light(frame), frame, FilmicLook()), 92, "4:2:0")


def demosaiced(raw_file: Path, side: int = 1024, method: str = "AHD") -> RawFrame:
    """A part of a raw from the middle, as LibRaw makes linear RGB of 16 bits of it by some method.

    Its noise is smooth, as that of linear files which converters write.
    """
    with rawpy.imread(str(raw_file)) as raw:
        pixels = raw.postprocess(
            demosaic_algorithm=rawpy.DemosaicAlgorithm[method],
            output_color=rawpy.ColorSpace.raw,
            output_bps=16,
            gamma=(1, 1),
            no_auto_bright=True,
            user_wb=[1.0, 1.0, 1.0, 1.0],
            user_flip=0,
        )
    linear = np.asarray(pixels, np.uint16)
    top, left = (max(0, length - side) // 4 * 2 for length in linear.shape[:2])
    samples = np.ascontiguousarray(linear[top : top + side, left : left + side])
    return as_linear(rawio.read_raw(raw_file), samples)


def one_plane(frame: RawFrame) -> RawFrame:
    """The frame as if its samples, whatever their colours, were the planes of quads."""
    return replace(frame, pattern="W", black=(min(frame.black),))


@dataclass(frozen=True)
class Case:
    """A raw to be measured.

    Attributes:
        name: What it is called.
        frame: The raw.
        jpeg: Its rendering.
        noise: Of a simulated frame, bits of a sample that its noise takes.
    """

    name: str
    frame: RawFrame
    jpeg: bytes
    noise: float | None = None

    def renderings(self) -> Iterator[Case]:
        """Itself, and a linear one with another JPEG."""
        yield self
        if self.frame.mosaic.samples == 3:
            yield replace(self, name=f"{self.name}, sharpened", jpeg=sharpened(self.frame))


def simulated(photo: Path) -> Iterator[Case]:
    """A scene as each kind of sensor sees it, and LibRaw's rendering of that.

    Quad Bayer, which LibRaw has no demosaicing for, is rendered by our own converter.
    """
    spec = CameraSpec()
    picture = np.asarray(imagecodecs.jpegxl_decode(photo.read_bytes()))
    for kind, pattern in _KINDS.items():
        camera = replace(spec, pattern=pattern)
        frame = simulate(picture, camera, _generator(), 1500)
        cut = np.ascontiguousarray(_cut(frame.cfa, MARGIN))
        signal = _cut(exposed(picture, camera, _generator(), 1500), MARGIN)
        style = "filmic" if kind == "quad Bayer" else "libraw"
        jpeg = rendered(frame, MARGIN, style)
        yield Case(kind, replace(frame, cfa=cut), jpeg, noise_bits(signal, camera, cut))


def _generator() -> np.random.Generator:
    return np.random.default_rng(3)


def restored(session: Session, jpeg: bytes, rate: Rate) -> tuple[int, RawFrame]:
    """Bytes of a payload, and what it restores."""
    payload = session.encode(rate).payload
    return len(payload), decoder.decode(unpack(payload), decode_jpeg(jpeg))


def rival(shots: Sequence[Shot], frame: RawFrame, budget: int) -> float | None:
    """Raw PSNR of the best peer with a residual, over the ways to lay samples out."""
    best = [
        raw_psnr(frame, replace(frame, cfa=coded.samples))
        for shot in shots
        for peer in _RIVALS
        if (coded := PEERS[peer](shot, budget)) is not None
    ]
    return max(best, default=None)


def figures(case: Case) -> dict[str, Any]:
    """What rawback and the peers make of a raw."""
    frame, jpeg = case.frame, case.jpeg
    carrier, pixels = decode_jpeg(jpeg), frame.width * frame.height
    sessions = {
        use: encoder.prepare(frame, carrier, tune="psnr", use=use) for use in ("auto", "never")
    }
    guide = sessions["auto"].guide
    shots = [Shot(frame, guide)]
    if frame.mosaic.samples == 1 and not frame.mosaic.is_monochrome:
        shots.append(Shot(one_plane(frame), guide))
    rates: dict[str, Any] = {}
    for rate in _CURVE if frame.mosaic.samples == 3 else RATES:
        budget = int(rate * pixels / 8)
        row: dict[str, Any] = {"peer": rival(shots, frame, budget) if rate in RATES else None}
        for use, session in sessions.items():
            try:
                size, again = restored(session, jpeg, Rate.size(budget))
            except RateUnreachable:
                continue
            psnr = raw_psnr(frame, again)
            row[use] = {"bytes": size, "psnr": psnr if math.isfinite(psnr) else None}
        rates[str(rate)] = row
    return {
        "mosaic": frame.mosaic.name,
        "pixels": pixels,
        "rates": rates,
        "lossless": lossless_figures(case),
    }


def lossless_figures(case: Case) -> dict[str, Any]:
    """Bytes of a raw without loss, of JPEG XL, by planes or as it lies, and of the noise alone."""
    frame, jpeg = case.frame, case.jpeg
    session = encoder.prepare(frame, decode_jpeg(jpeg), tune="psnr")
    size, again = restored(session, jpeg, Rate.lossless())
    shot = Shot(frame, session.guide)
    planes = sum(len(jpegxl_lossless(plane)) for plane in shot.planes)
    return {
        "bytes": size,
        "exact": bool(np.array_equal(again.cfa, frame.cfa)),
        "jpegxl": min(planes, len(jpegxl_lossless(frame.cfa))),
        "noise": None if case.noise is None else round(case.noise * frame.cfa.size / 8),
        "samples": frame.cfa.size,
    }


def table(results: dict[str, Any]) -> Table:
    """Raw PSNR beside the peer at equal bytes, and lossless sizes."""
    columns = [f"{rate} bpp: rawback, without networks, peer" for rate in RATES]
    lossless_columns = "lossless / JPEG XL", "bits: lossless, JPEG XL, noise alone", "exact"
    grid = Table("raw", "mosaic", *columns, *lossless_columns)

    def psnr(row: dict[str, Any] | None) -> str:
        if row is None:
            return "-"
        return "exact" if row["psnr"] is None else f"{row['psnr']:.2f}"

    for name, found in results.items():
        cells = []
        for rate in RATES:
            row = found["rates"].get(str(rate), {"peer": None})
            peer = "-" if row["peer"] is None else f"{row['peer']:.2f}"
            cells.append(f"{psnr(row.get('auto'))} {psnr(row.get('never'))} {peer}")
        lossless = found["lossless"]
        ratio = f"{lossless['bytes'] / lossless['jpegxl']:.3f}"
        sizes = [lossless[what] for what in ("bytes", "jpegxl", "noise")]
        bits = ["-" if size is None else f"{8 * size / lossless['samples']:.3f}" for size in sizes]
        grid.add_row(name, found["mosaic"], *cells, ratio, " ".join(bits), str(lossless["exact"]))
    return grid


def _cases(
    raws: Path, photos: Path, names: Sequence[str], mosaics: Sequence[Path], methods: Sequence[str]
) -> Iterator[Case]:
    for raw_file in sorted(raws.glob("*.dng")):
        frame = rawio.read_raw(raw_file)
        yield from Case(raw_file.stem, frame, jpeg_beside(raw_file, frame)).renderings()
    for raw_file in mosaics:
        frame = demosaiced(raw_file)
        yield from Case(f"{raw_file.stem}, demosaiced", frame, rendered(frame)).renderings()
        for method in methods:
            frame = demosaiced(raw_file, method=method)
            yield Case(f"{raw_file.stem}, demosaiced by {method}", frame, rendered(frame))
    for name in names:
        for case in simulated(photos / name):
            yield from replace(case, name=f"{Path(name).stem}, {case.name}").renderings()


def main() -> None:
    """Measure all raws of a folder, and each kind of mosaic of some photographs."""
    parser = argparse.ArgumentParser(description="Every kind of sensor, beside the peers.")
    parser.add_argument("raws", type=Path, help="folder of DNGs of other sensors")
    parser.add_argument("photos", type=Path, help="folder of JPEG XL photographs")
    parser.add_argument("--names", nargs="*", default=[], help="of the photographs to be taken")
    parser.add_argument("--mosaics", nargs="*", type=Path, default=[], help="raws to be demosaiced")
    parser.add_argument("--methods", nargs="*", default=[], help="other ones of LibRaw's than AHD")
    parser.add_argument("--only", default="", help="part of the names of cases to be measured")
    parser.add_argument("--lossless", action="store_true", help="measure that alone")
    parser.add_argument("--json", type=Path, help="where figures go")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    if options.json and options.json.exists():
        # Raws that are not asked for keep their figures.
        results = json.loads(options.json.read_text("utf-8"))
    cases = _cases(options.raws, options.photos, options.names, options.mosaics, options.methods)
    for case in cases:
        name, frame = case.name, case.frame
        if options.only not in name:
            continue
        if options.lossless:
            fresh = {"mosaic": frame.mosaic.name, "pixels": frame.width * frame.height, "rates": {}}
            results[name] = {**results.get(name, fresh), "lossless": lossless_figures(case)}
        else:
            results[name] = figures(case)
        print(name, results[name], flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n")
    console = Console(width=240)
    listed = (options.raws / "manifest.csv").exists()
    training = [raw.stem for raw in listed_raws(options.raws, "train")] if listed else []
    console.print(table(results), summary(results, training))


if __name__ == "__main__":
    main()
