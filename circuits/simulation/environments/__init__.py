"""Environments of circuits, one file each; see `circuits.simulation.environments.model`."""

from circuits.simulation.environments.model import replay
from circuits.simulation.environments.two_ears import TwoEars

__all__ = ["TwoEars", "replay"]
