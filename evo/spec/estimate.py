"""Estimate of the memory of a run, from its spec."""

from typing import Any

from circuits.errors import UserError
from evo import genome
from evo.population.individual import outcome_of, record
from evo.spec.memory import available, shown
from fitness.judges import Judge

COPIES = 5  # of case scores and individuals: parents, children, both joined, selected ones, serialised ones
KEY = 250  # bytes of an entry for a circuit that was evaluated in the epoch
PROCESS = 250_000_000  # bytes of an idle process


def parts(spec: Any, judge: Judge) -> dict[tuple[str, ...], float]:
    """Bytes that one process takes to compute an epoch of an `evo.spec.run_spec.RunSpec`, of the search and of the judge, by
    the keys of [search] to which they are proportional."""
    s, bounds = spec.search, spec.encoding(judge.interface).bounds
    individual = record(genome.empty(bounds, 0).dtype, outcome_of(s)).itemsize
    return {
        ("population", "trials", "epoch"): 4.0 * s.population * s.trials * (COPIES + s.epoch),
        ("population", "epoch"): s.population * (COPIES * individual + KEY * s.epoch),
        **judge.memory(s.population, s.archive, bounds.capacity),
    }


def stored(spec: Any, judge: Judge) -> float:
    """Bytes of the states of all islands, which a process that opens the run holds."""
    s = spec.search
    individual = record(genome.empty(spec.encoding(judge.interface).bounds, 0).dtype, outcome_of(s)).itemsize
    return s.islands * float((s.population + s.archive) * individual + 4 * s.population * s.trials)


def check_memory(spec: Any, judge: Judge, where: str, processes: int = 1):
    """Raise UserError, which names `where` and the keys responsible, where the run takes more memory than is available."""
    each, free, s = parts(spec, judge), available(), spec.search
    computing = min(processes, s.islands)
    needed = computing * (PROCESS + sum(each.values())) + stored(spec, judge)
    if needed > free:
        keys = max(each, key=lambda key: each[key])
        named = ", ".join(f"search.{key} = {getattr(s, key):,}".replace(",", "") for key in keys)
        subject = f"{computing} processes take" if computing > 1 else "it takes"
        fewer = ", or run fewer --workers" if computing > 1 else ""
        raise UserError(f"{where}: {subject} about {shown(needed)} of memory, {shown(free)} are free; lower {named}{fewer}")
