"""Installing the script for darktable: three files and one line, and back to the byte."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rawback.cli import main, plugin

ROOT = Path(__file__).parents[2]
FILES = {"lua/rawback.lua", "lua/lib/rawback_calls.lua", "lua/lib/rawback_place.lua"}


def state(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def call(what: str, folder: Path) -> int:
    return main(["plugin", what, "--darktable-config", str(folder)])


def test_where_darktable_keeps_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for system in ("linux", "darwin"):
        monkeypatch.setattr(sys, "platform", system)
        assert plugin._usual_folder() == tmp_path / ".config" / "darktable"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert plugin._usual_folder() == tmp_path / "config" / "darktable"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(
        "platformdirs.windows.get_win_folder", lambda name: f"{tmp_path}/{name}", raising=True
    )
    assert plugin._usual_folder() == tmp_path / "CSIDL_LOCAL_APPDATA" / "darktable"


LUARCS = {
    "none": None,
    "empty": b"",
    "usual": b'require "tools/script_manager"\n',
    "no last line end": b'require "tools/script_manager"',
    "Windows": b'require "a"\r\nrequire "b"\r\n',
    "no text": b"-- \xff\xfe\n",
}


@pytest.mark.parametrize("luarc", LUARCS.values(), ids=LUARCS)
def test_uninstalling_undoes_installing(tmp_path: Path, luarc: bytes | None) -> None:
    if luarc is not None:
        (tmp_path / "luarc").write_bytes(luarc)
    (tmp_path / "darktablerc").write_text("x=1\n")
    before = state(tmp_path)
    assert call("install", tmp_path) == 0
    installed = state(tmp_path)
    assert installed.keys() >= FILES
    lines = installed["luarc"].splitlines()
    assert lines[: len((luarc or b"").splitlines())] == (luarc or b"").splitlines()
    assert len(lines) == len((luarc or b"").splitlines()) + 1
    assert lines[-1].startswith(b'require "rawback"')
    assert installed["luarc"].endswith(b"\n")
    if luarc is not None:
        assert installed["luarc.before-rawback"] == luarc
    assert call("install", tmp_path) == 0
    assert state(tmp_path) == installed
    assert call("uninstall", tmp_path) == 0
    assert state(tmp_path) == before
    assert not (tmp_path / "lua").exists()
    assert call("uninstall", tmp_path) == 0
    assert state(tmp_path) == before


@pytest.mark.parametrize("luarc", [b"a = 1\n", b"a = 1"])
def test_lines_added_meanwhile_stay(tmp_path: Path, luarc: bytes) -> None:
    (tmp_path / "luarc").write_bytes(luarc)
    call("install", tmp_path)
    with (tmp_path / "luarc").open("ab") as file:
        file.write(b"b = 2\n")
    (tmp_path / "lua" / "mine.lua").write_text("return 1\n")
    call("uninstall", tmp_path)
    assert (tmp_path / "luarc").read_bytes() == b"a = 1\nb = 2\n"
    assert (tmp_path / "luarc.before-rawback").read_bytes() == luarc
    assert state(tmp_path).keys() == {"luarc", "luarc.before-rawback", "lua/mine.lua"}


def test_files_of_others_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lua").mkdir()
    (tmp_path / "lua" / "rawback.lua").write_text("-- my own\n")
    before = state(tmp_path)
    assert call("install", tmp_path) == 1
    assert "somebody else's" in capsys.readouterr().err
    assert call("uninstall", tmp_path) == 0
    assert state(tmp_path) == before


def test_a_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("install", tmp_path / "none") == 1
    assert "--darktable-config" in capsys.readouterr().err


def test_the_usual_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "darktable").mkdir()
    assert main(["plugin", "install", "--quiet"]) == 0
    assert state(tmp_path / "darktable").keys() >= FILES


def test_what_is_installed_is_the_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plugin", "install", "--darktable-config", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kept"] is None
    for name in ("rawback.lua", "lib/rawback_calls.lua"):
        source = ROOT / "plugin_darktable" / name
        assert (tmp_path / "lua" / name).read_bytes() == source.read_bytes()


@pytest.mark.skipif(shutil.which("lua5.4") is None, reason="no Lua 5.4")
def test_the_note_where_the_helper_is_reads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / 'a "b" \\ ü' / "rawback-darktable"
    helper.parent.mkdir()
    helper.write_text("#!/bin/sh\n")
    helper.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(helper.with_name("python")))
    assert call("install", tmp_path) == 0
    program = 'io.write(dofile("lua/lib/rawback_place.lua").executable)'
    done = subprocess.run(["lua5.4", "-e", program], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode() == str(helper)
