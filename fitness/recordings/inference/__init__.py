"""Circuits inferred from a recording: what a search for its explanation may begin with."""

from fitness.recordings.inference.infer import inferred
from fitness.recordings.inference.network import Given, Ranges

__all__ = ["Given", "Ranges", "inferred"]
