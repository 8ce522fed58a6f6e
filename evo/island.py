"""One epoch of one island: a pure function.

The state of an island after epoch e depends only on its state after epoch e - 1, the migrants its neighbour sent after epoch
e - 1, the run's spec, the island's number and e. Whoever computes it, wherever and however often, gets the same bytes.
"""

import json
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from deap import base, tools

from circuits.errors import UserError
from evo import genome, variation
from evo.genome import Form
from evo.selection import epsilon_lexicase, nsga2, pareto, survivors
from evo.spec import RunSpec
from fitness import Task, Trials
from fitness.evaluate import Evaluation, evaluate
from fitness.objectives import losses

SEARCH_TRIALS, HELD_OUT_TRIALS, VALIDATION_TRIALS = range(3)  # second half of a seed: they never share a stimulus


class State(NamedTuple):
    """An island between two epochs. Arrays of records have the fields of `record`.

    population  records [population];   grades  float32 [population, trials]
    archive     records [<= search.archive]: the non-dominated circuits seen so far, and the one that did best on validation
                trials, scored on fresh trials as well
    log         one dict per generation of the epoch that ended here; `simulated` is the share of the steps that the stop rule
                left to simulate
    """

    population: np.ndarray
    grades: np.ndarray
    archive: np.ndarray
    log: list

    def migrants(self, count: int) -> "Migrants":
        """What the next island gets: the individuals that NSGA-II would keep last."""
        chosen = nsga2(self.population["losses"], count)
        return Migrants(self.population[chosen], self.grades[chosen])


class Migrants(NamedTuple):
    population: np.ndarray
    grades: np.ndarray


def record(genome_dtype: np.dtype, objectives: int) -> np.dtype:
    """An individual: its genome, what it lost by each objective (smaller is better), and what it did.

    score (on the search's trials), validation (on others, by which a target is judged) and held_out (on others still, by which
    nothing is chosen), with the ends low and high of its 95 % confidence interval, are 0 at chance and 1 when perfect, NaN
    until measured; spikes and events are per trial; island and generation say where it was born.
    """
    return np.dtype(
        [
            ("genome", genome_dtype),
            ("losses", "f8", objectives),
            ("score", "f8"),
            ("validation", "f8"),
            ("held_out", "f8"),
            ("low", "f8"),
            ("high", "f8"),
            ("spikes", "f8"),
            ("events", "f8"),
            ("island", "i4"),
            ("generation", "i4"),
        ]
    )


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
    def of(cls, spec: RunSpec, source: str | None) -> "Setting":
        task = spec.make_task(source)
        form, s = spec.form(task.interface), spec.search
        search = task.trials((s.seed, SEARCH_TRIALS), s.trials)
        validation, held_out = (task.trials((s.seed, part), s.held_out) for part in (VALIDATION_TRIALS, HELD_OUT_TRIALS))
        return cls(spec, task, form, search, validation, held_out, toolbox(spec, task, form, search))


def toolbox(spec: RunSpec, task: Task, form: Form, trials: Trials) -> base.Toolbox:
    """The evolutionary algorithm, composed: DEAP's toolbox over operators that take whole populations as arrays."""
    box, bounds, stop = base.Toolbox(), form.bounds, spec.stop_rule(task.dt_ms)
    box.register("found", variation.founders, bounds)
    box.register("select", epsilon_lexicase)
    box.register("mate", variation.crossover, bounds=bounds, share=spec.search.crossover)
    box.register("mutate", variation.mutate, bounds=bounds, more=spec.search.mutation)
    box.register("evaluate", lambda genomes: evaluate(task, trials, genome.builder(genomes, form), stop))
    box.register("survive", survivors)
    return box


