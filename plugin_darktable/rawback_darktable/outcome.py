r"""What came of a job, on one line.

The line is a status and then ``name=value``, separated by tabs, the message last::

    embedded\tbytes=20011\tpsnr=44.12\texact=no\tguided=yes\tseconds=2.3\tmessage=...
    refused\tmessage=the raw and the JPEG do not show the same shot; give ...
    failed\tmessage=...
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STATUSES", "Outcome"]

STATUSES = ("embedded", "refused", "failed")
"""Done; not possible with these files, for a reason people can read; anything else."""

_FIGURES = ("bytes", "psnr", "exact", "guided", "seconds")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    Attributes:
        status: One of `STATUSES`.
        message: One sentence for people.
        figures: Names and values, of embedded jobs only: ``bytes`` added to the JPEG, ``psnr`` of
            the raw in dB (``inf`` where it is exact), ``exact`` and ``guided`` (yes or no), and
            the ``seconds`` of the work itself.
    """

    status: str
    message: str
    figures: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            message = f"{self.status!r} is no status"
            raise ValueError(message)

    @property
    def done(self) -> bool:
        """Whether the JPEG now carries its raw."""
        return self.status == "embedded"

    def to_line(self) -> str:
        """The line, without its end."""
        words = [f"{name}={value}" for name, value in self.figures]
        # Whatever a message quotes, the line stays one line and its last field the message.
        return "\t".join((self.status, *words, f"message={' '.join(self.message.split())}"))

    @classmethod
    def from_line(cls, line: str) -> Outcome:
        """Read what `to_line` wrote.

        Raises:
            ValueError: It is anything else.
        """
        status, *words = line.rstrip("\n").split("\t")
        pairs = [tuple(word.partition("=")[::2]) for word in words]
        if not pairs or pairs[-1][0] != "message":
            message = f"{line!r} is no outcome"
            raise ValueError(message)
        figures = tuple((name, value) for name, value in pairs[:-1] if name in _FIGURES)
        return cls(status, pairs[-1][1], figures)
