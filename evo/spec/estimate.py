"""How much memory a run takes, worked out from its spec before anything is computed."""

from typing import Any

from circuits.errors import UserError
from evo import genome
from evo.population.individual import outcome_of, record
from evo.spec.memory import available, shown
from fitness.judges import Judge

COPIES = 5  # of case_scores and individuals: parents, children, both joined, those selected, those that become bytes
KEY = 250  # bytes of what is remembered of a circuit that was tried in the epoch
PROCESS = 250_000_000  # bytes of a process that has done nothing yet


def parts(spec: Any, judge: Judge) -> dict[tuple[str, ...], float]:
    """Bytes that one process takes to compute an epoch of an `evo.spec.run_spec.RunSpec`, by the keys of [search] of which they
    are the product: those of the search, and those of whoever judges."""
    s, bounds = spec.search, spec.bounds(judge.interface)
    individual = record(genome.empty(bounds, 0).dtype, outcome_of(s)).itemsize
    return {
        ("population", "trials", "epoch"): 4.0 * s.population * s.trials * (COPIES + s.epoch),
        ("population", "epoch"): s.population * (COPIES * individual + KEY * s.epoch),
        **judge.memory(s.population, s.archive, bounds.capacity),
    }


def stored(spec: Any, judge: Judge) -> float:
    """Bytes that the states of all islands take together, which whoever opens the run holds."""
    s = spec.search
    individual = record(genome.empty(spec.bounds(judge.interface), 0).dtype, outcome_of(s)).itemsize
    return s.islands * float((s.population + s.archive) * individual + 4 * s.population * s.trials)


def check_memory(spec: Any, judge: Judge, place: str, processes: int = 1):
    """Raises UserError, which names `place` and the keys that make it so, where the run takes more memory than there is."""
    each, there, s = parts(spec, judge), available(), spec.search
    computing = min(processes, s.islands)
    needed = computing * (PROCESS + sum(each.values())) + stored(spec, judge)
    if needed > there:
        keys = max(each, key=lambda key: each[key])
        named = ", ".join(f"search.{key} = {getattr(s, key):,}".replace(",", "") for key in keys)
        of = f"{computing} processes take" if computing > 1 else "it takes"
        fewer = ", or run fewer --workers" if computing > 1 else ""
        raise UserError(f"{place}: {of} about {shown(needed)} of memory, {shown(there)} are there; lower {named}{fewer}")
