"""The helper that darktable calls after an export: a thin user of rawback's public API.

It is made for hooks, whose caller waits: ::

    command    the command line: one job in, one line of outcome out
    arguments  what is asked for: a `rawback.EmbedTask`
    line       what came of it: a `rawback.Outcome` on one line
    place      where the service of this user listens
    client     hands a job to the service, starting it if need be
    service    a warm process that does jobs, and ends itself when there are none
"""

from __future__ import annotations

__all__: list[str] = []
