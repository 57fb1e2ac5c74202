"""What a hook asks for: the arguments of the command, which the service gets as they are."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    import rawback

__all__ = ["Arguments", "parse"]

_QUALITY = 60.0


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command line that makes sense.

    Attributes:
        given: The words of it.
        options: What they say.
    """

    given: tuple[str, ...]
    options: argparse.Namespace

    @property
    def stop(self) -> bool:
        """Whether the background service is to end, and nothing else to be done."""
        return bool(self.options.stop)

    @property
    def alone(self) -> bool:
        """Whether the service is not to be used."""
        return bool(self.options.alone)

    def absolute(self) -> list[str]:
        """The words for a process that runs in another folder."""
        count = len(self.given) - 2
        # Links are left to be followed where the file is opened.
        files = [os.path.abspath(path) for path in self.given[count:]]  # noqa: PTH100
        return [*(word for word in self.given[:count] if word != "--"), "--", *files]

    def task(self) -> rawback.EmbedTask:
        """The raw into the JPEG, which is changed in place or not at all."""
        import rawback

        options = self.options
        if options.lossless or options.original:
            rate = rawback.Rate.lossless()
        elif options.size is not None:
            rate = rawback.Rate.size(options.size)
        else:
            rate = rawback.Rate.quality(_QUALITY if options.quality is None else options.quality)
        jpeg = Path(options.jpeg)
        return rawback.EmbedTask(
            raw=Path(options.raw),
            jpeg=jpeg,
            output=jpeg,
            rate=rate,
            in_place=True,
            keep_original=False,
            unguided=options.unguided,
            original=options.original,
            verify=not options.no_verify,
            metadata=options.metadata,
        )


def parse(words: Sequence[str]) -> Arguments:
    """Understand a command line.

    Args:
        words: The command line without the program's name. ``--job FILE`` stands for the lines of
            a UTF-8 file, for systems whose command lines cannot carry every name.

    Raises:
        ValueError: It makes no sense; the message has the usage, and what is wrong.
        SystemExit: It asked for help.
    """
    parser = _parser()
    given = list(words)
    if len(given) == 2 and given[0] == "--job":
        try:
            given = Path(given[1]).read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            parser.error(f"{given[1]} cannot be read ({error})")
    options = parser.parse_args(given)
    if not options.stop:
        if options.raw is None or options.jpeg is None:
            parser.error("give a raw and a JPEG")
        if tuple(given[-2:]) != (options.raw, options.jpeg):
            parser.error("the raw and the JPEG come last")
    return Arguments(tuple(given), options)


class _Parser(argparse.ArgumentParser):
    """One whose errors can be caught: the service must not end by them."""

    def error(self, message: str) -> NoReturn:
        text = f"{self.format_usage()}{self.prog}: {message}"
        raise ValueError(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rawback-darktable",
        description="Put a raw into the JPEG that was just exported from it.",
        allow_abbrev=False,
    )
    parser.add_argument("raw", nargs="?", help="the raw file")
    parser.add_argument("jpeg", nargs="?", help="the JPEG; it is changed in place, or not at all")
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument("--quality", type=float, metavar="N", help="0 to 100; 60 by default")
    rate.add_argument("--size", type=int, metavar="BYTES", help="at most so many bytes")
    rate.add_argument("--lossless", action="store_true", help="every sample comes back")
    rate.add_argument("--original", action="store_true", help="the raw file itself comes back")
    parser.add_argument(
        "--unguided", action="store_true", help="code the raw on its own if the JPEG is another"
    )
    parser.add_argument(
        "--metadata",
        choices=("auto", "all", "rendering"),
        default="auto",
        help="names, places and times: stored if lossless and else left to the JPEG, all stored, "
        "or left out",
    )
    parser.add_argument(
        "--no-verify", action="store_true", help="do not decode what was written to compare it"
    )
    parser.add_argument("--alone", action="store_true", help="do not use the background service")
    parser.add_argument("--stop", action="store_true", help="end the background service")
    parser.add_argument(
        "--job", metavar="FILE", help="take all arguments from a UTF-8 file's lines"
    )
    return parser
