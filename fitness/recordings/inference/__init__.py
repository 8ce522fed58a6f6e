"""Circuits inferred from a recording, as founders of a search for its explanation."""

from fitness.recordings.inference.infer import inferred
from fitness.recordings.inference.network import Given, Ranges

__all__ = ["Given", "Ranges", "inferred"]
