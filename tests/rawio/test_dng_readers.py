"""Our DNGs in the readers that people use: that one accepts them says nothing of the others."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import cv2
import exifread
import imagecodecs
import numpy as np
import pytest
import rawpy
import tifffile

from rawback.floats import Scale, linear_scale, ratio_scale
from rawback.metadata import Directory, Metadata, TiffType
from rawback.rawio import read_raw, write_dng
from rawback.rawio.describe import ascii_entry, number_entry
from rawback.rawio.write import Compression
from rawback.types import BayerPattern, Floats, Mosaic, NoiseModel, RawFrame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EXIFTOOL, DARKTABLE = shutil.which("exiftool"), shutil.which("darktable-cli")
COMPRESSIONS = get_args(Compression)
X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
KINDS = (X_TRANS, "RRGG/RRGG/GGBB/GGBB", "R+G+B", "W")
# How LibRaw and darktable take quad Bayer is theirs: as they take the camera's own file.
SHOWN_KINDS = (X_TRANS, "R+G+B", "W")


def scene(pattern: str = "RGGB", orientation: int = 1, repeats: int = 1) -> RawFrame:
    """Four coloured quarters and a soft ramp, as a camera of sRGB primaries sees them.

    Args:
        pattern: Of the sensor; monochrome and linear ones as well.
        orientation: As the frame's.
        repeats: How often each of 256 x 384 pixels is there along both sides.
    """
    height, width = 256, 384
    rgb = np.zeros((height, width, 3))
    rgb[:128, :192], rgb[:128, 192:] = (0.6, 0.1, 0.1), (0.1, 0.6, 0.1)
    rgb[128:, :192], rgb[128:, 192:] = (0.1, 0.1, 0.6), (0.4, 0.4, 0.4)
    rgb *= np.linspace(0.5, 1, width)[None, :, None]
    neutral = (0.5, 1.0, 0.625)
    rgb = rgb.repeat(repeats, axis=0).repeat(repeats, axis=1)
    mosaic = Mosaic.parse(pattern)
    camera = rgb * neutral
    cfa = camera if mosaic.samples == 3 else camera.mean(axis=2)
    for color, name in enumerate("RGB" if mosaic.pattern else ""):
        at = mosaic.mask(name, *cfa.shape)
        cfa[at] = camera[at, color]
    is_rgb = mosaic.palette == "RGB"
    to_srgb = np.array(
        [[3.2405, -1.5371, -0.4985], [-0.9693, 1.8760, 0.0416], [0.0556, -0.2040, 1.0572]]
    )
    a, b, c, d, e, f, g, h, i = (float(value) for value in (np.diag(neutral) @ to_srgb).ravel())
    return RawFrame(
        cfa=(cfa * (4095 - 256) + 256).astype(np.uint16),
        pattern=pattern,
        black=(256.0, 256.5, 255.5, 256.0)[: len(mosaic.colours)],
        white=4095,
        neutral=neutral if is_rgb else None,
        color_matrix=(a, b, c, d, e, f, g, h, i) if is_rgb else None,
        noise=NoiseModel(1e-4, 1e-6),
        orientation=orientation,
        make="Acme",
        model="Acme One",
        metadata=Metadata(
            (
                number_entry(33434, TiffType.RATIONAL, [1, 250], "<", Directory.EXIF),
                number_entry(33437, TiffType.RATIONAL, [28, 10], "<", Directory.EXIF),
                number_entry(34855, TiffType.SHORT, [400], "<", Directory.EXIF),
                ascii_entry(36867, "2026:05:04 03:02:01", Directory.EXIF),
                ascii_entry(36881, "+02:00", Directory.EXIF),
                number_entry(37380, TiffType.SRATIONAL, [-1, 3], "<", Directory.EXIF),
                number_entry(37386, TiffType.RATIONAL, [50, 1], "<", Directory.EXIF),
                ascii_entry(42036, "Acme 50mm", Directory.EXIF),
                ascii_entry(315, "Ada"),
                ascii_entry(33432, "© Ada"),
                number_entry(51041, TiffType.DOUBLE, [1e-4, 1e-6], "<"),
                number_entry(1, TiffType.ASCII, b"N\0", "<", Directory.GPS),
            )
        ),
    )


def preview() -> bytes:
    ramp = np.indices((120, 180)).sum(axis=0).astype(np.uint8)
    return bytes(imagecodecs.jpeg_encode(np.dstack([ramp] * 3), level=90, subsampling="420"))


def render(data: bytes, *, half_size: bool = False, linear: bool = False) -> NDArray[np.uint8]:
    algorithm = rawpy.DemosaicAlgorithm.LINEAR if linear else None
    with rawpy.imread(io.BytesIO(data)) as raw:
        return np.asarray(
            raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                half_size=half_size,
                demosaic_algorithm=algorithm,
            )
        )


@pytest.mark.parametrize("pattern", get_args(BayerPattern))
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_libraw_renders_the_right_colours(pattern: BayerPattern, compression: Compression) -> None:
    rgb = render(write_dng(scene(pattern), preview_jpeg=preview(), compression=compression))
    quarters = [rgb[64, 96], rgb[64, 288], rgb[192, 96]]
    assert [int(np.argmax(color)) for color in quarters] == [0, 1, 2]
    assert np.ptp(rgb[192, 288].astype(int)) <= 3


def assert_colours(rgb: NDArray[np.uint8], pattern: str, most: int) -> None:
    """Red, green, blue and grey quarters; all of them grey in monochrome."""
    height, width = rgb.shape[:2]
    red, green, blue, grey = (
        rgb[height * y // 4, width * x // 4].astype(int) for y in (1, 3) for x in (1, 3)
    )
    if pattern == "W":
        assert max(np.ptp(color) for color in (red, green, blue, grey)) <= most
        assert grey.mean() > red.mean() + 20
    else:
        assert [int(np.argmax(color)) for color in (red, green, blue)] == [0, 1, 2]
        assert np.ptp(grey) <= most


@pytest.mark.parametrize("pattern", SHOWN_KINDS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_libraw_renders_the_right_colours_of_every_kind(
    pattern: str, compression: Compression
) -> None:
    # It interpolates no X-Trans frame that is smaller than its tiles.
    rgb = render(write_dng(scene(pattern, repeats=2), compression=compression))
    assert_colours(rgb, pattern, 4)


@pytest.mark.parametrize("pattern", KINDS)
@pytest.mark.parametrize("size", [(33, 47), (64, 512), (600, 1023), (40, 1025)])
def test_all_readers_agree_on_frames_of_every_kind(
    tmp_path: Path, pattern: str, size: tuple[int, int]
) -> None:
    dngpy = pytest.importorskip("dngpy")
    shape = (*size, 3) if pattern == "R+G+B" else size
    cfa = np.random.default_rng(size).integers(0, 4096, shape, np.uint16)
    data = write_dng(replace(scene(pattern), cfa=cfa), compression="ljpeg")
    with rawpy.imread(io.BytesIO(data)) as raw:
        np.testing.assert_array_equal(
            raw.raw_image[..., :3] if cfa.ndim == 3 else raw.raw_image, cfa
        )
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), cfa)
    path = tmp_path / "frame.dng"
    path.write_bytes(data)
    np.testing.assert_array_equal(np.squeeze(dngpy.Dng(str(path)).raw_pixels), cfa)


@pytest.mark.skipif(EXIFTOOL is None, reason="no exiftool")
@pytest.mark.parametrize("pattern", KINDS)
def test_exiftool_finds_every_tag_of_every_kind_valid(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(write_dng(scene(pattern), preview_jpeg=preview(), compression="ljpeg"))
    run = [str(EXIFTOOL), "-json", "-n", "-G1", "-validate", "-warning", "-a", str(path)]
    report = subprocess.run(run, capture_output=True, check=True).stdout
    assert json.loads(report)[0]["ExifTool:Validate"] == "0 0 0"


def test_libraw_turns_the_frame_and_shows_the_preview() -> None:
    data = write_dng(scene(orientation=6), preview_jpeg=preview())
    assert render(data).shape == (384, 256, 3)
    with rawpy.imread(io.BytesIO(data)) as raw:
        thumbnail = imagecodecs.jpeg_decode(bytes(raw.extract_thumb().data))
    np.testing.assert_array_equal(thumbnail, imagecodecs.jpeg_decode(preview()))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_tifffile_reads_the_very_samples(compression: Compression) -> None:
    frame = scene()
    data = write_dng(frame, preview_jpeg=preview(), compression=compression)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), frame.cfa)


def test_exifread_reads_the_shots_data() -> None:
    found = exifread.process_file(io.BytesIO(write_dng(scene(), preview_jpeg=preview())))
    told = {name: str(tag) for name, tag in found.items()}
    assert told["Image Model"] == "Acme One"
    assert told["Image Artist"] == "Ada"
    assert told["EXIF ExposureTime"] == "1/250"
    assert told["EXIF FNumber"] in {"14/5", "28/10"}
    assert told["EXIF ISOSpeedRatings"] == "400"
    assert told["EXIF DateTimeOriginal"] == "2026:05:04 03:02:01"
    assert told["EXIF FocalLength"] == "50"


@pytest.mark.skipif(EXIFTOOL is None, reason="no exiftool")
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_exiftool_finds_every_tag_valid(tmp_path: Path, compression: Compression) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(write_dng(scene(), preview_jpeg=preview(), compression=compression))
    run = [str(EXIFTOOL), "-json", "-n", "-G1", "-validate", "-warning", "-a", str(path)]
    report = subprocess.run(run, capture_output=True, check=True).stdout
    assert json.loads(report)[0]["ExifTool:Validate"] == "0 0 0"

    run = [str(EXIFTOOL), "-json", "-n", "-G1", str(path)]
    tags = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)[0]
    assert tags["IFD0:SubfileType"] == 0
    assert tags["IFD0:ImageWidth"] == 384
    assert tags["IFD0:CalibrationIlluminant1"] == 21
    assert tags["IFD0:BlackLevel"] == "256 256.5 255.5 256"
    assert tags["GPS:GPSLatitudeRef"] == "N"
    assert tags["IFD0:NoiseProfile"] == "0.0001 1e-06"
    assert tags["IFD0:Copyright"] == "© Ada"
    assert tags["SubIFD:SubfileType"] == 1
    assert tags["ExifIFD:ExposureTime"] == 0.004
    assert tags["ExifIFD:LensModel"] == "Acme 50mm"
    assert tags["ExifIFD:OffsetTimeOriginal"] == "+02:00"

    embedded = subprocess.run(
        [str(EXIFTOOL), "-b", "-PreviewImage", str(path)], capture_output=True, check=True
    )
    assert embedded.stdout == preview()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_adobes_sdk_reads_the_same_samples(tmp_path: Path, compression: Compression) -> None:
    dngpy = pytest.importorskip("dngpy")
    frame = scene("GBRG")
    path = tmp_path / "a.dng"
    path.write_bytes(write_dng(frame, preview_jpeg=preview(), compression=compression))
    dng = dngpy.Dng(str(path))
    np.testing.assert_array_equal(np.squeeze(dng.raw_pixels), frame.cfa)
    assert dng.get_bayer_pattern() == "GBRG"
    assert (dng.metadata.make, dng.metadata.model) == ("Acme", "Acme One")


def darktable(source: Path, folder: Path) -> NDArray[np.uint8]:
    """What darktable makes of a raw file, at full size: smaller sizes depend on margins."""
    out = folder / f"{source.stem}.jpg"
    command = [str(DARKTABLE), str(source), str(out), "--apply-custom-presets", "false"]
    command += ["--core", "--library", ":memory:", "--disable-opencl"]
    command += ["--configdir", str(folder / "config"), "--cachedir", str(folder / "cache")]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    image = cv2.imread(str(out))
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.skipif(DARKTABLE is None, reason="no darktable")
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_darktable_renders_the_right_colours(tmp_path: Path, compression: Compression) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(write_dng(scene(), preview_jpeg=preview(), compression=compression))
    bgr = darktable(path, tmp_path)
    height, width = bgr.shape[:2]
    quarters = [(1, 1), (1, 3), (3, 1)]
    strongest = [int(np.argmax(bgr[height * y // 4, width * x // 4])) for y, x in quarters]
    assert strongest == [2, 1, 0]
    assert np.ptp(bgr[height * 3 // 4, width * 3 // 4].astype(int)) <= 8


@pytest.mark.slow
@pytest.mark.skipif(DARKTABLE is None, reason="no darktable")
@pytest.mark.parametrize("pattern", SHOWN_KINDS)
def test_darktable_renders_the_right_colours_of_every_kind(tmp_path: Path, pattern: str) -> None:
    frame = scene(pattern, repeats=2)
    if pattern == "R+G+B":
        # It takes the black of linear frames for 0, whatever their file says.
        frame = replace(frame, cfa=frame.cfa - np.uint16(256), black=(0.0,) * 3, white=4095 - 256)
    path = tmp_path / "a.dng"
    path.write_bytes(write_dng(frame, compression="ljpeg"))
    assert_colours(darktable(path, tmp_path)[..., ::-1], pattern, 8)


@pytest.mark.slow
@pytest.mark.skipif(DARKTABLE is None, reason="no darktable")
@pytest.mark.parametrize(
    ("file", "least"),
    [
        ("xtrans_synth_hero7_GOPR8508", 60),
        ("micasense_rededge_blue475_mono", 60),
        # It dithers where it undoes the curve of 8-bit samples, so its own two differ by as much.
        ("canon_6d_lossy_linear_iso1000", 46),
        ("lg_g4_lossy_linear_600x338", 46),
    ],
)
def test_darktable_renders_files_of_every_kind_as_the_originals(
    real_data: Path, tmp_path: Path, file: str, least: float
) -> None:
    original, ours = real_data / "sensors" / f"{file}.dng", tmp_path / "ours.dng"
    ours.write_bytes(write_dng(read_raw(original), compression="ljpeg"))
    assert decibels(darktable(original, tmp_path), darktable(ours, tmp_path)) >= least


@pytest.mark.slow
@pytest.mark.skipif(DARKTABLE is None, reason="no darktable")
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_darktable_renders_a_real_frame_as_the_original(
    real_data: Path, tmp_path: Path, compression: Compression
) -> None:
    original = real_data / "real" / "canon_550d_chart.dng"
    ours = tmp_path / "ours.dng"
    ours.write_bytes(write_dng(read_raw(original), preview_jpeg=preview(), compression=compression))
    a, b = darktable(original, tmp_path).astype(float), darktable(ours, tmp_path).astype(float)
    assert a.shape == b.shape
    assert np.abs(a - b).mean() < 0.01


@pytest.mark.parametrize("file", ["canon_550d_chart", "blackmagic_4k", "phone_night"])
def test_libraw_renders_real_frames_as_the_originals(real_data: Path, file: str) -> None:
    original = real_data / "real" / f"{file}.dng"
    ours = write_dng(read_raw(original), compression="ljpeg")
    images = [render(data, half_size=True) for data in (original.read_bytes(), ours)]
    np.testing.assert_array_equal(images[0], images[1])


def decibels(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures of one size."""
    assert one.shape == other.shape
    error = np.square(one.astype(float) - other).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize(
    "file",
    [
        *("xtrans_synth_hero7_GOPR8508", "micasense_rededge_blue475_mono"),
        *("canon_6d_lossy_linear_iso1000", "lg_g4_lossy_linear_600x338"),
        "lightroom_png_linear_ljpeg8_linearizationtable",
    ],
)
def test_libraw_renders_files_of_every_kind_as_the_originals(real_data: Path, file: str) -> None:
    original = real_data / "sensors" / f"{file}.dng"
    ours = write_dng(read_raw(original), compression="ljpeg")
    # LibRaw's better ways with X-Trans do not even give one file's own rendering twice.
    images = [render(data, linear=True) for data in (original.read_bytes(), ours)]
    assert decibels(*images) >= 90


