"""Several tasks for one circuit: multi-task motifs."""

from typing import Any

import numpy as np
from pydantic import Field, PrivateAttr

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.sandbox.code import is_own
from fitness.scoring.conditions import NONE, REPORTED, Conditions
from fitness.scoring.score import Score

LABEL = "label"


class Several(Task):
    """One circuit for several tasks, for instance tasks = [{ name = "coincidence" }, { name = "xor" }].

    Inputs: the tasks' channels; those of the same name are one channel, so that the tasks share inputs.
    Answer: every task has outputs of its own, "coincidence.out"; in a trial of one task only its outputs are judged. A trial
    that is shorter than the longest ends in silence.
    Score: the mean of the tasks' scores. Chance: 0, each task's score being 0 at its own chance.
    The tasks must have the same dt_ms, be built in, listen to outputs alone, and not be closed loops.
    """

    name = "several"
    default_spec = {"search": {"trials": 128}}

    tasks: tuple[dict[str, Any], ...] = Field(
        ({"name": "coincidence"}, {"name": "xor"}), min_length=1, description="name and settings of each"
    )

    _parts: tuple[Task, ...] = PrivateAttr(())

    def model_post_init(self, _):
        from fitness.tasks import built_in  # this task is one of them

        parts = []
        for k, settings in enumerate(self.tasks):
            settings = dict(settings)
            name = settings.pop("name", None)
            if not isinstance(name, str) or name == self.name or is_own(name):
                raise UserError(f"task several: tasks[{k}]: must name a built-in task, not {name!r}")
            parts.append(built_in(name)(**settings))
        for k, part in enumerate(parts):
            if part.dt_ms != parts[0].dt_ms:
                steps = f"{part.title()} has {part.dt_ms:g} ms, {parts[0].title()} {parts[0].dt_ms:g} ms"
                raise UserError(f"task several: tasks[{k}]: all must have the same step; {steps}")
            if part.sampled:
                raise UserError(f"task several: tasks[{k}]: {part.title()} has sampled inputs, which are not combined")
            if part.listens != "outputs":
                raise UserError(f"task several: tasks[{k}]: {part.title()} listens to all neurons, not to outputs alone")
            if type(part).environment is not Task.environment:
                raise UserError(
                    f"task several: tasks[{k}]: {part.title()} is a closed loop, which shares its inputs with no other"
                )
        self._parts = tuple(parts)

    @property
    def dt_ms(self):
        return self._parts[0].dt_ms

    @property
    def duration_ms(self):
        return max(part.duration_ms for part in self._parts)

    @property
    def inputs(self):
        return tuple(dict.fromkeys(name for part in self._parts for name in part.inputs))

    @property
    def outputs(self):
        titles = [part.title() for part in self._parts]
        names = [t if titles.count(t) == 1 else f"{t}{titles[:k].count(t) + 1}" for k, t in enumerate(titles)]
        return tuple(f"{name}.{out}" for name, part in zip(names, self._parts, strict=True) for out in part.outputs)

    def make(self, rng, count, part="search"):
        spikes, labels, facts = np.zeros((count, self.steps, len(self.inputs)), bool), np.zeros(count, int), {}
        for k, (task, first, last) in enumerate(self._shares(count)):
            own = task.trials(int(rng.integers(2**63)), last - first, part)
            for channel, name in enumerate(task.inputs):
                spikes[first:last, : task.steps, self.inputs.index(name)] = own.spikes[..., channel]
            labels[first:last] = own.labels - own.labels.min() + (labels.max() + 1 if k else 0)
            for name, fact in {**own.facts, LABEL: own.labels}.items():
                fact = np.asarray(fact)
                facts[f"{k}.{name}"] = np.zeros((count, *fact.shape[1:]), fact.dtype)
                facts[f"{k}.{name}"][first:last] = fact
        return spikes, labels, facts

    def score(self, raster, trials):
        raster, scores, column = self._columns(raster), [], 0
        for k, (part, first, last) in enumerate(self._shares(len(trials))):
            columns = slice(column, column := column + len(part.outputs))
            bits = raster.part(first, last).bits[..., : part.steps, columns]
            scores.append(
                part.score(Raster(bits, last - first, part.dt_ms, part.outputs), self._trials(trials, k, first, last))
            )
        trial_scores, case_scores = (
            np.concatenate([getattr(s, name) for s in scores], axis=-1) for name in ("trial_scores", "case_scores")
        )
        return Score(np.mean([s.value for s in scores], axis=0), trial_scores, case_scores, tuple(scores))

    def interval(self, score, trials):
        """The interval from those of the tasks, taken as independent."""
        below = above = 0
        for k, (part, first, last) in enumerate(self._shares(len(trials))):
            low, high = part.interval(score.measured[k], self._trials(trials, k, first, last))
            below, above = below + (score.measured[k].value - low) ** 2, above + (high - score.measured[k].value) ** 2
        below, above = (np.sqrt(part) / len(self._parts) for part in (below, above))
        return np.clip(score.value - below, 0.0, 1.0), np.clip(score.value + above, 0.0, 1.0)

    def floor(self, score, trials):
        below = 0
        for k, (part, first, last) in enumerate(self._shares(len(trials))):
            own = score.measured[k]
            below = below + (own.value - part.floor(own, self._trials(trials, k, first, last))) ** 2
        return np.clip(score.value - np.sqrt(below) / len(self._parts), 0.0, 1.0)

    def grouped(self, trials, min_trials=REPORTED):
        """The conditions of each task; a task that has none is one condition."""
        names, members = [], []
        for k, (part, first, last) in enumerate(self._shares(len(trials))):
            conditions = part.grouped(self._trials(trials, k, first, last), min_trials)
            if not conditions.names and last - first >= min_trials:
                conditions = Conditions(("",), (np.arange(last - first),))
            names += [f"task {part.title()}{', ' + name if name else ''}" for name in conditions.names]
            members += [first + chosen for chosen in conditions.members]
        return Conditions(tuple(names), tuple(members)) if len(names) > 1 else NONE

    def score_of(self, score, trials, chosen):
        """The score on some trials of one of the tasks."""
        k, part, first, own = self._part_of(trials, chosen)
        return part.score_of(score.measured[k], own, chosen - first)

    def floor_of(self, score, trials, chosen):
        k, part, first, own = self._part_of(trials, chosen)
        return part.floor_of(score.measured[k], own, chosen - first)

    def _part_of(self, trials, chosen):
        """The task to which all of these trials belong: its number, the task, the number of its first trial, and its trials."""
        for k, (part, first, last) in enumerate(self._shares(len(trials))):
            if first <= chosen.min() <= chosen.max() < last:
                return k, part, first, self._trials(trials, k, first, last)
        raise UserError("task several: the score on some of the trials is that of one task's alone")

    def _shares(self, count):
        """Each task and its trials, first to last - 1."""
        if count < len(self._parts):
            raise UserError(f"task several: {len(self._parts)} tasks need at least as many trials, not {count}")
        ends = [count * k // len(self._parts) for k in range(len(self._parts) + 1)]
        return [(part, *ends[k : k + 2]) for k, part in enumerate(self._parts)]

    def _trials(self, trials, k, first, last):
        """The k-th task's own trials."""
        facts = {name.split(".", 1)[1]: f[first:last] for name, f in trials.facts.items() if name.startswith(f"{k}.")}
        channels = [self.inputs.index(name) for name in self._parts[k].inputs]
        spikes = trials.spikes[first:last, : self._parts[k].steps, channels]
        return Trials(spikes, facts.pop(LABEL), facts, trials.noise_seed)
