"""Whole libraries: pairs of raws and JPEGs, worker processes, clusters, and runs that go on.

::

    sources --pairing--> tasks --journal--> those not done --workers--> outcomes --> report

    api        embed_many and restore_many
    sources    files, and folders of them; storage: where they are, here or behind URLs
    pairing    which raw goes with which JPEG; matching searches, by names, capture times, pictures
    tasks      one file's worth of work; outputs: where it is written; outcome: what came of it
    run        one run of them; journal: what earlier ones did; report: what came of it all
    workers    who does the work: this process, those of pool, or a cluster; as memory allows
    control    who follows a batch, pauses and cancels it

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
