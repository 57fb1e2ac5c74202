"""What `import rawback` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import rawback
from rawback import errors

if TYPE_CHECKING:
    from pathlib import Path

SURFACE = """
    DEFAULT_QUALITY JPEG_SUFFIXES RAW_SUFFIXES CarrierInfo DamagedCarrier DamagedRaw
    EmbedResult MetadataChoice MetadataInfo NothingToRegister OriginalUnavailable OutputRefused
    PayloadDamaged RawFileInfo
    PayloadMissing PayloadTooNew PixelsChanged Progress Rate RateUnreachable RawbackError
    RestoreResult SectionInfo ShotMismatch ShrinkResult SignedCarrier Status StripResult
    UnsupportedCarrier UnsupportedRaw Verification VerificationFailed VisibleError __version__
    embed embed_bytes
    inspect restore restore_bytes shrink shrink_bytes strip strip_bytes verify
    Cancelled Curve CurvePoint Encoding Guide Mosaic NoiseModel OpenedCarrier Overlay
    Preview RawFrame
    SectionEnd Session Codec set_threads carrier_for
    Ambiguity BatchReport BatchWatcher EmbedTask Match Outcome Pair Pairing Tune Unmatched
    embed_many pair_up restore_many
    open_carrier open_session
"""

HEAVY = {"torch", "scipy", "cv2", "rawpy", "numpy", "PIL", "imagecodecs"}
ENCODING = {
    "rawback.encoder",
    "rawback.tone.fitting",
    "rawback.residual.fitting",
    "rawback.geometry.registration",
}


def loaded_by(*code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after some code."""
    program = "\n".join(("import sys", *code, "print(*sys.modules, sep='\\n', file=sys.stderr)"))
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stderr.split())


def test_the_surface_is_this() -> None:
    assert sorted(rawback.__all__) == sorted(SURFACE.split())
    assert dir(rawback) == sorted(rawback.__all__)
    for name in rawback.__all__:
        assert getattr(rawback, name) is not None


def test_all_errors_are_on_it() -> None:
    assert set(errors.__all__) <= set(rawback.__all__)
    for name in errors.__all__:
        assert getattr(rawback, name) is getattr(errors, name)
        assert issubclass(getattr(rawback, name), rawback.RawbackError)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        rawback.no_such_name  # noqa: B018


def test_every_verb_says_what_it_raises() -> None:
    for name in rawback.__all__:
        value = getattr(rawback, name)
        if callable(value) and name[0].islower():
            assert "Args:" in value.__doc__
            assert "Raises:" in value.__doc__


def test_importing_costs_next_to_nothing() -> None:
    modules = loaded_by("import rawback")
    assert not modules & HEAVY
    assert sorted(name for name in modules if name.startswith("rawback.")) == []


def test_looking_at_a_carrier_loads_no_codec(tmp_path: Path, lossless_carrier: bytes) -> None:
    path = tmp_path / "carrier.jpg"
    path.write_bytes(lossless_carrier)
    for code in (
        f"import rawback; rawback.inspect({str(path)!r})",
        f"import rawback.cli; assert rawback.cli.main(['info', {str(path)!r}]) == 0",
        f"import rawback.cli; assert rawback.cli.main(['info', '--json', {str(path)!r}]) == 0",
        "import rawback.cli; assert rawback.cli.main(['--version']) == 0",
    ):
        modules = loaded_by(code)
        assert not modules & HEAVY
        assert not any(
            name.startswith(("rawback.encoder", "rawback.decoder", "rawback.common"))
            for name in modules
        )


@pytest.mark.parametrize("rate", ["--lossless", "--quality=60"])
def test_networks_are_loaded_only_where_they_are_used(shot_folder: Path, rate: str) -> None:
    raw, jpeg, carrier = (shot_folder / name for name in ("photo.dng", "photo.jpg", "carrier.jpg"))
    into = ["-o", str(carrier), rate]
    for command in (["embed", str(raw), str(jpeg), *into], ["restore", str(carrier)]):
        modules = loaded_by(f"import rawback.cli; assert rawback.cli.main({command!r}) == 0")
        if command[0] == "restore":
            assert not modules & ENCODING
            assert not any(name.startswith("scipy") for name in modules)
        assert f"rawback.{'encoder' if command[0] == 'embed' else 'decoder'}" in modules
        assert "torch" not in modules