@pytest.mark.parametrize(
    "size",
    [(32, 32), (33, 47), (64, 64), (48, 130), (33, 513), (600, 1024), (513, 1023), (40, 1025)],
)
def test_all_readers_agree_on_compressed_frames_of_any_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    dngpy = pytest.importorskip("dngpy")
    cfa = np.random.default_rng(size).integers(0, 4096, size, np.uint16)
    data = write_dng(replace(scene(), cfa=cfa), compression="ljpeg")
    with rawpy.imread(io.BytesIO(data)) as raw:
        np.testing.assert_array_equal(raw.raw_image, cfa)
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), cfa)
    path = tmp_path / "frame.dng"
    path.write_bytes(data)
    np.testing.assert_array_equal(np.squeeze(dngpy.Dng(str(path)).raw_pixels), cfa)


def in_numbers(frame: RawFrame, scale: Scale, precision: type[np.floating]) -> RawFrame:
    """The frame in floating point numbers, black at 0 and white at 1."""
    levels = np.array(frame.black)
    if frame.mosaic.pattern:
        rows, columns = frame.mosaic.period
        y, x = np.indices(frame.cfa.shape)
        levels = levels[np.array(frame.mosaic.pattern)[y % rows, x % columns]]
    numbers = ((frame.cfa - levels) / (frame.white - levels)).astype(precision).astype(np.float32)
    codes, remainders = scale.codes.split(numbers)
    return replace(
        frame,
        cfa=codes,
        black=(scale.codes.level(0.0),) * len(frame.black),
        white=round(scale.codes.level(1.0)),
        floats=Floats(scale, remainders),
    )


