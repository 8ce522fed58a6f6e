"""The zoo of evolved motifs: `zoo["itd-8"]` is a Motif, `zoo.card("itd-8")` its card, `list(zoo)` the names."""

from pathlib import Path

from circuits.zoo.card import Card
from circuits.zoo.collection import Zoo

ZOO = "zoo:"  # prefix of a motif's name in place of a path

zoo = Zoo(Path(__file__).parent)

__all__ = ["ZOO", "Card", "Zoo", "zoo"]
