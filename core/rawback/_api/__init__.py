"""The verbs of the public API, which `rawback` hands out under its own name.

One module per job, so that looking at a payload loads nothing that coding one needs.
"""
