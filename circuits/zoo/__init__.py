"""Evolved motifs that ship: `zoo["itd-8"]` is a Motif, `zoo.card("itd-8")` its card, `list(zoo)` are the names of all."""

from pathlib import Path

from circuits.zoo.card import Card
from circuits.zoo.collection import Zoo

ZOO = "zoo:"  # before the name of a motif, where a path could stand

zoo = Zoo(Path(__file__).parent)

__all__ = ["ZOO", "Card", "Zoo", "zoo"]
