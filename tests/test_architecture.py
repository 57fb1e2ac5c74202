"""The layers hold, the rooms stay small, and every room says what it offers."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core/rawback", "core/rawback_lab", "gui/rawback_gui", "plugin_darktable")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LIBRARY = [path for path in MODULES if path.is_relative_to(ROOT / "core" / "rawback")]
LONGEST = 480
"""Lines of a module of the library."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def test_the_layers() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    paths = os.pathsep.join(str(ROOT / part) for part in ("core", "gui", "plugin_darktable"))
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_top_level() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no git checkout")
    names = {path.split("/")[0] for path in listed.stdout.split("\0") if path}
    assert {name for name in names if not name.startswith(".")} <= {
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "assets",
        "core",
        "gui",
        "plugin_darktable",
        "pyproject.toml",
        "tests",
    }


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_say_what_they_are(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "no docstring"


@pytest.mark.parametrize("path", LIBRARY, ids=name_of)
def test_modules_of_the_library_are_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


ROOMS = [path for path in LIBRARY if path.name == "__init__.py"]


@pytest.mark.parametrize("path", ROOMS, ids=name_of)
def test_rooms_offer_what_they_import(path: Path) -> None:
    """An ``__init__.py`` is a docstring, re-exports, and an ``__all__`` that lists just these."""
    names: set[str] = set()
    offered: list[str] | None = None
    for node in tree_of(path).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rawback"):
            names |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            offered = ast.literal_eval(node.value)
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == "__all__":
            offered = ast.literal_eval(node.value)
    if path.parent.name not in ("rawback", "_api", "cli"):
        assert offered is not None
        assert set(offered) == names
        assert sorted(offered) == sorted(set(offered))
