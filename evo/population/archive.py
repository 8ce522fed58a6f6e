"""The archive: the non-dominated circuits seen so far, and the one that did best on validation trials."""

import numpy as np

from evo.population.individual import LOOKED_AT, Population, joined
from evo.selection.ranking import nondominated, pareto


def updated(archive: np.ndarray, population: Population, count: int) -> np.ndarray:
    """The archive made of an archive and new individuals, see `kept`. Most of these are worse than what is there: they are
    passed over before anything is copied."""
    able = nondominated(joined(archive["losses"], population.outcomes["losses"]))[len(archive) :]
    able |= ~np.isnan(population.outcomes["validation"])
    return kept(joined(archive, population.individuals(able)), count) if able.any() else archive


def refreshed(archive: np.ndarray, population: Population, count: int) -> np.ndarray:
    """The archive where scores are noisy: of a population that was judged again, those that were judged at least twice, if
    there are any, take the place of what was known of them."""
    sure = population.outcomes["count"] > 1
    new = population.individuals(sure if sure.any() else slice(None))
    before = {row.tobytes(): k for k, row in enumerate(archive["genome"])}
    known = np.array([before.get(row.tobytes(), -1) for row in new["genome"]])
    for name in (*LOOKED_AT, "condition"):
        new[name][known >= 0] = archive[name][known[known >= 0]]
    left = np.ones(len(archive), bool)
    left[known[known >= 0]] = False
    if sure.any():
        left &= archive["count"] > 1
    return kept(joined(archive[left], new), count)


def kept(records: np.ndarray, count: int) -> np.ndarray:
    """The archive made of these records: at most `count` of their Pareto front, and the one that did best on validation trials
    wherever it stands, for a target may have been reached by it."""
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
    """Mask of the records that their archive can hold, whatever their order: the front and its equals, and those that did best
    on validation trials. bool [n]."""
    losses = np.ascontiguousarray(records["losses"]) + 0.0  # -0 is 0
    rows = losses.view(np.dtype((np.void, losses.itemsize * losses.shape[1])))[:, 0]
    return np.isin(rows, rows[nondominated(losses)]) | (
        records["validation"] == np.nanmax(records["validation"], initial=-np.inf)
    )


def champion(records: np.ndarray) -> int | None:
    """Index of the record with the best validation score; None if none was validated."""
    tried = np.flatnonzero(~np.isnan(records["validation"]))
    return int(tried[np.argmax(records["validation"][tried])]) if len(tried) else None


def merged(archives: list[np.ndarray], count: int) -> np.ndarray:
    """The archive of a run from those of its islands, in an order that depends on the circuits alone."""
    everyone = np.empty(sum(map(len, archives)), archives[0].dtype)
    for archive, end in zip(archives, np.cumsum([len(archive) for archive in archives]), strict=True):
        everyone[end - len(archive) : end] = archive
    everyone = everyone[_may_be_kept(everyone)]
    keys = [row.tobytes() for row in everyone["genome"]]
    order = sorted(range(len(everyone)), key=lambda k: (*everyone["losses"][k], keys[k]))
    return kept(everyone[order], count)
