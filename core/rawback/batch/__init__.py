"""Whole libraries: pairs of raws and JPEGs, worker processes, clusters, and runs that go on.

::

    sources --pairing--> tasks --journal--> those not done --workers--> outcomes --> report

It stands on the public API's verbs, which each worker calls for one file at a time.
"""

from rawback.batch.api import embed_many, restore_many
from rawback.batch.control import BatchWatcher
from rawback.batch.outcome import Outcome
from rawback.batch.pairing import Ambiguity, Match, Pair, Pairing, pair_up
from rawback.batch.report import BatchReport, Unmatched
from rawback.batch.tasks import EmbedTask

__all__ = [
    "Ambiguity",
    "BatchReport",
    "BatchWatcher",
    "EmbedTask",
    "Match",
    "Outcome",
    "Pair",
    "Pairing",
    "Unmatched",
    "embed_many",
    "pair_up",
    "restore_many",
]
