"""The job itself, by rawback's public API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback_darktable.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    import rawback
    from rawback_darktable.job import Job

__all__ = ["perform", "warm_up"]


def warm_up() -> None:
    """Load all that a job needs, which takes longer than starting Python."""
    import rawback

    rawback.Codec()


def perform(job: Job, progress: Callable[[str, float], None] | None = None) -> Outcome:
    """Put a raw into its JPEG, or leave the JPEG as it was.

    Args:
        job: What to do.
        progress: Is told how far the job is. Where it raises ConnectionError, nobody waits for the
            job any more, and the job ends.

    Returns:
        What came of it, whatever that was.

    Raises:
        ConnectionError: By `progress`.
    """
    import rawback

    try:
        result = rawback.embed(
            job.raw,
            job.jpeg,
            rate=_rate(job),
            in_place=True,
            keep_original=False,
            unguided=job.unguided,
            progress=progress,
        )
    except rawback.RawbackError as error:
        return Outcome("refused", str(error))
    except MemoryError:
        return Outcome("failed", "There is not enough memory for this; close other programs.")
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001 -- a hook gets its line, whatever happened
        text = f"{type(error).__name__}: {error}"
        return Outcome("failed", f"This should not have happened ({text}); run it by hand.")
    return Outcome("embedded", _sentence(result), _figures(result))


def _rate(job: Job) -> rawback.Rate:
    import rawback

    if job.kind == "lossless":
        return rawback.Rate.lossless()
    if job.kind == "size":
        return rawback.Rate.size(int(job.value))
    return rawback.Rate.quality(job.value)


def _sentence(result: rawback.EmbedResult) -> str:
    quality = "exact" if result.exact else f"{result.psnr_db:.1f} dB"
    alone = "" if result.guided else ", coded without the JPEG, which does not show it"
    return f"The JPEG carries its raw in {result.payload_bytes} bytes ({quality}{alone})."


def _figures(result: rawback.EmbedResult) -> tuple[tuple[str, str], ...]:
    return (
        ("bytes", str(result.payload_bytes)),
        ("psnr", f"{result.psnr_db:.2f}"),
        ("exact", "yes" if result.exact else "no"),
        ("guided", "yes" if result.guided else "no"),
        ("seconds", f"{result.seconds:.3f}"),
    )
