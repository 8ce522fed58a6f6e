"""Whether code of the user's own says the same as before of the same circuits: its randomness may show late, or elsewhere.

Before a run it is tried out twice in a row (`Judge.check`). In the run every epoch begins with a few circuits of the last one,
which may have been computed by another process, and the run ends with a few of the archive. What is checked again depends on
the run's state alone, so that it is the same for any number of workers.
"""

import numpy as np

from circuits.errors import UserError
from evo.engine.problem import Problem

CIRCUITS = 4  # of some hundred that an epoch tries
NEAR = 1e-6  # of a judge whose bits may differ between machines, relative


def recheck(problem: Problem, epoch: int, *known: tuple[np.ndarray, np.ndarray]):
    """Try a few of what is known again, each individuals (records) and their case scores [n, cases], and in epochs 1, 2, 4, 8,
    ... see whether the judge still judges by the same. Raises UserError where it says something else than before."""
    if epoch & (epoch - 1) == 0:
        problem.judge.check_again()
    if problem.spec.search.noisy or problem.judge.race:  # what is known then is a mean of judgements, or a part of one
        return
    for individuals, case_scores in known:
        _same_results(problem, individuals, case_scores)


def _same_results(problem, individuals, case_scores):
    some = _some(individuals)
    found = problem.judge.evaluate(problem.candidates(individuals["genome"][some]))
    alike = _alike(problem.judge)
    same = alike(found.objectives, individuals["losses"][some]).all(axis=1)
    same &= alike(found.cases, case_scores[some]).all(axis=1)
    if not same.all():
        k = int(np.argmin(same))
        _differs(problem, found.score[k], individuals["score"][some][k])


def recheck_archive(problem: Problem, archive: np.ndarray):
    """The same of a few records of an archive, on the search's cases and on held-out ones."""
    problem.judge.check_again()
    if problem.spec.search.noisy or problem.judge.race:
        return
    records, alike = archive[_some(archive)], _alike(problem.judge)
    candidates = problem.candidates(np.ascontiguousarray(records["genome"]))
    fresh = problem.judge.validate(candidates)
    for name, found in (("score", problem.judge.evaluate(candidates).score), ("held_out", fresh.held_out)):
        differs = ~alike(found, records[name]) & ~np.isnan(records[name])
        if differs.any():
            k = int(np.argmax(differs))
            _differs(problem, found[k], records[name][k])


def _alike(judge):
    if judge.exact:
        return np.equal
    return lambda a, b: np.isclose(a, b, rtol=NEAR, atol=NEAR)


def _some(individuals):
    return np.unique(np.linspace(0, len(individuals) - 1, min(CIRCUITS, len(individuals))).round().astype(int))


def _differs(problem, now, before):
    judge = problem.judge
    raise UserError(
        f"{judge.title}: judges the same circuit differently than before (score {now:.3f}, {before:.3f}): {judge.rule}"
    )
