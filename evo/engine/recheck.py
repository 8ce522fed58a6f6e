"""Whether a task of the user's own says the same as before of the same circuits: its randomness may show late, or elsewhere.

Before a run it is tried out twice in a row (`check`). In the run every epoch begins with a few circuits of the last
one, which may have been computed by another process, and the run ends with a few of the archive. What is checked again depends
on the run's state alone, so that it is the same for any number of workers.
"""

import numpy as np

from circuits.errors import UserError
from evo import genome
from evo.engine.setting import Setting, search_trials
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import losses
from fitness.sandbox.code import is_own

CIRCUITS = 4  # of some hundred that an epoch tries
RULE = "all that is random must come from the rng of make, and nothing may depend on the time, the process, or earlier calls"


def recheck(setting: Setting, epoch: int, *known: tuple[np.ndarray, np.ndarray]):
    """Try a few of what is known again, each individuals (records) and their grades [n, trials], and in epochs 1, 2, 4, 8, ...
    make the trials again. Raises UserError where the task says something else than before."""
    if not is_own(setting.spec.task["name"]):
        return
    if epoch & (epoch - 1) == 0:
        _same_trials(setting)
    for individuals, grades in known:
        _same_scores(setting, individuals, grades)


def _same_scores(setting, individuals, grades):
    some = _some(individuals)
    found = setting.toolbox.evaluate(individuals["genome"][some])
    same = (losses(setting.spec.search.objectives, found) == individuals["losses"][some]).all(axis=1)
    same &= (found.grades == grades[some]).all(axis=1)
    if not same.all():
        k = int(np.argmin(same))
        _differs(setting, found.score[k], individuals["score"][some][k])


def recheck_archive(setting: Setting, archive: np.ndarray):
    """The same of a few records of an archive, on the search's trials and on held-out ones."""
    if not is_own(setting.spec.task["name"]):
        return
    _same_trials(setting)
    records = archive[_some(archive)]
    tables = genome.tables(np.ascontiguousarray(records["genome"]), setting.form)
    stop = setting.spec.stop_rule(setting.task.dt_ms)
    for name, trials, rule in (("score", setting.search, {"stop": stop}), ("held_out", setting.held_out, {})):
        found = evaluate(setting.task, trials, tables, **rule).score
        differs = (found != records[name]) & ~np.isnan(records[name])
        if differs.any():
            k = int(np.argmax(differs))
            _differs(setting, found[k], records[name][k])


def _some(individuals):
    return np.unique(np.linspace(0, len(individuals) - 1, min(CIRCUITS, len(individuals))).round().astype(int))


def _same_trials(setting):
    again = search_trials(setting.spec, setting.task)
    if not (np.array_equal(again.spikes, setting.search.spikes) and np.array_equal(again.labels, setting.search.labels)):
        raise UserError(f"task {setting.task.title()}: make gives other trials than before with the same seed: {RULE}")


def _differs(setting, now, before):
    title = setting.task.title()
    raise UserError(f"task {title}: judges the same circuit differently than before (score {now:.3f}, {before:.3f}): {RULE}")