def run_epoch(setting: Setting, island: int, epoch: int, state: State | None, migrants: Migrants | None) -> State:
    """The island's next state: `spec.search.epoch` generations on from `state`, or from founders when there is none."""
    s, box = setting.spec.search, setting.toolbox
    rng = np.random.default_rng(np.random.SeedSequence(s.seed, spawn_key=(island, epoch)))
    log = tools.Logbook()
    if state is None:
        population, grades, simulated = _assess(setting, box.found(s.population, rng), island, 0)
        archive = _kept(population, s.archive)
        _record(log, 0, len(population), simulated, population, archive)
    else:
        population, grades, archive, _ = state
        if migrants is not None:
            population, grades = _joined(population, migrants.population), _joined(grades, migrants.grades)
            kept = box.survive(population["losses"], grades, s.population, rng)
            population, grades = population[kept], grades[kept]
    first = epoch * s.epoch
    for generation in range(first + 1, min(first + s.epoch, s.generations) + 1):
        parents = box.select(grades, 2 * s.population, rng)
        genomes = population["genome"]
        children = box.mutate(box.mate(genomes[parents[::2]], genomes[parents[1::2]], rng=rng), rng=rng)
        offspring, offspring_grades, simulated = _assess(setting, children, island, generation)
        population, grades = _joined(population, offspring), _joined(grades, offspring_grades)
        kept = box.survive(population["losses"], grades, s.population, rng)
        population, grades = population[kept], grades[kept]
        archive = _joined(archive, offspring)
        archive = _kept(archive, s.archive)
        _record(log, generation, len(offspring), simulated, population, archive)
    archive = _on_fresh_trials(setting, archive)
    log[-1] |= {name: float(archive[name].max()) for name in ("validation", "held_out")}
    return State(population, grades, archive, list(log))


def _kept(records, count):
    """The archive made of these records: the Pareto front, and the one that did best on validation trials wherever it stands,
    for a target may have been reached by it."""
    front = pareto(records["losses"], count)
    validation = np.nan_to_num(records["validation"], nan=-1.0)
    champion = int(np.argmax(validation))
    if validation[champion] > validation[front].max():
        front = np.sort(np.append(pareto(records["losses"], count - 1), champion))
    return records[front]


def _assess(setting, genomes, island, generation):
    found: Evaluation = setting.toolbox.evaluate(genomes)
    names = setting.spec.search.objectives
    made = np.zeros(len(genomes), record(genomes.dtype, len(names)))
    made["genome"], made["losses"] = genomes, losses(names, found)
    made["score"], made["spikes"], made["events"] = found.score, found.spikes, found.events
    for name in ("validation", "held_out", "low", "high"):
        made[name] = np.nan
    made["island"], made["generation"] = island, generation
    return made, found.grades, float(found.simulated.mean())


def _on_fresh_trials(setting, archive):
    """The archive with every missing score on validation and held-out trials measured."""
    archive, new = archive.copy(), np.isnan(archive["held_out"])
    if new.any():
        tables = genome.tables(archive["genome"][new], setting.form)
        archive["validation"][new] = evaluate(setting.task, setting.validation, tables).score
        found = evaluate(setting.task, setting.held_out, tables)
        archive["held_out"][new] = found.score
        archive["low"][new], archive["high"][new] = found.interval
    return archive


def _joined(a, b):
    """np.concatenate; records stay packed."""
    out = np.empty((len(a) + len(b), *a.shape[1:]), a.dtype)
    out[: len(a)], out[len(a) :] = a, b
    return out


def _record(log, generation, evaluations, simulated, population, archive):
    log.record(
        generation=generation,
        evaluations=evaluations,
        simulated=simulated,
        best=float(population["score"].max()),
        median=float(np.median(population["score"])),
        losses=[float(x) for x in population["losses"].min(axis=0)],
        archive=len(archive),
    )


def merged_archive(archives: list[np.ndarray], count: int) -> np.ndarray:
    """The archive of a run from those of its islands, in an order that depends on the circuits alone."""
    everyone = archives[0]
    for archive in archives[1:]:
        everyone = _joined(everyone, archive)
    keys = [row.tobytes() for row in everyone["genome"]]
    order = sorted(range(len(everyone)), key=lambda k: (*everyone["losses"][k], keys[k]))
    everyone = everyone[order]
    return _kept(everyone, count)


def to_bytes(state: State | Migrants) -> bytes:
    """A state or migrants as the bytes of an .npz file, without pickle."""
    fields = state._asdict()
    log = fields.pop("log", None)
    if log is not None:
        fields["log"] = np.frombuffer(json.dumps(log).encode(), "u1")
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **fields)
    return buffer.getvalue()


def from_bytes(kind: Any, data: bytes) -> Any:
    """The State or Migrants (`kind`) in what `to_bytes` made; UserError for anything else. Executes nothing that is in it."""
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            fields = {name: file[name] for name in kind._fields if name in file}
        if "log" in kind._fields:
            fields["log"] = json.loads(fields["log"].tobytes())
        return kind(**fields)
    except Exception as error:  # what a stranger's bytes can make numpy, zipfile and json raise has no end
        raise UserError(f"holds no readable {kind.__name__} ({type(error).__name__})") from None


@lru_cache(maxsize=4)
def setting(spec_json: str, source: str | None) -> Setting:
    """The Setting of a spec given as JSON, built once per process."""
    return Setting.of(RunSpec.model_validate_json(spec_json), source)
