"""Every error rawback raises on purpose.

::

    RawbackError                 one sentence, saying what to do next
    ├── UnsupportedRaw           a raw of a kind that is not read (Foveon, pixel shift, ...)
    ├── DamagedRaw               LibRaw cannot read the file to its end
    ├── UnsupportedCarrier       no JPEG, or one whose pixels are not pinned (CMYK, 12 bit, ...)
    ├── DamagedCarrier           the JPEG is cut or broken
    ├── SignedCarrier            a C2PA signature would stop validating
    ├── ShotMismatch             the raw and the JPEG do not show the same shot
    │   └── NothingToRegister    one of them shows too little to tell: a dark frame, a flat field
    ├── PayloadMissing           the JPEG carries no rawback payload
    ├── PayloadDamaged           a payload that fails its checks
    │   └── PayloadTooNew        written by a newer major version of the format
    ├── PixelsChanged            the JPEG's pixels are not those the payload was made for
    ├── RateUnreachable          no payload meets the asked size or quality
    ├── OriginalUnavailable      the very raw file cannot be kept, or cannot be given back
    ├── OutputRefused            an output that exists already, or cannot be written
    ├── VerificationFailed       what was written does not give back what it should
    └── Cancelled                the job was stopped because that was asked for

Foreign exceptions are translated where they arise, in the room that calls the foreign library;
above that border only these are seen.
"""

from __future__ import annotations

__all__ = [
    "Cancelled",
    "DamagedCarrier",
    "DamagedRaw",
    "NothingToRegister",
    "OriginalUnavailable",
    "OutputRefused",
    "PayloadDamaged",
    "PayloadMissing",
    "PayloadTooNew",
    "PixelsChanged",
    "RateUnreachable",
    "RawbackError",
    "ShotMismatch",
    "SignedCarrier",
    "UnsupportedCarrier",
    "UnsupportedRaw",
    "VerificationFailed",
]


class RawbackError(Exception):
    """Base of all errors raised on purpose; its message says what to do next."""


class UnsupportedRaw(RawbackError):
    """The raw is of a kind that rawback does not read."""


class DamagedRaw(RawbackError):
    """The raw file is cut or broken."""


class UnsupportedCarrier(RawbackError):
    """The file is no JPEG, or a JPEG of a kind that cannot carry a raw."""


class DamagedCarrier(RawbackError):
    """The JPEG is cut or broken."""


class SignedCarrier(RawbackError):
    """The JPEG holds a C2PA manifest whose signature would stop validating."""


class ShotMismatch(RawbackError):
    """The raw and the JPEG do not show the same shot."""


class NothingToRegister(ShotMismatch):
    """The raw or the JPEG shows too little structure to find the one on the other."""


class PayloadMissing(RawbackError):
    """The JPEG carries no rawback payload."""


class PayloadDamaged(RawbackError):
    """The payload fails its checks: a bad checksum, a bad length, an impossible value."""


class PayloadTooNew(PayloadDamaged):
    """The payload was written by a newer major version of the format."""


class PixelsChanged(RawbackError):
    """The JPEG decodes to other pixels than those its payload was made for."""


class RateUnreachable(RawbackError):
    """No payload of this raw meets the asked size or quality."""


class OriginalUnavailable(RawbackError):
    """The very raw file cannot be kept, or the payload cannot give it back."""


class OutputRefused(RawbackError):
    """The output exists already, cannot be written, or has changed while the job ran."""


class VerificationFailed(RawbackError):
    """What was written does not give back what it should; it was thrown away."""


class Cancelled(RawbackError):
    """The job was stopped because that was asked for."""
