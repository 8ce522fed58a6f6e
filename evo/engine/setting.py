"""What a spec means for an epoch: its task, trials and operators, built once per process."""

from functools import lru_cache
from typing import NamedTuple

from deap import base

from evo import genome
from evo.algorithms import descriptors
from evo.algorithms.values import FreeValues
from evo.genome import Form, variation
from evo.spec.run_spec import RunSpec
from fitness import Task, Trials
from fitness.evaluation.evaluate import evaluate
from fitness.sandbox.code import Code


class Setting(NamedTuple):
    """What a spec means for an epoch: built once per process."""

    spec: RunSpec
    task: Task
    form: Form
    search: Trials
    validation: Trials
    held_out: Trials
    toolbox: base.Toolbox

    @classmethod
    def of(cls, spec: RunSpec, source: Code | None) -> "Setting":
        task = spec.make_task(source)
        form, s = spec.form(task.interface), spec.search
        search = search_trials(spec, task)
        validation, held_out = (task.trials_of(part, s.seed, s.held_out) for part in ("validation", "held_out"))
        return cls(spec, task, form, search, validation, held_out, toolbox(spec, task, form, search))


def search_trials(spec: RunSpec, task: Task) -> Trials:
    """What a search scores circuits on; made anew."""
    return task.trials_of("search", spec.search.seed, spec.search.trials)


def toolbox(spec: RunSpec, task: Task, form: Form, trials: Trials) -> base.Toolbox:
    """DEAP's toolbox over operators that take whole populations as arrays: what the algorithms are composed of."""
    box, bounds, stop = base.Toolbox(), form.bounds, spec.stop_rule(task.dt_ms)
    box.register("found", variation.founders, bounds)
    box.register("mate", variation.crossover, bounds=bounds)
    box.register("mutate", variation.mutate, bounds=bounds, more=spec.search.mutation)
    axes = {"names": spec.search.descriptors, "bounds": bounds, "seconds": task.duration_ms / 1000}
    box.register("cell", descriptors.cell, **axes, most=spec.search.population)
    box.register("free_values", FreeValues, bounds=bounds)
    box.register("evaluate", lambda genomes: evaluate(task, trials, genome.builder(genomes, form), stop))
    return box


@lru_cache(maxsize=4)
def setting(spec_json: str, source: Code | None) -> Setting:
    """The Setting of a spec given as JSON, built once per process."""
    return Setting.of(RunSpec.model_validate_json(spec_json), source)
