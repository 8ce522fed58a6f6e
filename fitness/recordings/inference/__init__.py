"""Circuits inferred from a recording, as founders of a search for its explanation."""

from fitness.recordings.inference.infer import inferred
from fitness.recordings.inference.network import Observed, Ranges

__all__ = ["Observed", "Ranges", "inferred"]
