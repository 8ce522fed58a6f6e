"""How much memory a run takes, worked out from its spec before anything is computed."""

from typing import Any

from circuits.errors import UserError
from evo import genome
from evo.population.individual import record
from evo.spec.memory import available, shown

TOGETHER = 1000  # circuits that are scored in one go, see `evo.engine.trier`
SCORED = 100  # bytes of a trial of a circuit besides its raster: credit, grade and what they are made of
COPIES = 5  # of grades and individuals: parents, children, both joined, those selected, those that become bytes
KEY = 250  # bytes of what is remembered of a circuit that was tried in the epoch
PROCESS = 250_000_000  # bytes of a process that has done nothing yet


def parts(spec: Any, task: Any) -> dict[tuple[str, ...], float]:
    """Bytes that one process takes to compute an epoch of an `evo.spec.RunSpec` with a `fitness.Task`, by the keys of [search]
    of which they are the product. The stimuli count with what they are made from, and each circuit's raster as it is scored."""
    s, bounds = spec.search, spec.bounds(task.interface)
    steps, channels, heard = task.steps, len(task.inputs), len(task.outputs)
    of_trial = SCORED + steps * heard / 8
    if task.listens == "all":
        of_trial = SCORED + steps * bounds.capacity / 8
    individual = record(genome.empty(bounds, 0).dtype, len(s.objectives)).itemsize
    return {
        ("population", "trials", "epoch"): 4.0 * s.population * s.trials * (COPIES + s.epoch),
        ("trials",): s.trials * (2.0 * steps * channels + min(s.population, TOGETHER) * of_trial),
        ("held_out", "archive"): s.held_out * (4.0 * steps * channels + min(s.archive, s.population) * of_trial),
        ("population", "epoch"): s.population * (COPIES * individual + KEY * s.epoch),
    }


def stored(spec: Any, task: Any) -> float:
    """Bytes that the states of all islands take together, which whoever opens the run holds."""
    s = spec.search
    individual = record(genome.empty(spec.bounds(task.interface), 0).dtype, len(s.objectives)).itemsize
    return s.islands * float((s.population + s.archive) * individual + 4 * s.population * s.trials)


def check_memory(spec: Any, task: Any, place: str, processes: int = 1):
    """Raises UserError, which names `place` and the keys that make it so, where the run takes more memory than there is."""
    each, there, s = parts(spec, task), available(), spec.search
    computing = min(processes, s.islands)
    needed = computing * (PROCESS + sum(each.values())) + stored(spec, task)
    if needed > there:
        keys = max(each, key=lambda key: each[key])
        named = ", ".join(f"search.{key} = {getattr(s, key):,}".replace(",", "") for key in keys)
        of = f"{computing} processes take" if computing > 1 else "it takes"
        fewer = ", or run fewer --workers" if computing > 1 else ""
        raise UserError(f"{place}: {of} about {shown(needed)} of memory, {shown(there)} are there; lower {named}{fewer}")
