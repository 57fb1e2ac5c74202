"""Write the stored carriers and the digests of what they restore.

::

    PYTHONPATH=core python tests/golden/make.py

Run it only where the format or the stored tables change on purpose: what is in this folder is what
every later version must restore, bit for bit.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rawback._api.metadata import attachments
from rawback.bitstream import Payload, SectionKind, unpack
from rawback.common.header_fields import samples_digest
from rawback.container import embed_payload, extract_payload
from rawback.decoder import decode
from rawback.encoder.analysis import Analysis
from rawback.encoder.base_fits import FittedBase, filter_fits
from rawback.floats import Scale, linear_scale, ratio_scale
from rawback.geometry import Aligned, Geometry, Mesh, Transform, Warped
from rawback.geometry.transform import mesh_shape
from rawback.jpegio import decode_jpeg
from rawback.metadata import Directory, Metadata, TiffType
from rawback.mosaic import Mosaic
from rawback.rate import Rate
from rawback.rawio import Tag, estimate_noise
from rawback.rawio.describe import ascii_entry, number_entry
from rawback.residual import Pixels, read_code_values
from rawback.types import BlackOffsets, Border, Floats, NoiseModel
from rawback_lab.camera import X_TRANS, CameraSpec
from rawback_lab.pictures import WHITE, Picture, linear_picture, linear_shot, software_isp
from rawback_lab.render import FilmicLook, encode_jpeg
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.encoder.learned_layer import Use
    from rawback.rate import Tune
    from rawback.types import RawFrame

FOLDER = Path(__file__).parent


def carrier_of(
    frame: RawFrame,
    jpeg: bytes,
    rate: Rate,
    transform: Transform,
    use: Use = "never",
    tune: Tune = "visual",
) -> bytes:
    """The JPEG with its payload inside, seen to restore what was meant."""
    session, carrier = session_at(frame, decode_jpeg(jpeg), transform, use)
    session.source = replace(session.source, tune=tune)
    session.attached = attachments(frame, "auto")
    encoded = session.encode(rate)
    restored = decode(unpack(encoded.payload), carrier)
    if samples_digest(restored) != samples_digest(encoded.restored):
        message = "the payload does not restore what the encoder said"
        raise RuntimeError(message)
    return embed_payload(jpeg, encoded.payload)


def lossy() -> bytes:
    """All sections but those of the exact layer."""
    frame, jpeg = made_up_shot(150, 202, CameraSpec(pattern="GRBG"), 85)
    return carrier_of(frame, jpeg, Rate.quality(80), Aligned())


def lossless() -> bytes:
    """Odd sides, and a sensor that uses every fourth code."""
    frame, jpeg = made_up_shot(97, 131, CameraSpec(pattern="GBRG", bits=12, black=64, white=4092))
    frame = replace(frame, cfa=(frame.cfa // 4 * 4).astype(np.uint16))
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def gains() -> bytes:
    """A grid of gains."""
    spec = CameraSpec(pattern="BGGR", vignetting=0.5)
    frame, _ = made_up_shot(512, 520, spec, seed=1)
    _, jpeg = made_up_shot(512, 520, replace(spec, vignetting=0.0), 60, seed=1)
    return carrier_of(frame, jpeg, Rate.quality(25), Aligned())


def cropped() -> bytes:
    """A carrier that lies within the frame."""
    frame, jpeg = made_up_shot(120, 160, seed=2)
    pixels = np.ascontiguousarray(decode_jpeg(jpeg).pixels[14:110, 22:140])
    return carrier_of(frame, encode_jpeg(pixels, 90), Rate.quality(70), Aligned(1, -22, -14))


def warped() -> bytes:
    """A carrier seen at an angle, all of the raw."""
    frame, jpeg = made_up_shot(90, 110, seed=3)
    transform = Warped((40, 90), (64 * 180, 300), (-200, 64 * 170), (3000, -2000))
    return carrier_of(frame, jpeg, Rate.lossless(), transform)


def turned() -> bytes:
    """A carrier that is turned and larger than the frame, and samples below black."""
    frame, jpeg = made_up_shot(88, 120, CameraSpec(pattern="GBRG", iso=25_600, black=64), seed=7)
    pixels = np.pad(decode_jpeg(jpeg).pixels, ((6, 9), (4, 11), (0, 0)), mode="edge")
    carrier = encode_jpeg(np.ascontiguousarray(np.rot90(pixels, -1)), 92)
    return carrier_of(frame, carrier, Rate.lossless(), Aligned(6, 9, 4))


def meshed() -> bytes:
    """A carrier twice as large as the frame, bent by a mesh."""
    frame, jpeg = made_up_shot(90, 110, seed=8)
    pixels = decode_jpeg(jpeg).pixels.repeat(2, axis=0).repeat(2, axis=1)
    rng = np.random.default_rng(8)
    rows, columns = mesh_shape((110, 90), 5)
    mesh = Mesh(5, tuple(rng.integers(-90, 90, 2 * rows * columns).tolist()))
    transform = Warped((20, 30), (64 * 254, 50), (-10, 64 * 256), (-900, 700), mesh)
    return carrier_of(frame, encode_jpeg(pixels, 90), Rate.quality(70), transform)


def apart() -> bytes:
    """A raw that its carrier does not show."""
    frame, _ = made_up_shot(64, 96, seed=9)
    _, jpeg = made_up_shot(48, 64, seed=10)
    pixels = decode_jpeg(jpeg).pixels
    geometry = Geometry.disjoint((96, 64), (pixels.shape[1], pixels.shape[0]))
    return carrier_of(frame, jpeg, Rate.quality(60), geometry.transform)


def tiled() -> bytes:
    """Several tiles, one of them with an odd side, and a superbox of several packets."""
    frame, jpeg = made_up_shot(67, 2091, CameraSpec(bits=10, black=64, white=1023), 70, seed=11)
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def sparse() -> bytes:
    """Tiles of which two have nothing in their coarsest layer."""
    frame, jpeg = made_up_shot(40, 2060, CameraSpec(), 60, seed=13)
    return carrier_of(frame, jpeg, Rate.quality(8), Aligned(), tune="psnr")


def learned() -> bytes:
    """All groups of latents under a few bits of residual, and two tiles of the networks."""
    frame, jpeg = made_up_shot(200, 580, CameraSpec(pattern="GRBG"), 80, seed=4)
    return carrier_of(frame, jpeg, Rate.quality(30), Aligned(), "full")


def bare() -> bytes:
    """The networks without latents, and an exact layer on top of them."""
    frame, jpeg = made_up_shot(131, 97, CameraSpec(pattern="BGGR"), 90, "4:4:4", seed=5)
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned(), "bare")


def linear() -> bytes:
    """A linear picture, with networks and latents of its own."""
    shot, _ = made_up_shot(260, 420, seed=6)
    colours = linear_picture(shot, 2)
    picture = Picture(colours, software_isp(colours, shot, FilmicLook()), shot)
    frame, carrier = linear_shot(picture)
    jpeg = encode_jpeg(carrier.pixels, 95, "4:4:4")
    return carrier_of(frame, jpeg, Rate.quality(20), Aligned(), "full")


def bordered() -> bytes:
    """Optical black around the frame, black of its own in each row, tags in both sections."""
    shot, jpeg = made_up_shot(70, 90, CameraSpec(black=200), seed=14)
    rng = np.random.default_rng(14)
    rows = np.rint(rng.normal(0, 6, 70)).astype(np.int32)
    offsets = BlackOffsets(
        np.array([[0, 0], [0, 0], [1, 0], [0, -1]], np.int32), rows, rows[:1].repeat(90)
    )
    whole = rng.integers(190, 210, (84, 101)).astype(np.uint16)
    cfa = offsets.added_to(shot.cfa)
    whole[9:79, 11:101] = cfa
    order = ">"
    told = Metadata(
        (
            number_entry(Tag.ACTIVE_AREA, TiffType.LONG, [9, 11, 79, 101], order),
            number_entry(Tag.MASKED_AREAS, TiffType.SHORT, [0, 0, 9, 101], order),
            number_entry(Tag.OPCODE_LIST_2, TiffType.UNDEFINED, bytes(range(64)) * 4, order),
            number_entry(50940, TiffType.FLOAT, np.linspace(0, 1, 40).tolist(), order),
            ascii_entry(Tag.ARTIST, "Somebody"),
            number_entry(2, TiffType.RATIONAL, [48, 1, 8, 1, 0, 1], order, Directory.GPS),
        ),
        big_endian=True,
    )
    border = Border.around(whole, (9, 11, 79, 101))
    frame = replace(shot, cfa=cfa, metadata=told, black_offsets=offsets, border=border)
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def above() -> bytes:
    """Samples above white, and a border of which the level alone is kept."""
    shot, jpeg = made_up_shot(60, 80, CameraSpec(black=64, white=1023, bits=10), seed=15)
    whole = np.full((64, 84), 66, np.uint16)
    whole[::2, 1::2] = 63
    whole[4:, 4:] = cfa = (64 + (shot.cfa.astype(np.int32) - 64) * 3 // 2).clip(0).astype(np.uint16)
    area = number_entry(Tag.ACTIVE_AREA, TiffType.SHORT, [4, 4, 64, 84], "<")
    border = Border.around(whole, (4, 4, 64, 84))
    frame = replace(shot, cfa=cfa, metadata=Metadata((area,)), border=border)
    return carrier_of(frame, jpeg, Rate.quality(85), Aligned())


_FILTERED = {
    "R": (1, 0, 0), "G": (0, 1, 0), "B": (0, 0, 1), "W": (1 / 3, 1 / 3, 1 / 3),
    "C": (0, 0.5, 0.5), "M": (0.5, 0, 0.5), "Y": (0.5, 0.5, 0),
}  # fmt: skip
"""What filters let through of red, green and blue."""


def mosaic_shot(
    pattern: str, height: int, width: int, black: tuple[float, ...], seed: int
) -> tuple[RawFrame, bytes]:
    """A frame of some mosaic, of 12 bits, and its rendering."""
    shot, _ = made_up_shot(2 * height, 2 * width, seed=seed)
    colours, white = linear_picture(shot, 2), 4095
    jpeg = encode_jpeg(software_isp(colours, shot, FilmicLook()), 90)
    mosaic = Mosaic.parse(pattern)
    each = [
        level + colours @ np.array(_FILTERED[colour]) / WHITE * (white - level)
        for colour, level in zip(mosaic.colours, black, strict=True)
    ]
    samples = np.rint(np.stack(each, axis=-1)).astype(np.uint16)
    if mosaic.pattern:
        (down, across), channels = mosaic.period, np.array(mosaic.pattern)
        y, x = np.indices((height, width))
        samples = samples[y, x, channels[y % down, x % across]]
    noise = NoiseModel(shot.noise.scale / 8, shot.noise.offset / 8)
    frame = replace(
        shot.excerpt(shot.cfa),
        cfa=samples,
        pattern=pattern,
        black=black,
        white=white,
        noise=noise,
        orientation=1,
    )
    return frame, jpeg


def xtrans() -> bytes:
    """Cells of 3x3 that differ, and sides that are no multiples of theirs."""
    frame, jpeg = mosaic_shot(X_TRANS, 71, 101, (64.0, 65.5, 62.0, 66.25), 16)
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def quad() -> bytes:
    """Cells of 4x4, and filters of their own for some classes."""
    frame, jpeg = mosaic_shot("RRGG/RRGG/GGBB/GGBB", 70, 106, (64.0, 66.0, 63.0), 17)
    return carrier_of(frame, jpeg, Rate.quality(70), Aligned())


def phases() -> bytes:
    """A filter for each phase of a pattern, which no small frame has by itself."""
    frame, jpeg = mosaic_shot(X_TRANS, 68, 101, (64.0, 65.5, 62.0, 66.25), 20)
    session, carrier = session_at(frame, decode_jpeg(jpeg), Aligned(), "never")
    source, price = session.source, 1e-6
    base = source.fits.choose(price)
    base = filter_fits(source, base).choose(base, price)
    analysis = Analysis.of_base(source, FittedBase.of(source, base), lambda _done: None)
    filters = analysis.base.filters
    if not filters or not filters[0].is_by_phase(frame.mosaic):
        message = "the filters are not those of phases"
        raise RuntimeError(message)
    builder = session.builder(analysis)
    builder.add_layers(200.0, lambda _stage, _done: None)
    encoded = builder.finished()
    if not np.array_equal(decode(unpack(encoded.payload), carrier).cfa, encoded.restored.cfa):
        message = "the payload does not restore what the encoder said"
        raise RuntimeError(message)
    return embed_payload(jpeg, encoded.payload)


def mono() -> bytes:
    """A sensor without filters, of odd sides."""
    frame, jpeg = mosaic_shot("W", 69, 99, (64.0,), 18)
    return carrier_of(frame, jpeg, Rate.quality(70), Aligned())


def cymg() -> bytes:
    """Four colours."""
    frame, jpeg = mosaic_shot("GMCY", 68, 100, (64.0, 65.0, 63.0, 66.5), 19)
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def tabled() -> bytes:
    """Few codes, far apart, and others in each channel: a list for each, and no quality layers."""
    frame, jpeg = mosaic_shot("R+G+B", 61, 90, (0.0, 0.0, 0.0), 21)
    steps = np.array([37, 41, 53])
    samples = (frame.cfa // steps * steps + (3, 5, 0)).astype(np.uint16)
    carrier = carrier_of(replace(frame, cfa=samples), jpeg, Rate.lossless(), Aligned())
    sections = {(s.kind, s.layer): s.data for s in restored(carrier)[0].sections}
    lists = read_code_values(sections[SectionKind.CODES, 0], 3)
    if len(lists) != 3 or (SectionKind.RESIDUAL, 0) in sections:
        message = "there is one list of codes, or there are quality layers"
        raise RuntimeError(message)
    return carrier


def interpolated() -> bytes:
    """Linear RGB of a mosaic: green by the mean of four, the differences to it by that of two."""
    shot, _ = made_up_shot(92, 122, CameraSpec(bits=10, black=16, white=1023), seed=24)
    mosaic = np.pad(shot.cfa.astype(np.int32) * 64, 2, mode="reflect")
    down, across = np.indices(mosaic.shape) & 1
    around = sum(np.roll(mosaic, 1 - 2 * (k & 1), k >> 1) for k in range(4)) >> 2
    green = np.where(down == across, around, mosaic)
    samples = [green, green, green]
    for channel, corner in ((0, 0), (2, 1)):
        difference = mosaic - green
        for axis, odd in ((1, across), (0, down)):
            between = np.roll(difference, 1, axis) + np.roll(difference, -1, axis) >> 1
            difference = np.where(odd == corner, difference, between)
        samples[channel] = green + difference
    cfa = np.stack(samples, axis=2)[2:-2, 2:-2].clip(0, 65535).astype(np.uint16)
    black, white = (16.0 * 64,) * 3, 1023 * 64
    noise = estimate_noise(cfa, "R+G+B", black, white)
    frame = replace(
        shot.excerpt(shot.cfa), cfa=cfa, pattern="R+G+B", black=black, white=white, noise=noise
    )
    light = (frame.cfa.astype(np.float32) - black[0]) / (white - black[0])
    colours = np.rint(light.clip(0, 1) * WHITE).astype(np.uint16)
    jpeg = encode_jpeg(software_isp(colours, frame, FilmicLook()), 90)
    carrier = carrier_of(frame, jpeg, Rate.lossless(), Aligned())
    codes, model = (
        next(s.data for s in restored(carrier)[0].sections if (s.kind, s.layer) == place)
        for place in ((SectionKind.CODES, 0), (SectionKind.CODES, 1))
    )
    if len(read_code_values(codes, 12)) != 12 or model[0] != Pixels.INTERPOLATED:
        message = "interpolated samples are not looked for, or there are no lists of phases"
        raise RuntimeError(message)
    return carrier


def floats_of(
    frame: RawFrame, numbers: NDArray[np.float32], scale: Scale, white: float
) -> RawFrame:
    """A frame of floating point numbers, black at 0, with the looks of another."""
    codes, remainders = scale.codes.split(numbers)
    black = (scale.codes.level(0.0),) * len(frame.black)
    at_white = round(scale.codes.level(white))
    return replace(
        frame,
        cfa=codes,
        black=black,
        white=at_white,
        noise=estimate_noise(codes, frame.pattern, black, at_white),
        floats=Floats(scale, remainders),
        metadata=Metadata(),
    )


def floats() -> bytes:
    """One exposure in floating point numbers: most of whole numbers, some not, some no numbers."""
    shot, jpeg = made_up_shot(
        59, 82, CameraSpec(pattern="GBRG", bits=10, black=64, white=1023), seed=22
    )
    rng = np.random.default_rng(22)
    whole = np.zeros((65, 90), np.float32)
    whole[4:63, 6:88] = (shot.cfa - shot.black[0]) / np.float32(shot.white - shot.black[0])
    whole[50:] += rng.normal(0, 1e-4, whole[50:].shape).astype(np.float32)
    whole[10, 10:16] = [-0.0, np.nan, np.inf, -1e9, 1e-30, -1e-30]
    scale, area = linear_scale(1.0), (4, 6, 63, 88)
    frame = floats_of(shot, whole, scale, 1.0)
    rest = scale.codes.split(whole)[1]
    frame = replace(
        frame,
        cfa=np.ascontiguousarray(frame.cfa[4:63, 6:88]),
        border=Border.around(frame.cfa, area),
        floats=Floats(
            scale,
            np.ascontiguousarray(rest[4:63, 6:88]),
            Border.around(rest, area),
        ),
        metadata=Metadata((number_entry(Tag.ACTIVE_AREA, TiffType.SHORT, area, "<"),)),
    )
    return carrier_of(frame, jpeg, Rate.lossless(), Aligned())


def ratios() -> bytes:
    """A merge of exposures in floating point numbers, clear down to its deepest shadows."""
    frame, jpeg = mosaic_shot("R+G+B", 40, 52, (0.0, 0.0, 0.0), 23)
    light = (frame.cfa / np.float32(frame.white)) ** np.float32(3) + np.float32(1e-4)
    rng = np.random.default_rng(23)
    numbers = light * rng.normal(1, 0.02, light.shape).astype(np.float32)
    made = floats_of(frame, numbers.astype(np.float32), ratio_scale(2.5), 2.5)
    return carrier_of(made, jpeg, Rate.lossless(), Aligned())


def restored(carrier: bytes) -> tuple[Payload, RawFrame]:
    """The payload of a carrier, and what it restores."""
    payload = unpack(extract_payload(carrier))
    return payload, decode(payload, decode_jpeg(carrier))


_KINDS = (
    *(lossy, lossless, gains, cropped, warped, turned, meshed, apart, tiled, sparse),
    *(learned, bare, linear, bordered, above),
    *(xtrans, phases, quad, mono, cymg, tabled, interpolated, floats, ratios),
)


def main() -> None:
    digests = {}
    for make in _KINDS:
        carrier = make()
        payload, frame = restored(carrier)
        (FOLDER / f"{make.__name__}.jpg").write_bytes(carrier)
        digests[make.__name__] = {
            "sections": [f"{s.kind}.{s.layer}.{s.tile}" for s in payload.sections],
            "sha256": samples_digest(frame).hex(),
        }
    text = json.dumps(digests, indent=1)
    (FOLDER / "digests.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
