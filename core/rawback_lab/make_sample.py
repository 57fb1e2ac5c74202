"""Make the sample pair: ``python -m rawback_lab.make_sample [--into assets] [--picture FILE]``.

The picture is the racoon that SciPy shipped as ``scipy/misc/face.dat`` until release 1.11, a
photograph in the public domain. Without ``--picture`` that release's wheel is fetched by pip.
"""

from __future__ import annotations

import argparse
import bz2
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from rawback import rawio
from rawback_lab.camera import CameraSpec
from rawback_lab.render import encode_jpeg, render_libraw
from rawback_lab.simulate import scene_light, simulate

_WHEEL = "scipy==1.11.4"
_MEMBER = "scipy/misc/face.dat"
_SHAPE = (768, 1024, 3)
_DIGEST = "9d8b0b4d081313e2b485748c770472e5a95ed1738146883d84c7030493e82886"

_CAMERA = CameraSpec(iso=200, exposure=0.25, headroom=1.3, vignetting=0.1)

_CAST = np.array([1.03, 1.0, 0.92], np.float32)
"""The photograph's own white balance was a little cold."""

_SEED = 1


def make_sample(packed_picture: bytes) -> tuple[bytes, bytes]:
    """Simulate a shot of the picture, and render it.

    Args:
        packed_picture: The contents of SciPy's ``face.dat``.

    Returns:
        The DNG and the JPEG.
    """
    codes = np.frombuffer(bz2.decompress(packed_picture), np.uint8).reshape(_SHAPE)
    rng = np.random.default_rng(_SEED)
    frame = simulate(scene_light(codes, rng) * _CAST, _CAMERA, rng)
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = frame.make
    exif[ExifTags.Base.Model] = frame.model
    exif[ExifTags.Base.Orientation] = frame.orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] = _CAMERA.iso
    return rawio.write_dng(frame), encode_jpeg(render_libraw(frame), 92, "4:2:0", exif)


def fetch_picture() -> bytes:
    """Take ``face.dat`` out of the SciPy wheel that has it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version=3.11"]
        command += ["--platform=manylinux2014_x86_64", f"--dest={folder}", _WHEEL]
        subprocess.run(command, check=True)  # noqa: S603 - nothing in it comes from outside
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(_MEMBER)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample pair.")
    parser.add_argument("--into", type=Path, default=Path("assets"), help="the folder to write to")
    parser.add_argument("--picture", type=Path, help="face.dat, where it is at hand")
    options = parser.parse_args()
    picture = options.picture.read_bytes() if options.picture else fetch_picture()
    if hashlib.sha256(picture).hexdigest() != _DIGEST:
        parser.error("this is not the picture that SciPy shipped")
    for name, contents in zip(("sample.dng", "sample.jpg"), make_sample(picture), strict=True):
        (options.into / name).write_bytes(contents)


if __name__ == "__main__":
    main()
