"""The papers' own configuration, to measure against: all learned, no base, float throughout.

After "Beyond Learned Metadata-based Raw Image Reconstruction" (arXiv 2306.12058), written anew from
its description. What it needs beside the network: ``python -m rawback_lab.paper.train`` trains it,
and :mod:`rawback_lab.paper.peer` makes a peer of a checkpoint.
"""
