# SPDX-License-Identifier: GPL-3.0-or-later
"""The rawback desktop app: see what a rate buys.

Three rooms, each seeing only those to its left::

    models <- controllers <- views

`models` are values and arithmetic on arrays, `controllers` run work on threads and decide what
follows from what; neither knows Qt. `views` draws, and turns what people do into calls.
"""

__all__: list[str] = []
