"""The Lua script without darktable: its helpers under plain Lua, and luacheck."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLUGIN = HERE.parents[1] / "plugin_darktable"


@pytest.mark.skipif(shutil.which("lua5.4") is None, reason="no Lua 5.4")
def test_helpers_under_plain_lua() -> None:
    done = subprocess.run(
        ["lua5.4", str(HERE / "calls.lua"), str(PLUGIN)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("luacheck") is None, reason="no luacheck")
def test_luacheck_has_nothing_to_say() -> None:
    command = ["luacheck", "--std", "lua54", "--no-color", str(PLUGIN), str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_lua_scripts_ask_of_a_script() -> None:
    text = (PLUGIN / "rawback.lua").read_text("ascii")
    assert "either version 2 of the License, or" in text
    assert 'local LEAST_API = "9.0.0"' in text
    for name in ("metadata", "destroy", "destroy_method", "restart", "show"):
        assert f"\nscript_data.{name} = " in text
    assert text.endswith("return script_data\n")