FLOATS = [
    (scale, precision)
    for scale in (linear_scale(1.0), ratio_scale(1.0))
    for precision in (np.float16, np.float32)
]


@pytest.mark.parametrize("pattern", ["RGGB", *SHOWN_KINDS])
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("scale", "precision"), FLOATS)
def test_libraw_renders_numbers_as_the_integers(
    pattern: str, compression: Compression, scale: Scale, precision: type[np.floating]
) -> None:
    frame = scene(pattern, repeats=2)
    if pattern == "R+G+B":
        # It balances linear frames before it takes black away.
        frame = replace(frame, cfa=frame.cfa - np.uint16(256), black=(0.0,) * 3, white=4095 - 256)
    data = write_dng(in_numbers(frame, scale, precision), compression=compression)
    assert_colours(render(data), pattern, 4)
    assert decibels(render(data, linear=True), render(write_dng(frame), linear=True)) > 40


@pytest.mark.skipif(EXIFTOOL is None, reason="no exiftool")
@pytest.mark.parametrize(("scale", "precision"), FLOATS)
def test_exiftool_finds_every_tag_of_numbers_valid(
    tmp_path: Path, scale: Scale, precision: type[np.floating]
) -> None:
    path = tmp_path / "a.dng"
    frame = in_numbers(scene(), scale, precision)
    path.write_bytes(write_dng(frame, preview_jpeg=preview(), compression="ljpeg"))
    run = [str(EXIFTOOL), "-json", "-n", "-G1", "-validate", "-warning", "-a", str(path)]
    report = subprocess.run(run, capture_output=True, check=True).stdout
    assert json.loads(report)[0]["ExifTool:Validate"] == "0 0 0"


@pytest.mark.slow
@pytest.mark.skipif(DARKTABLE is None, reason="no darktable")
@pytest.mark.parametrize("pattern", ["RGGB", "R+G+B"])
@pytest.mark.parametrize(("scale", "precision"), FLOATS[1::2])
def test_darktable_renders_numbers_in_the_right_colours(
    tmp_path: Path, pattern: str, scale: Scale, precision: type[np.floating]
) -> None:
    frame = in_numbers(scene(pattern, repeats=2), scale, precision)
    pictures = []
    for compression in COMPRESSIONS:
        path = tmp_path / f"{compression}.dng"
        path.write_bytes(write_dng(frame, compression=compression))
        pictures.append(darktable(path, tmp_path))
        assert_colours(pictures[-1][..., ::-1], pattern, 8)
    assert decibels(*pictures) >= 50
