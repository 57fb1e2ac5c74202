r"""What came of a job, on the one line that the command prints and the script reads.

It is a status and then ``name=value``, separated by tabs, the message last::

    embedded\tbytes=20011\tpsnr=44.12\texact=no\tguided=yes\tseconds=2.3\tmessage=...
    failed\tmessage=photo.jpg and photo.dng do not show the same shot; give ...

``bytes`` were added to the JPEG; ``psnr`` is the raw's in dB, ``inf`` where it is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rawback

__all__ = ["failure_line", "is_done", "outcome_line"]

_DONE, _FAILED = "embedded", "failed"


def outcome_line(outcome: rawback.Outcome) -> str:
    """The line about an outcome, without its end."""
    import rawback

    result = outcome.figures
    if not isinstance(result, rawback.EmbedResult):
        _, message = outcome.error or ("", "The job was cancelled; export again.")
        return failure_line(message)
    quality = "exact" if result.exact else f"{result.psnr_db:.1f} dB"
    alone = "" if result.guided else ", coded without the JPEG, which does not show it"
    return _line(
        _DONE,
        f"The JPEG carries its raw in {result.payload_bytes} bytes ({quality}{alone}).",
        bytes=str(result.payload_bytes),
        psnr=f"{result.psnr_db:.2f}",
        exact="yes" if result.exact else "no",
        guided="yes" if result.guided else "no",
        seconds=f"{result.seconds:.3f}",
    )


def failure_line(message: str) -> str:
    """The line of a job that was not done."""
    return _line(_FAILED, message)


def is_done(line: str) -> bool:
    """Whether a line says that the JPEG carries its raw now."""
    return line.startswith(f"{_DONE}\t")


def _line(status: str, message: str, **figures: str) -> str:
    words = [f"{name}={value}" for name, value in figures.items()]
    # Whatever a message quotes, the line stays one line and its last field the message.
    return "\t".join((status, *words, f"message={' '.join(message.split())}"))
