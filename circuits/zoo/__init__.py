"""Evolved motifs that ship: `zoo["itd-8"]` is a Motif, `zoo.card("itd-8")` its card, `list(zoo)` are the names of all."""

from pathlib import Path

from circuits.zoo.card import Card
from circuits.zoo.collection import Zoo

zoo = Zoo(Path(__file__).parent)

__all__ = ["Card", "Zoo", "zoo"]
