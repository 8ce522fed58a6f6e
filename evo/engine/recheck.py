"""Checks that the user's own code gives the same results for the same circuits: randomness may show late, or elsewhere.

Before a run it is tried out twice in a row (`Judge.check`). In the run every epoch begins with a few circuits of the last one,
which another process may have computed, and the run ends with a few of the archive. The choice of circuits depends on the run's
state alone, so that it is the same for any number of workers.
"""

import numpy as np

from circuits.errors import UserError
from evo.engine.problem import Problem

CIRCUITS = 4  # of the hundreds in an epoch
NEAR = 1e-6  # of a judge whose bits may differ between machines, relative


def recheck(problem: Problem, epoch: int, *known: tuple[np.ndarray, np.ndarray]):
    """Judge again a few of the known individuals (records) with their case scores [n, cases], and in epochs 1, 2, 4, 8, ...
    check the judge's cases. Raises UserError for other results than before."""
    if epoch & (epoch - 1) == 0:
        problem.judge.check_again()
    if problem.spec.search.noisy or problem.judge.race:  # then known results are means of judgements, or of parts of one
        return
    for individuals, case_scores in known:
        _same_results(problem, individuals, case_scores)


def _same_results(problem, individuals, case_scores):
    chosen = _sample(individuals)
    results = problem.judge.evaluate(problem.candidates(individuals["genome"][chosen]))
    alike = _alike(problem.judge)
    same = alike(results.objectives, individuals["losses"][chosen]).all(axis=1)
    same &= alike(results.cases, case_scores[chosen]).all(axis=1)
    if not same.all():
        k = int(np.argmin(same))
        _differs(problem, results.score[k], individuals["score"][chosen][k])


def recheck_archive(problem: Problem, archive: np.ndarray):
    """Judge again a few records of an archive, on the search's cases and on held-out ones. Raises UserError as `recheck`
    does."""
    problem.judge.check_again()
    if problem.spec.search.noisy or problem.judge.race:
        return
    records, alike = archive[_sample(archive)], _alike(problem.judge)
    candidates = problem.candidates(np.ascontiguousarray(records["genome"]))
    fresh = problem.judge.validate(candidates)
    for name, again in (("score", problem.judge.evaluate(candidates).score), ("held_out", fresh.held_out)):
        differs = ~alike(again, records[name]) & ~np.isnan(records[name])
        if differs.any():
            k = int(np.argmax(differs))
            _differs(problem, again[k], records[name][k])


def _alike(judge):
    if judge.exact:
        return np.equal
    return lambda a, b: np.isclose(a, b, rtol=NEAR, atol=NEAR)


def _sample(individuals):
    return np.unique(np.linspace(0, len(individuals) - 1, min(CIRCUITS, len(individuals))).round().astype(int))


def _differs(problem, now, before):
    judge = problem.judge
    raise UserError(
        f"{judge.title}: judges the same circuit differently than before (score {now:.3f}, {before:.3f}): {judge.rule}"
    )
