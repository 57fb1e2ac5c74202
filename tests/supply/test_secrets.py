"""What comes in and goes out: no network, no code from files, private drafts, any file name."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import rawback
from rawback import files
from rawback.cli import main
from rawback.common.coding_tables import coding_tables
from rawback.weights import weights
from rawback_lab.sums import write_sums

ROOT = Path(__file__).parents[2]
PACKAGES = ("core/rawback", "gui/rawback_gui", "plugin_darktable/rawback_darktable")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

NO_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "runpy"}
NO_NETWORK = {
    "http",
    "urllib",
    "urllib3",
    "ftplib",
    "smtplib",
    "requests",
    "httpx",
    "aiohttp",
    "xmlrpc",
}
NO_CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load"),
    *("torch.hub.load", "numpy.load", "np.load", "yaml.load"),
}

NAMES = [
    b"two words",
    b'it\'s "quoted" $HOME `x`',
    b"new\nline",
    b"-o",
    b"--help",
    b"\xff\xfe not text",
    b"[red]x[bold]",
    "Grüße \N{RIGHT-TO-LEFT OVERRIDE}".encode(),
]

JOBS = """
import sys

def refuse(event, given):
    if event.startswith("socket.") or event == "pickle.find_class":
        raise SystemExit(f"refused: {event} {given}")

sys.addaudithook(refuse)
import rawback, rawback.cli
for line in sys.argv[1:]:
    assert rawback.cli.main(line.split()) == 0, line
assert "torch" in sys.modules
print("done", *sorted(sys.modules))
"""


def test_every_job_runs_without_sockets_and_without_pickles(shot_folder: Path) -> None:
    jobs = (
        "embed photo.dng photo.jpg --lossless --verify",
        "info photo.rawback.jpg",
        "verify photo.rawback.jpg --raw photo.dng",
        "restore photo.rawback.jpg -o again.dng",
        "shrink photo.rawback.jpg --size 5kB -o small.jpg",
        "strip photo.rawback.jpg -o bare.jpg",
        "demo shown",
    )
    done = subprocess.run(
        [sys.executable, "-c", JOBS, *jobs],
        cwd=shot_folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "core")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "done" in done.stdout


def test_the_refusal_refuses() -> None:
    program = JOBS.replace("import rawback,", "import socket; socket.socket(); import rawback,")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"refused: socket.__new__" in done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_runs_code_from_files_or_asks_the_network(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                named = [node.module or ""]
            # Taking URLs apart asks nobody.
            rooms = {name.split(".")[0] for name in named if name != "urllib.parse"}
            assert not rooms & (NO_CODE | NO_NETWORK)
        elif isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in NO_CALLS
            shell = [word.value for word in node.keywords if word.arg == "shell"]
            assert all(isinstance(value, ast.Constant) and not value.value for value in shell)


def test_the_library_asks_no_socket_module() -> None:
    """Only the helper for darktable has sockets: of its own user, in the file system."""
    using = [
        path.parent.name
        for path in SOURCES
        if "import socket" in path.read_text("utf-8") or "AF_INET" in path.read_text("utf-8")
    ]
    assert set(using) == {"rawback_darktable"}
    assert not any("AF_INET" in path.read_text("utf-8") for path in SOURCES)


def test_weights_are_those_that_were_shipped(tmp_path: Path) -> None:
    """By SHA-256: a payload coded with others would be restored nowhere else."""
    assert weights("bayer").digest
    assert coding_tables().digest
    package = tmp_path / "shipped"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "x.safetensors").write_bytes(b"weights")
    sys.path.insert(0, str(tmp_path))
    try:
        with pytest.raises(rawback.RawbackError, match="install it again"):
            files.read_packaged("shipped", "x.safetensors")
        write_sums(package)
        (package / "x.safetensors").write_bytes(b"weighty")
        with pytest.raises(rawback.RawbackError, match="damaged"):
            files.read_packaged("shipped", "x.safetensors")
        write_sums(package)
        assert files.read_packaged("shipped", "x.safetensors") == b"weighty"
    finally:
        sys.path.remove(str(tmp_path))


def test_only_safetensors_hold_numbers() -> None:
    paths = [path for path in (ROOT / "core" / "rawback").rglob("*") if path.is_file()]
    suffixes = {path.suffix for path in paths if path.parent.name != "compiled"}
    assert suffixes - {".pyc"} <= {"", ".c", ".h", ".py", ".md", ".typed", ".safetensors"}


def test_a_draft_is_nobody_elses_until_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, seen = os.fsync, []

    def look(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            seen.append(stat.S_IMODE(found.st_mode))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        files.write_file(tmp_path / "x.jpg", b"data")
    finally:
        os.umask(before)
    assert seen == [0o600]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_every_name(
    shot_folder: Path, shot: tuple[bytes, bytes], name: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shot_folder)
    stem = os.fsdecode(name)
    for suffix in (".dng", ".jpg"):
        Path(f"photo{suffix}").rename(f"{stem}{suffix}")
    raw, jpeg, carrier = f"{stem}.dng", f"{stem}.jpg", f"{stem}.rawback.jpg"
    for command in (
        ["embed", "-q", "20", "--verify", "--", raw, jpeg],
        ["info", "--", carrier],
        ["verify", f"--raw={raw}", "--", carrier],
        ["restore", f"--output={stem}.again.dng", "--", carrier],
        ["shrink", "--size=3kB", f"--output={stem}.small.jpg", "--", carrier],
        ["strip", f"--output={stem}.bare.jpg", "--", carrier],
        ["embed", "-q", "20", "--in-place", "--json", "--", raw, jpeg],
    ):
        assert main(command) == 0, command
    assert Path(f"{stem}.bare.jpg").read_bytes() == shot[1]
    assert Path(f"{jpeg}_original").read_bytes() == shot[1]
    assert len(list(shot_folder.iterdir())) == 7
