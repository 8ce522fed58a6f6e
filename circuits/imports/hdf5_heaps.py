"""Damaged global heaps of HDF5 files.

Texts of any length lie in global heaps (HDF5 file format, III.E). The HDF5 library steps through a heap by the sizes that its
objects state, and never ends if one of them states 0. Python code cannot interrupt the library, so the sizes are checked first.
"""

import re

from circuits.errors import UserError

MAGIC = b"\x89HDF\r\n\x1a\n"
_HEADER, _SMALLEST = 16, 4096  # bytes of the header of a heap and of each object in it, with lengths of 8 bytes; of a heap


def check_heaps(content, location: str):
    """Raise UserError for a file, bytes or a mapped file, in which a heap's objects do not fill it one after the other."""
    first = bytes(content[:15])
    if not first.startswith(MAGIC) or len(first) < 15:
        return  # which the library refuses
    lengths = first[14] if first[8] < 2 else first[10]  # by the version of the superblock
    if lengths != 8:
        raise UserError(f"{location}: no HDF5 file, or damaged: states lengths in {lengths} bytes, not in 8")
    for found in re.finditer(rb"GCOL\x01", content):
        start = found.start()
        end = start + _number(content, start + 8)
        if end - start >= _SMALLEST and end <= len(content) and not _is_filled(content, start + _HEADER, end):
            raise UserError(f"{location}: no HDF5 file, or damaged: the sizes in the heap at byte {start} do not add up")


def _is_filled(content, at, end):
    while at + _HEADER <= end:
        is_free, size = content[at : at + 2] == b"\0\0", _number(content, at + 8)
        step = size if is_free else _HEADER + -(-size // 8) * 8
        if not _HEADER <= step <= end - at:
            return False
        at += step
    return True


def _number(content, at):
    return int.from_bytes(content[at : at + 8], "little")
