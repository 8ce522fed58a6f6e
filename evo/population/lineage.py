"""Lineage of circuits: for every living circuit the chain of ancestors, back to a founder, in which the score rose.

An individual whose score is above its mother's becomes a step; its descendants belong to its line until one does better.
Neutral changes in between are not kept, and living lines share most of their steps, so that the pedigree of an island stays
small.
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
    crossed bool [n]: did a father contribute?
    """

    ids: np.ndarray
    raised: np.ndarray
    before: np.ndarray
    base: np.ndarray
    crossed: np.ndarray

    @property
    def lines(self) -> np.ndarray:
        """The line of each, int64 [n]."""
        return np.where(self.raised, self.ids, self.before)


@cache
def step_dtype(genome_dtype: np.dtype) -> np.dtype:
    """The dtype of a step: its id, that of the step before, island and generation, the mother's score and its own, both
    genomes."""
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
    """Ids of the individuals of a generation, int64 [count], unique in a run and ascending with the generation."""
    return (np.int64(generation) << 27) + (np.int64(island) << 17) + np.arange(count)


def founder_place(identity: int) -> tuple[int, int]:
    """The generation in which an individual with this id was born, and its index in the population of its island."""
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


def steps(
    births: Born, children: Population, parents: np.ndarray, mothers: np.ndarray | None, living: np.ndarray
) -> np.ndarray:
    """The individuals that live on (lines `living`) as steps: children of `mothers` among the parents (genomes), or founders if
    there are no mothers."""
    lives = np.zeros(len(births.ids), bool)
    index = living - births.ids[0]  # ids of a generation are consecutive
    lives[index[(index >= 0) & (index < len(lives))]] = True
    new = np.flatnonzero(births.raised & lives)
    records = np.zeros(len(new), step_dtype(children.genomes.dtype))
    records["id"], records["before"], records["base"] = births.ids[new], births.before[new], births.base[new]
    records["crossed"], records["genome"] = births.crossed[new], children.genomes[new]
    for name in ("island", "generation", "score"):
        records[name] = children.outcomes[name][new]
    if mothers is not None:
        records["mother"] = parents[mothers[new]]
    return records


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
    needed_steps, kept = np.empty(int(keep.sum()), pedigrees[0].dtype), first[keep]
    for part, start in zip(pedigrees, end, strict=False):  # genomes are large: only those of kept steps are copied
        in_part = (kept >= start) & (kept < start + len(part))
        needed_steps[in_part] = part[kept[in_part] - start]
    return needed_steps


def ancestry(pedigree: np.ndarray, line: int) -> np.ndarray:
    """The steps of a line, the founder first; fewer where the pedigree does not reach it."""
    row_of = {int(step): k for k, step in enumerate(pedigree["id"])}
    chain: list[int] = []
    while line in row_of and (not chain or line < pedigree["id"][chain[-1]]):
        chain.append(row_of[line])
        line = int(pedigree["before"][chain[-1]])
    return pedigree[chain[::-1]]
