"""Runs side by side: runs whose specs differ only in the seed form a group, and groups are compared by effect sizes."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from circuits.errors import UserError, harmless
from evo.storage.run_folder import Run, open_run
from evo.storage.task_code import stored_code
from evo.studies.effect import Effect, effect
from fitness.sandbox.code import identity

TARGET = 0.9  # unless all specs name the same target
MORE_IS_BETTER = {
    "held_out": True,
    "worst": True,
    "evaluations_to_target": False,
    "evaluations": False,
    "neurons": False,
    "synapses": False,
    "energy": False,
    "seconds": False,
}


class Outcome(NamedTuple):
    """Outcome of a run; of the circuit with the best held-out score unless stated otherwise, NaN if there is none yet.

    held_out, low, high    its score with the 95 % confidence interval;   worst  its score in its worst condition
    evaluations_to_target  evaluations of all islands until a circuit scored the target on validation trials, inf if none did
    evaluations, seconds   of the run;   front  number of circuits on it
    excitatory, inhibitory, neurons, synapses;   energy  spikes and synaptic events per trial
    """

    run: str
    seed: int
    state: str
    held_out: float
    low: float
    high: float
    worst: float
    evaluations_to_target: float
    evaluations: int
    front: int
    excitatory: int
    inhibitory: int
    neurons: int
    synapses: int
    energy: float
    seconds: float


class Group(NamedTuple):
    """Runs of one spec, by seed. settings: the settings that differ from those of other groups, by key; name: these in a
    line."""

    name: str
    settings: dict[str, Any]
    runs: list[Outcome]

    def values(self, measure: str) -> list[float]:
        return [float(getattr(run, measure)) for run in self.runs]

    def median(self, measure: str) -> float:
        """The median; NaN if a run has no value, inf if at least half of the runs did not reach the target."""
        return float(np.median(self.values(measure)))


class Comparison(NamedTuple):
    """Groups, and the effects of each further group beside the first: by measure (see `MORE_IS_BETTER`), the probability that a
    run of the further group does better. No effects if either group has fewer than two runs."""

    target: float
    groups: list[Group]
    effects: list[dict[str, Effect]]


def compare(folders: Sequence) -> Comparison:
    """Compare run folders; nothing in them is executed. Raises UserError."""
    return compare_runs([open_run(folder) for folder in folders], folders)


def compare_runs(runs: Sequence[Run], names: Sequence) -> Comparison:
    """Compare open runs; names: their names in error messages."""
    resolved = [run.folder.resolve() for run in runs]
    if len(set(resolved)) < len(resolved):
        raise UserError(f"{next(f for k, f in enumerate(names) if resolved[k] in resolved[:k])}: is named twice")
    targets = {run.spec.search.target for run in runs}
    target = targets.pop() if len(targets) == 1 and None not in targets else TARGET
    groups = _groups(runs, target)
    return Comparison(target, groups, [_effects(group, groups[0]) for group in groups[1:]])


def _groups(runs, target):
    flat = [_flat(run.spec.model_dump(mode="json")) | {"task file": _own(run)} for run in runs]
    keys = [json.dumps({k: v for k, v in spec.items() if k != "search.seed"}, sort_keys=True) for spec in flat]
    first = [keys.index(key) for key in dict.fromkeys(keys)]
    differs = [
        name
        for name in dict.fromkeys(name for k in first for name in flat[k])
        if name not in ("search.seed", "task file") and len({json.dumps(flat[k].get(name)) for k in first}) > 1
    ]
    tasks = [runs[k].spec.judged_by for k in first]  # if all differ, their names suffice
    groups = []
    for k in first:
        members = sorted(
            (runs[j] for j in range(len(runs)) if keys[j] == keys[k]), key=lambda run: (run.spec.search.seed, run.name)
        )
        settings = {name: flat[k].get(name) for name in differs}
        shown = ", ".join(f"{name.removeprefix('search.')} = {_text(value)}" for name, value in settings.items())
        name = runs[k].spec.judged_by
        title = harmless(shown if shown and len(set(tasks)) < len(tasks) else name)
        groups.append(Group(title, settings, [_outcome(run, target) for run in members]))
    return groups


def _flat(tree, prefix=""):
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {k: v for key, inner in tree.items() for k, v in _flat(inner, f"{prefix}.{key}" if prefix else key).items()}


def _own(run):
    """Identity of a user's own task, which is not executed."""
    code = stored_code(run.spec, run.folder)
    return None if code is None else identity(code)


def _text(value):
    if isinstance(value, list):
        return f"{value[0]:g}" if len(value) == 2 and value[0] == value[1] else f"[{', '.join(map(_text, value))}]"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _outcome(run: Run, target):
    best = run.front[0] if run.front else None
    nan = float("nan")
    e, i = (best.excitatory, best.inhibitory) if best else (0, 0)
    return Outcome(
        run=run.name,
        seed=run.spec.search.seed,
        state=run.state,
        **{name: getattr(best, name, nan) for name in ("held_out", "low", "high", "worst")},
        evaluations_to_target=_evaluations_to(run, target),
        evaluations=run.evaluations,
        front=len(run.front),
        excitatory=e,
        inhibitory=i,
        neurons=e + i,
        synapses=best.circuit.synapse_count if best else 0,
        energy=best.spikes + best.events if best else nan,
        seconds=run.progress.elapsed,
    )


def _evaluations_to(run, target):
    """Evaluations of all islands up to the first generation with a circuit of that score on validation trials."""
    rows = [row for epoch in run.epochs for row in epoch["log"]]
    first = min((row["generation"] for row in rows if row["validation"] >= target), default=None)
    return float("inf") if first is None else float(sum(row["evaluations"] for row in rows if row["generation"] <= first))


def _effects(group, first):
    if min(len(group.runs), len(first.runs)) < 2:
        return {}
    effects = {}
    for measure, more in MORE_IS_BETTER.items():
        values = group.values(measure), first.values(measure)
        if not np.isnan(np.concatenate(values)).any():
            effects[measure] = effect(*(values if more else reversed(values)))
    return effects
