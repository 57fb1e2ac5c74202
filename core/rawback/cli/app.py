"""The program: commands, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import TYPE_CHECKING, Annotated, Any

import typer

import rawback
from rawback.cli import commands, plugin
from rawback.cli.batch import batch
from rawback.cli.demo import demo
from rawback.cli.gui import gui
from rawback.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]

# Where Typer keeps it has changed; that a bad parameter is one has not.
_UsageError: Any = typer.BadParameter.__bases__[0]

_ERROR, _USAGE = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    commands.embed,
    commands.restore,
    commands.info,
    commands.verify,
    commands.shrink,
    commands.strip,
    batch,
    demo,
    gui,
):
    app.command()(_command)
app.add_typer(plugin.app, name="plugin")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"rawback {rawback.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A JPEG that carries its raw."""


def run(arguments: Sequence[str] | None) -> int:
    """Run a command line, the process's own if it is None, and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = app(args=given, prog_name="rawback", standalone_mode=False)
        sys.stdout.flush()
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        # Nobody reads any more; what Python flushes at exit goes nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _ERROR
    except Exception as error:  # noqa: BLE001 -- people get a sentence, whatever happened
        return _report(error, _options(given))
    return code if isinstance(code, int) else 0


def _options(arguments: Sequence[str]) -> frozenset[str]:
    """The words before ``--``: errors of the command line itself arise before it is parsed."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return frozenset(arguments[:end])


def _report(error: Exception, options: frozenset[str]) -> int:
    """Say what went wrong; the exit status for it."""
    usage = isinstance(error, _UsageError)
    message = _sentence(error)
    if "--json" in options:
        kind = "UsageError" if usage else type(error).__name__
        print_json({"error": {"type": kind, "message": message}}, aside=_takes_stdout(options))
    elif isinstance(error, _UsageError):
        error.show()
    else:
        print(f"rawback: {message}", file=sys.stderr)
    if not usage and not options.isdisjoint({"-v", "--verbose"}):
        traceback.print_exception(error)
    return _USAGE if usage else _ERROR


def _takes_stdout(options: frozenset[str]) -> bool:
    """Whether what a command makes may go to stdout."""
    return "-" in options and options.isdisjoint({"info", "verify"})


def _sentence(error: Exception) -> str:
    if isinstance(error, rawback.RawbackError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; use a machine with more."
    if isinstance(error, _UsageError):
        return str(error.format_message())
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"This should not have happened ({text}); run it again with -v and report what it says."
