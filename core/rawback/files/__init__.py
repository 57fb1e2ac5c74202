"""Files in and out, so that nothing is ever lost.

An output is written to a hidden file beside its place, forced to disk, and only then given its
name: at every moment that name stands for what was there before or for the whole new file. A file
that exists is replaced only where that was asked for, and never after it was changed meanwhile.

::

    reading    whole files, those of the package, and names as they can be shown
    writing    outputs, and what is replaced in place
    drafts     the hidden files that outputs are until they are whole
    attributes permissions, owner, extended attributes and times that outputs get
    suffixes   by which raws and JPEGs are told from other files
    naming     giving a draft its name, and never over a file of somebody else

Names go to the system as they came: those that are no valid text work like all others.
"""

from rawback.files.reading import StrPath, label, read_file, read_packaged
from rawback.files.suffixes import JPEG_SUFFIXES, RAW_SUFFIXES
from rawback.files.writing import check_output, replace_file, write_file

__all__ = [
    "JPEG_SUFFIXES",
    "RAW_SUFFIXES",
    "StrPath",
    "check_output",
    "label",
    "read_file",
    "read_packaged",
    "replace_file",
    "write_file",
]
