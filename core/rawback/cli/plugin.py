"""Install the script for darktable, and take it out again.

Three files go into ``lua`` inside darktable's configuration folder: the script, its library, and
a note where the helper is. One line goes to the end of ``luarc``, which is kept as it was beside
it. Uninstalling removes just these.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

import rawback
from rawback.cli import options  # noqa: TC001 -- Typer reads the annotations
from rawback.cli.output import Printer
from rawback.errors import OutputRefused, RawbackError
from rawback.files import label, read_file, write_file

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Install the script for darktable, or remove it.")

_SCRIPT, _LIBRARY, _PLACE = "rawback.lua", "lib/rawback_calls.lua", "lib/rawback_place.lua"
_MARK = b"rawback for darktable"
"""What the first lines of each of our files say; other files of these names are left alone."""
_MARKED_BYTES = 200

_LINE = b'require "rawback" -- by "rawback plugin install"'
_AFTER_CUT = _LINE + b", after a line without an end"
"""The same in a file whose last line had no end, so that it can be undone exactly."""
_KEPT = "luarc.before-rawback"

ConfigFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--darktable-config", metavar="DIR", help="Darktable's configuration folder, if moved."
    ),
]


@app.command()
def install(
    config: ConfigFolder = None,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Let darktable put the raw into every JPEG it exports.

    Doing it again brings the script up to date.
    """
    folder = _config_folder(config)
    files = {
        _SCRIPT: read_file(_source(_SCRIPT)),
        _LIBRARY: read_file(_source(_LIBRARY)),
        _PLACE: _place(_helper()),
    }
    targets = {name: folder / "lua" / name for name in files}
    for target in targets.values():
        if target.exists() and not _is_ours(target):
            message = f"{label(target)} is somebody else's; move it away first."
            raise OutputRefused(message)
    for name, data in files.items():
        _make_folder(targets[name].parent)
        write_file(targets[name], data, overwrite=True)
    kept = _add_line(folder / "luarc")
    document = {
        "installed": [str(target) for target in targets.values()],
        "luarc": str(folder / "luarc"),
        "kept": None if kept is None else str(kept),
        "helper": _helper(),
    }
    lines = [f"{label(folder)}: installed; start darktable again"]
    Printer(as_json, verbose, quiet).result(document, lines)


@app.command()
def uninstall(
    config: ConfigFolder = None,
    as_json: options.AsJson = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Remove what was installed, and nothing else."""
    folder = _config_folder(config)
    removed = [
        target
        for name in (_SCRIPT, _LIBRARY, _PLACE)
        if (target := folder / "lua" / name).is_file() and _is_ours(target)
    ]
    was_installed = _remove_line(folder / "luarc") or bool(removed)
    for target in removed:
        _unlink(target)
    for empty in (folder / "lua" / "lib", folder / "lua"):
        with contextlib.suppress(OSError):
            empty.rmdir()
    document = {"removed": [str(target) for target in removed], "luarc": str(folder / "luarc")}
    state = "removed; start darktable again" if was_installed else "nothing was installed"
    Printer(as_json, verbose, quiet).result(document, [f"{label(folder)}: {state}"])


def _config_folder(given: Path | None) -> Path:
    folder = _usual_folder() if given is None else given
    if not folder.is_dir():
        message = (
            f"{label(folder)} is not a folder; start darktable once, or give its configuration "
            "folder with --darktable-config."
        )
        raise RawbackError(message)
    return folder


def _usual_folder() -> Path:
    """Where darktable keeps its configuration if no other folder is given."""
    if sys.platform == "win32":
        from platformdirs.windows import Windows

        return Windows("darktable", appauthor=False).user_config_path
    from platformdirs.unix import Unix

    # On macOS as well, where other programs have another place.
    return Unix("darktable").user_config_path


def _source(name: str) -> Path:
    """A file of the script: inside the package as installed, or beside it in a checkout."""
    package = Path(rawback.__file__).parent
    for folder in (package / "plugin_darktable", package.parent.parent / "plugin_darktable"):
        if (folder / name).is_file():
            return folder / name
    message = "The script for darktable is missing; install rawback again."
    raise RawbackError(message)


def _helper() -> str:
    """The helper of this very installation; its bare name where that cannot be found."""
    name = "rawback-darktable"
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name) or name


def _place(helper: str) -> bytes:
    """A Lua file that names the helper."""
    quoted = "".join(
        f"\\{byte}" if byte < 32 or byte > 126 or byte in b'"\\' else chr(byte)
        for byte in os.fsencode(helper)
    )
    return b"-- " + _MARK + f': where the helper is\nreturn {{executable = "{quoted}"}}\n'.encode()


def _is_ours(path: Path) -> bool:
    return _MARK in read_file(path)[:_MARKED_BYTES]


def _add_line(luarc: Path) -> Path | None:
    """Add our line at the end unless it is there; where the file as it was is kept, if it is."""
    before = read_file(luarc) if luarc.exists() else None
    if before is None:
        write_file(luarc, _LINE + b"\n")
        return None
    if _LINE in before:
        return None
    kept = luarc.with_name(_KEPT)
    write_file(kept, before, overwrite=True, like=luarc)
    ends = before.endswith(b"\n") or not before
    line = _LINE if ends else b"\n" + _AFTER_CUT
    write_file(luarc, before + line + b"\n", overwrite=True)
    return kept


def _remove_line(luarc: Path) -> bool:
    """Take our line out, and remove the file if we had made it; whether it was there."""
    now = read_file(luarc) if luarc.exists() else b""
    cut = b"\n" + _AFTER_CUT + b"\n"
    if cut in now:
        # What was added behind ours meanwhile stays on a line of its own.
        after = now.replace(cut, b"" if now.endswith(cut) else b"\n", 1)
    elif _LINE + b"\n" in now:
        after = now.replace(_LINE + b"\n", b"", 1)
    else:
        return False
    kept = luarc.with_name(_KEPT)
    if after or kept.exists():
        write_file(luarc, after, overwrite=True)
    else:
        _unlink(luarc)
    if kept.exists() and read_file(kept) == after:
        _unlink(kept)
    return True


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{label(folder)} cannot be made ({error.strerror}); check its permissions."
        raise OutputRefused(message) from error


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        message = f"{label(path)} cannot be removed ({error.strerror}); check its permissions."
        raise OutputRefused(message) from error
