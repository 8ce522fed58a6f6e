"""Checks of a user's own task before a search begins."""

import numpy as np

from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from fitness.analysis.state_machine import sequence_of
from fitness.analysis.tuning import variable_of
from fitness.base.task import PARTS, Task
from fitness.base.trials import Trials

REPEATED = 0.01  # share of held-out trials with a stimulus of another part that is worth a warning


def check(task: Task, seed: int, count: int):
    """Make trials and score rasters of all kinds twice. Raises UserError for what would fail in a search: wrong shapes, scores
    that are not finite, exceptions, and values that differ the second time."""
    another = type(task)(**dict(task))
    another._seconds = task._seconds
    first, second = (t.trials_of("search", seed, count) for t in (task, another))
    for name, a, b in (("spikes", first.spikes, second.spikes), ("labels", first.labels, second.labels)):
        _same(task, f"make gives other {name}", a, b)
    if first.signals is not None and second.signals is not None:
        _same(task, "make gives other signals", first.signals, second.signals)
    for name in first.facts:
        _same(task, f"make gives other facts {name!r}", np.asarray(first.facts[name]), np.asarray(second.facts[name]))
    variable_of(task, first)
    sequence_of(task, first)
    task.grouped(first)
    rng = np.random.default_rng(0)
    shape = count, task.steps, len(task.outputs)
    densities = np.array([0.0, 0.01, 0.3, 1.0])
    spikes = [rng.random(shape) < density for density in densities]
    raster = Raster(
        np.stack([pack(s) for s in spikes]), count, task.dt_ms, tuple(task.outputs), excitatory=np.ones((4, shape[2]), bool)
    )
    scores = [task.score(raster, first) for _ in range(2)]
    for name in ("trial_scores", "case_scores"):
        a, b = (np.moveaxis(getattr(score, name), -1, 0) for score in scores)
        _same(task, f"{name} gives other values", a, b)
    if (scores[0].value != scores[1].value).any():
        raise UserError(f"task {task.title()}: the same raster has another score the second time")


def repeated(task: Task, seed: int, search: int, held_out: int, share: float = REPEATED) -> str | None:
    """A warning, in a line, about a run in which at least this share of the held-out trials has a stimulus that occurs in
    another part too; else None. Trials without any input do not count.

    seed, search, held_out  of the run: its seed, its numbers of trials for the search and in each of the other parts
    Raises UserError where the task fails for one of the parts.
    """
    drawn = {part: task.trials_of(part, seed, search if part == "search" else held_out) for part in PARTS}
    test = drawn.pop("held_out")
    unseen, worst = _stimuli(task, test), (0, "", 0)
    for part, trials in drawn.items():
        labels: dict[bytes, set] = {}
        for stimulus, label in zip(_stimuli(task, trials), trials.labels.tolist(), strict=True):
            labels.setdefault(stimulus, set()).add(label)
        shared = [labels[s] | {label} for s, label in zip(unseen, test.labels.tolist(), strict=True) if s and s in labels]
        worst = max(worst, (len(shared), part, sum(len(both) > 1 for both in shared)), key=lambda counts: counts[0])
    count, part, relabelled = worst
    if count < max(1, share * len(test)):
        return None
    all_of = "all" if count == len(test) else f"{count} of"
    labelled = f", {relabelled} of them with another label" if relabelled else ""
    different = len(set(filter(None, unseen)))
    return (
        f"task {task.title()}: {all_of} {len(test)} held-out trials ({different} different stimuli) are also among the {part} "
        f"trials{labelled}: the held-out score says less than it seems to about stimuli that are new to a circuit; draw every "
        "trial afresh, or keep the parts apart (make(self, rng, count, part), or fitness.FiniteData)"
    )


def _stimuli(task: Task, trials: Trials) -> list[bytes]:
    """Identity of each trial's stimulus; empty where there is none. In a closed loop it includes the facts of the trial, from
    which the environment is made."""
    columns = [trials.spikes] if trials.signals is None else [trials.spikes, trials.signals]
    if task._call(task.environment, trials) is not None:
        columns += [fact for fact in map(np.asarray, trials.facts.values()) if fact.shape[:1] == (len(trials),)]
    rows = [np.packbits(c.reshape(len(trials), -1), axis=1) if c.dtype == bool else c for c in columns]
    return [b"".join(r[k].tobytes() for r in rows) if any(c[k].any() for c in columns) else b"" for k in range(len(trials))]


def _same(task, what, a, b):
    """Raise UserError unless both are equal, trial by trial (the first axis)."""
    if a.shape != b.shape:
        raise UserError(f"task {task.title()}: {what} the second time with the same seed")
    differs = ~((a == b) | ((a != a) & (b != b))).reshape(len(a), -1).all(axis=1)
    if differs.any():
        trial = int(np.argmax(differs))
        raise UserError(f"task {task.title()}: {what} the second time with the same seed, first in trial {trial}; use only rng")
