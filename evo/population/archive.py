"""The archive: the non-dominated circuits so far, and the one with the best validation score."""

import numpy as np

from evo.population.individual import LOOKED_AT, Population, joined
from evo.selection.ranking import nondominated, pareto


def updated(archive: np.ndarray, population: Population, count: int) -> np.ndarray:
    """The archive with new individuals, see `kept`. Most of these are dominated and are left out before anything is copied."""
    candidates = nondominated(joined(archive["losses"], population.outcomes["losses"]))[len(archive) :]
    candidates |= ~np.isnan(population.outcomes["validation"])
    return kept(joined(archive, population.individuals(candidates)), count) if candidates.any() else archive


def refreshed(archive: np.ndarray, population: Population, count: int) -> np.ndarray:
    """The archive with noisy scores: individuals of a population that were judged at least twice, if there are any, replace
    their earlier records."""
    repeated = population.outcomes["count"] > 1
    new = population.individuals(repeated if repeated.any() else slice(None))
    before = {row.tobytes(): k for k, row in enumerate(archive["genome"])}
    known = np.array([before.get(row.tobytes(), -1) for row in new["genome"]])
    for name in (*LOOKED_AT, "condition"):
        new[name][known >= 0] = archive[name][known[known >= 0]]
    rest = np.ones(len(archive), bool)
    rest[known[known >= 0]] = False
    if repeated.any():
        rest &= archive["count"] > 1
    return kept(joined(archive[rest], new), count)


def kept(records: np.ndarray, count: int) -> np.ndarray:
    """The archive of these records: at most `count` of their Pareto front, including the one with the best validation score,
    which may have reached the target."""
    front = pareto(records["losses"], count)
    best = champion(records)
    if (
        best is not None
        and best not in front
        and not records["validation"][best] <= np.nanmax(records["validation"][front], initial=-np.inf)
    ):
        front = np.sort(np.append(pareto(records["losses"], count - 1), best))
    return records[front]


def _may_be_kept(records):
    """Mask of the records that their archive can hold in any order: the front and its equals, and those with the best
    validation score. bool [n]."""
    objectives = np.ascontiguousarray(records["losses"]) + 0.0  # -0 is 0
    rows = objectives.view(np.dtype((np.void, objectives.itemsize * objectives.shape[1])))[:, 0]
    return np.isin(rows, rows[nondominated(objectives)]) | (
        records["validation"] == np.nanmax(records["validation"], initial=-np.inf)
    )


def champion(records: np.ndarray) -> int | None:
    """Index of the record with the best validation score; None if none was validated."""
    validated = np.flatnonzero(~np.isnan(records["validation"]))
    return int(validated[np.argmax(records["validation"][validated])]) if len(validated) else None


def merged(archives: list[np.ndarray], count: int) -> np.ndarray:
    """The archive of a run from those of its islands, in an order that depends on the circuits alone."""
    records = np.empty(sum(map(len, archives)), archives[0].dtype)
    for archive, end in zip(archives, np.cumsum([len(archive) for archive in archives]), strict=True):
        records[end - len(archive) : end] = archive
    records = records[_may_be_kept(records)]
    keys = [row.tobytes() for row in records["genome"]]
    order = sorted(range(len(records)), key=lambda k: (*records["losses"][k], keys[k]))
    return kept(records[order], count)
