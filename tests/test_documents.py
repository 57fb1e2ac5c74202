"""What README, documents and examples say works as it stands there."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rawback
from rawback.cli import main
from rawback.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "core/docs").glob("*.md")),
]
EXAMPLES = ROOT / "core" / "examples"


def blocks(document: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", document.read_text("utf-8"), re.DOTALL)


SHELL = [line for code in blocks(DOCUMENTS[0], "sh") for line in code.splitlines()]


def test_the_readme_can_be_read_at_once() -> None:
    assert len(README.splitlines()) <= 220


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_examples(
    document: Path, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other: what the first writes, the next may read."""
    monkeypatch.chdir(shot_folder)
    for code in blocks(document, "python"):
        exec(compile(code, document.name, "exec"), {"__name__": "__main__"})  # noqa: S102


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text("utf-8"))
    assert not [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize(
    ("program", "arguments", "output"),
    [
        ("embed_folder.py", (".", "20"), "photo.rawback.jpg"),
        ("rate_curve.py", ("photo.dng", "photo.jpg", "chosen.jpg", "42"), "chosen.jpg"),
        ("web_service.py", ("photo.dng", "photo.jpg"), None),
    ],
)
def test_examples_run(
    program: str,
    arguments: tuple[str, ...],
    output: str | None,
    shot_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(shot_folder)
    main = runpy.run_path(str(EXAMPLES / program))["main"]
    assert main(*arguments) == 0
    assert output is None or rawback.verify(shot_folder / output).intact


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "embed_folder.py",
        "rate_curve.py",
        "web_service.py",
    }
