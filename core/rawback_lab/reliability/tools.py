"""What other software leaves of a payload: ``python -m rawback_lab.reliability.tools``.

Each program gets a carrier, as a user would give it one, and `rawback.verify` says what became of
the payload. Programs that are not installed are left out.
"""

from __future__ import annotations

import argparse
import io
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rawback
from rawback import container
from rawback.jpeg_segments import APP11, walk
from rawback.jpegio import decode_jpeg
from rawback.rate import Rate
from rawback_lab.reliability.report import record
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES", "Absent", "Case", "carrier", "outcome"]

_IMAGEMAGICK = ("convert-im6.q16", "convert-im7.q16", "magick-im7.q16")


class Absent(Exception):
    """A program is not installed."""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is done to carriers.

    Attributes:
        name: What it is.
        use: Does it to the bytes of a carrier; raises `Absent`.
        version: Tells which program did it.
    """

    name: str
    use: Callable[[bytes], bytes]
    version: Callable[[], str]


@cache
def carrier() -> bytes:
    """A carrier of 400 x 304 pixels whose payload takes more than one segment."""
    frame, jpeg = made_up_shot(304, 400, quality=90)
    session, _ = session_at(frame, decode_jpeg(jpeg), None, "never")
    return container.embed_payload(jpeg, session.encode(Rate.lossless()).payload)


def outcome(data: bytes) -> str:
    """What `rawback.verify` says of a file, and whether the very raw comes back from it."""
    status = rawback.verify(data).status
    if status != "intact":
        return status
    _, restored = rawback.restore_bytes(data)
    return "intact, restores exactly" if restored.exact else "intact, restores something else"


def _program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise Absent(names[0])
    return found


def _said(names: tuple[str, ...], *options: str) -> Callable[[], str]:
    def told() -> str:
        first = _ran(_program(*names), *options).strip().splitlines()[0]
        return first if names[0] in first else f"{names[0]} {first}"

    return told


def _ran(*words: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 -- the programs that are named here
        words, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout.decode("utf-8", "replace")


def _command(names: tuple[str, ...], *words: str) -> Callable[[bytes], bytes]:
    """A program. ``IN`` and ``OUT`` stand for files; without ``OUT`` it changes ``IN``."""

    def used(data: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            source, made = Path(name, "in.jpg"), Path(name, "out.jpg")
            source.write_bytes(data)
            files = {"IN": source, "OUT": made}
            _ran(_program(*names), *(files.get(word, word) for word in words))
            return (made if "OUT" in words else source).read_bytes()

    return used


def _case(name: str, names: str | tuple[str, ...], words: str, *told: str) -> Case:
    programs = (names,) if isinstance(names, str) else names
    return Case(name, _command(programs, *shlex.split(words)), _said(programs, *told))


def _jpeg_xl(data: bytes) -> bytes:
    """To lossless JPEG XL and back."""
    with tempfile.TemporaryDirectory() as name:
        source, packed, made = (Path(name, part) for part in ("in.jpg", "x.jxl", "out.jpg"))
        source.write_bytes(data)
        _ran(_program("cjxl"), source, packed)
        _ran(_program("djxl"), packed, made)
        return made.read_bytes()


def _mozjpeg(data: bytes) -> bytes:
    try:
        module: Any = import_module("mozjpeg_lossless_optimization")
    except ImportError as error:
        raise Absent(str(error)) from error
    optimised: bytes = module.optimize(data, copy=module.COPY_MARKERS.ALL)
    return optimised


def _pillow(data: bytes) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(made, "JPEG", quality="keep")
    return made.getvalue()


def _opencv(data: bytes) -> bytes:
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError
    return bytes(cv2.imencode(".jpg", image)[1])


def _one_segment_lost(data: bytes) -> bytes:
    last = [item for item in walk(data) if item.marker == APP11][-1]
    return data[: last.start] + data[last.end :]


def _of(name: str) -> Callable[[], str]:
    return lambda: f"{name} {version(name)}"


CASES = (
    _case("exiftool, tags edited", "exiftool", "-Artist=somebody -Rating=5 IN", "-ver"),
    _case("exiftool, all tags removed", "exiftool", "-all= IN", "-ver"),
    _case("exiv2, tag edited", "exiv2", "-M 'set Exif.Image.Artist Ascii x' IN", "--version"),
    _case("jpegtran -copy all", "jpegtran", "-copy all -progressive -outfile OUT IN", "-version"),
    _case(
        "jpegtran -copy all, turned", "jpegtran", "-copy all -rotate 90 -outfile OUT IN", "-version"
    ),
    _case("jpegtran", "jpegtran", "-optimize -outfile OUT IN", "-version"),
    _case("jpegoptim", "jpegoptim", "IN", "--version"),
    _case("jpegoptim --strip-all", "jpegoptim", "--strip-all --force IN", "--version"),
    _case("jpegoptim, quality 80", "jpegoptim", "-m80 IN", "--version"),
    Case("mozjpeg, lossless", _mozjpeg, _of("mozjpeg-lossless-optimization")),
    Case("JPEG XL, lossless, and back", _jpeg_xl, _said(("cjxl",), "--version")),
    _case("ImageMagick, saved anew", _IMAGEMAGICK, "IN OUT", "-version"),
    _case("ImageMagick, made smaller", _IMAGEMAGICK, "IN -resize 50% OUT", "-version"),
    Case("Pillow, saved anew", _pillow, _of("pillow")),
    Case("OpenCV, saved anew", _opencv, _of("opencv-python-headless")),
    Case("one segment lost", _one_segment_lost, lambda: "our own hands"),
)
"""What is done to carriers."""


def main() -> None:
    argparse.ArgumentParser(description="See what other software leaves of payloads.").parse_args()
    table = {}
    for case in CASES:
        try:
            table[case.name] = {"by": case.version(), "then": outcome(case.use(carrier()))}
        except Absent:
            table[case.name] = {"by": "", "then": "not measured: not installed"}
        print(case.name, table[case.name])
    record("other_software", table)


if __name__ == "__main__":
    main()
