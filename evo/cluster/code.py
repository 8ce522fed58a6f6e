"""Digest of the program's sources, with which driver and workers check that they run the same code."""

import hashlib
from functools import cache
from pathlib import Path

import circuits
import fitness

PACKAGES = (*(Path(str(package.__file__)).parent for package in (circuits, fitness)), Path(__file__).parents[1])  # and evo


@cache
def digest() -> str:
    """12 characters; the same for the same sources."""
    sha256 = hashlib.sha256()
    for root in PACKAGES:
        for file in sorted(root.rglob("*.py")):
            sha256.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return sha256.hexdigest()[:12]
