"""Recurrence: where else in a run the wiring of a circuit of its front came up."""

from collections.abc import MutableMapping
from typing import Any, NamedTuple

import numpy as np

from circuits.graph.canonical import CanonicalForm, canonical_form
from circuits.graph.wiring import Wiring
from circuits.graph.wiring import live as living_part
from evo import genome
from evo.population.lineage import FOUNDER
from fitness.registry import OVER_FILES
from fitness.tasks import BUILT_IN


class Elsewhere(NamedTuple):
    """How often the wiring of a circuit is among all that the run remembers: its archives, its last populations, and the
    ancestors in whom a score rose. Weights, delays and parameters do not count, nor do neurons from which no output is reached
    where the task is known to hear outputs alone: see `circuits.graph.canonical`.

    circuits   different ones that have it, this one among them;   islands  on which they were born
    founders   from how many founders they descend by their mothers: so often at least it came about by itself
    generation in which the first of them was born;   ranks  of the others on the front
    """

    circuits: int
    islands: list[int]
    founders: int
    generation: int
    ranks: list[int]


def elsewhere(run, cache: MutableMapping | None = None) -> list[Elsewhere]:
    """Of every circuit of the front of an `evo.storage.run_folder.Run`, in its order; cache: kept from one call to the next."""
    if run.archive is None:
        return []
    places = _remembered(run)
    front = np.array([row["genome"] for row in run.ranked], places["genome"].dtype)
    every = np.concatenate([front, places["genome"]])
    forms = _forms(every, len(front), run, {} if cache is None else cache)
    of_front, others = forms[: len(front)], forms[len(front) :]
    at: dict[CanonicalForm | None, list[int]] = {}
    for k, form in enumerate(others):
        at.setdefault(form, []).append(k)
    found = []
    for rank, form in enumerate(of_front):
        rows = places[at[form]]
        found.append(
            Elsewhere(
                circuits=len({row.tobytes() for row in rows["genome"]}),
                islands=sorted(set(rows["island"].tolist())),
                founders=len(set(rows["founder"].tolist())),
                generation=int(rows["generation"].min()),
                ranks=[k for k, other in enumerate(of_front) if other == form and k != rank],
            )
        )
    return found


def heard(task: str) -> str:
    """Neurons that a task reads: "outputs", or "all", as far as is known of a user's own task, whose file is not executed."""
    known = BUILT_IN | OVER_FILES
    return known[task].listens if task in known else "all"


def _remembered(run):
    """All individuals that the run remembers: genome, where and when they were born, and the founder they descend from."""
    steps = np.concatenate([state.pedigree for state in run.states])
    founder: dict[int, int] = {}
    for step, before in sorted(zip(steps["id"].tolist(), steps["before"].tolist(), strict=True)):
        founder.setdefault(step, step if before == FOUNDER else founder.get(before, before))
    parts = [(steps, steps["id"])]
    parts += [(rows, rows["line"]) for state in run.states for rows in (state.archive, state.population)]
    fields = [("genome", steps["genome"].dtype), ("island", "i4"), ("generation", "i4"), ("founder", "i8")]
    found = np.empty(sum(len(rows) for rows, _ in parts), fields)
    first = 0
    for rows, lines in parts:
        here = found[first : first + len(rows)]
        for name in ("genome", "island", "generation"):
            here[name] = rows[name]
        here["founder"] = [founder.get(line, line) for line in lines.tolist()]
        first += len(rows)
    return found


def _forms(genomes, wanted, run, cache) -> list[CanonicalForm | None]:
    """The form of each genome; None for those whose counts tell that theirs is not one of the first `wanted` ones, and for
    damaged ones."""
    if genome.is_assembly(genomes):
        return _of_assemblies(genomes, wanted, run, cache)
    alive = heard(run.spec.judged_by) == "outputs"
    wiring = _wiring(genomes)
    counts = [row.tobytes() for row in _counts(wiring.live() if alive else wiring)]
    possible = set(counts[:wanted])
    shape, names = run.spec.form(run.interface), (run.interface.inputs, run.interface.outputs)
    found: list[CanonicalForm | None] = []
    for k, count in enumerate(counts):
        if count not in possible or (k >= wanted and genome.faults(genomes[k], shape.bounds)):
            found.append(None)
            continue
        key = "form", genomes["kind"][k].tobytes(), wiring.synapse[k].tobytes(), genomes["readout"][k].tobytes()
        if key not in cache:
            circuit = genome.to_circuit(genomes[k], shape, *names)
            cache[key] = canonical_form(living_part(circuit) if alive else circuit)
        found.append(cache[key])
    return found


def _of_assemblies(genomes, wanted, run, cache):
    """The form of an assembly: those of its motifs, and the numbers of copies."""
    shape, names = run.spec.form(run.interface), (run.interface.inputs, run.interface.outputs)
    found: list[Any] = []
    for k, one in enumerate(genomes):
        if k >= wanted and genome.faults(one, shape.bounds):
            found.append(None)
            continue
        key = "form", one.tobytes()
        if key not in cache:
            forms = map(canonical_form, genome.motif_circuits(one, shape, *names))
            cache[key] = (*forms, one["copies"].tobytes())
        found.append(cache[key])
    return found


def _wiring(genomes) -> Wiring:
    sign = np.sign(genomes["kind"]).astype("i1")
    read = np.zeros(sign.shape, bool)
    np.put_along_axis(read, np.clip(genomes["readout"], 0, sign.shape[1] - 1).astype(int), True, axis=1)
    return Wiring(sign, genomes["weight"] != 0, read)


def _counts(wiring) -> np.ndarray:
    """Numbers that equal forms have in common, int64 [B, ...]: sizes, and how many synapses enter and leave each neuron."""
    degrees = [np.sort(wiring.synapse.sum(axis=1), axis=1), np.sort(wiring.between.sum(axis=2), axis=1)]
    return np.ascontiguousarray(np.concatenate([wiring.size, *degrees], axis=1))
