"""The worlds that circuits can act in: one file each, see `circuits.worlds.model`."""

from circuits.worlds.model import replay
from circuits.worlds.two_ears import TwoEars

__all__ = ["TwoEars", "replay"]
