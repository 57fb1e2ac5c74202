"""Renderings by darktable, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

__all__ = ["render_darktable"]


def render_darktable(
    dng: bytes,
    quality: int = 95,
    timeout: float = 300.0,
    *,
    xmp: bytes | None = None,
    width: int = 0,
    suffix: str = ".dng",
) -> bytes | None:
    """Export a DNG with darktable's default pipeline, or as an XMP file says.

    Everything darktable writes for itself (settings, library, caches) stays in a folder that is
    removed afterwards, so runs neither see nor touch the user's. Darktable 4.2 subsamples colour
    by quality: 4:4:4 above 92, 4:2:2 above 90, else 4:2:0.

    Args:
        dng: The raw.
        quality: Of the JPEG.
        timeout: Seconds to wait.
        xmp: The edit, as :func:`rawback_lab.darktable_edits.xmp` makes it.
        width: Greatest width in pixels; 0 for all there are.
        suffix: Of the raw's name, where it is not a DNG.

    Returns:
        The JPEG file, or None where darktable-cli is missing or makes none of this DNG.
    """
    program = shutil.which("darktable-cli")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target = folder / f"shot{suffix}", folder / "shot.jpg"
        source.write_bytes(dng)
        command = [program, str(source)]
        if xmp is not None:
            (folder / "shot.xmp").write_bytes(xmp)
            command.append(str(folder / "shot.xmp"))
        command += [str(target), "--width", str(width), "--apply-custom-presets", "false", "--core"]
        command += ["--configdir", str(folder / "config"), "--cachedir", str(folder / "cache")]
        command += ["--library", ":memory:", "--disable-opencl"]
        command += ["--conf", f"plugins/imageio/format/jpeg/quality={quality}"]
        subprocess.run(  # noqa: S603 - a fixed program and paths of our own, no shell
            command, capture_output=True, check=False, timeout=timeout
        )
        # darktable-cli exits with 0 after failures too, so the file is the only witness.
        return target.read_bytes() if target.exists() else None
