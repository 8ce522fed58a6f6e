"""Lineage of circuits: for every living one the chain of ancestors, back to a founder, in which the score rose.

An individual whose score is above its mother's becomes a step; its descendants belong to its line until one does better.
Neutral changes in between are not kept, so that the pedigree of an island stays small: living lines share most of their steps.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from evo.population.individual import Population

FOUNDER = -1  # no step before


class Born(NamedTuple):
    """Individuals of one generation that may become steps.

    ids     int64 [n], see `identities`;   raised  bool [n]: do they do better than their mothers?
    before  int64 [n]: the line of the mother, FOUNDER for founders;   base  float64 [n]: her score, NaN for founders
    crossed bool [n]: did a father give something?
    """

    ids: np.ndarray
    raised: np.ndarray
    before: np.ndarray
    base: np.ndarray
    crossed: np.ndarray

    @property
    def lines(self) -> np.ndarray:
        """The line that each belongs to, int64 [n]."""
        return np.where(self.raised, self.ids, self.before)


@cache
def step_dtype(genome_dtype: np.dtype) -> np.dtype:
    """A step: its id, that of the step before, where and when, the score before (the mother's) and after, both genomes."""
    return np.dtype(
        [
            ("id", "i8"),
            ("before", "i8"),
            ("island", "i4"),
            ("generation", "i4"),
            ("base", "f8"),
            ("score", "f8"),
            ("crossed", "?"),
            ("genome", genome_dtype),
            ("mother", genome_dtype),
        ]
    )


def identities(island: int, generation: int, count: int) -> np.ndarray:
    """Ids of the individuals of a generation, int64 [count]: unlike all others of a run, and later ones are larger."""
    return (np.int64(generation) << 27) + (np.int64(island) << 17) + np.arange(count)


def founder_place(identity: int) -> tuple[int, int]:
    """The generation in which an individual with this id was born, and its place among those of its island."""
    return identity >> 27, identity & ((1 << 17) - 1)


def born(island: int, generation: int, scores: np.ndarray, parents=None, mothers=None, crossed=None) -> Born:
    """The individuals of a generation with these scores, children of parents (their outcomes, and the mothers' indices among
    them); without parents they are founders."""
    count = len(scores)
    ids = identities(island, generation, count)
    if mothers is None:
        none = np.zeros(count, bool)
        return Born(ids, ~none, np.full(count, FOUNDER), np.full(count, np.nan), none)
    base = parents["score"][mothers]
    return Born(ids, scores > base, parents["line"][mothers], base, crossed)


def steps(found: Born, children: Population, parents: np.ndarray, mothers: np.ndarray | None, living: np.ndarray) -> np.ndarray:
    """Those of the individuals that live on (lines `living`), as steps: the children of `mothers` among the parents (genomes),
    or founders if there are no mothers."""
    lives = np.zeros(len(found.ids), bool)
    places = living - found.ids[0]  # ids of a generation are whole numbers in a row
    lives[places[(places >= 0) & (places < len(lives))]] = True
    new = np.flatnonzero(found.raised & lives)
    made = np.zeros(len(new), step_dtype(children.genomes.dtype))
    made["id"], made["before"], made["base"] = found.ids[new], found.before[new], found.base[new]
    made["crossed"], made["genome"] = found.crossed[new], children.genomes[new]
    for name in ("island", "generation", "score"):
        made[name] = children.outcomes[name][new]
    if mothers is not None:
        made["mother"] = parents[mothers[new]]
    return made


def pruned(pedigrees: list[np.ndarray], living: np.ndarray) -> np.ndarray:
    """The steps in these pedigrees that lead to the lines `living`, each once, by id."""
    end = np.cumsum([0, *map(len, pedigrees)])
    ids, first = np.unique(np.concatenate([part["id"] for part in pedigrees]), return_index=True)
    before = np.concatenate([part["before"] for part in pedigrees])[first].tolist()
    needed, keep = set(living.tolist()), np.zeros(len(ids), bool)
    for k, step in zip(range(len(ids) - 1, -1, -1), ids[::-1].tolist(), strict=True):
        if step in needed:
            keep[k] = True
            needed.add(before[k])
    found, kept = np.empty(int(keep.sum()), pedigrees[0].dtype), first[keep]
    for part, start in zip(pedigrees, end, strict=False):  # genomes are large: only those that are kept are copied
        here = (kept >= start) & (kept < start + len(part))
        found[here] = part[kept[here] - start]
    return found


def ancestry(pedigree: np.ndarray, line: int) -> np.ndarray:
    """The steps of a line, the founder first; fewer where the pedigree does not go back so far."""
    place = {int(step): k for k, step in enumerate(pedigree["id"])}
    chain: list[int] = []
    while line in place and (not chain or line < pedigree["id"][chain[-1]]):
        chain.append(place[line])
        line = int(pedigree["before"][chain[-1]])
    return pedigree[chain[::-1]]
