"""What the README says works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rawback.cli import main
from rawback.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [code for kind, code in BLOCKS if kind == "python"]
SHELL = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[-1])
def test_python_examples(code: str, shot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shot_folder)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102


def test_command_lines(shot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shot_folder)
    lines = [line for line in SHELL if line.startswith("rawback ")]
    assert len(lines) == 5
    for line in lines:
        _, *arguments = shlex.split(line, comments=True)
        assert main(arguments) == 0, line
    assert (shot_folder / "photo.rawback.jpg").exists()
    assert (shot_folder / "photo.rawback.dng").exists()
    assert (shot_folder / "dngs" / "photo.rawback.dng").exists()


def test_the_table_has_every_command() -> None:
    listed = set(re.findall(r"^\| `rawback (\w+)", README, re.MULTILINE))
    told = CliRunner().invoke(app, ["--help"]).output
    commands = {c.callback.__name__ for c in app.registered_commands if c.callback}
    assert listed == commands | {group.name for group in app.registered_groups}
    assert all(command in told for command in listed)


def test_the_machine_that_checks_runs_what_the_readme_says() -> None:
    commands = [line for line in SHELL if line.startswith("python3 -m venv .venv")]
    assert len(commands) == 2
    ours = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert ours[-1] == commands[1]


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
