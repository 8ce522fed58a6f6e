"""Recurrence of the wiring of a circuit of the front among the other circuits of the run."""

from collections.abc import MutableMapping
from typing import Any, NamedTuple

import numpy as np

from circuits.graph.canonical import CanonicalForm, canonical_form
from circuits.graph.wiring import live as living_part
from evo import genome
from evo.genome.wiring import wiring_of
from evo.population.lineage import FOUNDER


class Recurrence(NamedTuple):
    """Recurrence of a wiring among all individuals that the run remembers: its archives, its last populations, and the
    ancestors in whom a score rose. Weights, delays and parameters do not count, nor do neurons from which no output is reached
    where the task reads outputs alone: see `circuits.graph.canonical`.

    circuits   number of distinct circuits with the wiring, this one among them;   islands  on which they were born
    founders   number of founders from which they descend by their mothers, a lower bound of independent origins
    generation in which the first of them was born;   ranks  of the others on the front
    """

    circuits: int
    islands: list[int]
    founders: int
    generation: int
    ranks: list[int]


def recurrences(run, cache: MutableMapping | None = None) -> list[Recurrence]:
    """Recurrence of each circuit of the front of an `evo.storage.run_folder.Run`, in order; cache: for further calls."""
    if run.archive is None:
        return []
    individuals = _remembered(run)
    front = np.array([row["genome"] for row in run.ranked], individuals["genome"].dtype)
    every = np.concatenate([front, individuals["genome"]])
    forms = _forms(every, len(front), run, {} if cache is None else cache)
    of_front, others = forms[: len(front)], forms[len(front) :]
    rows_of: dict[CanonicalForm | None, list[int]] = {}
    for k, form in enumerate(others):
        rows_of.setdefault(form, []).append(k)
    rows = []
    for rank, form in enumerate(of_front):
        same = individuals[rows_of[form]]
        rows.append(
            Recurrence(
                circuits=len({row.tobytes() for row in same["genome"]}),
                islands=sorted(set(same["island"].tolist())),
                founders=len(set(same["founder"].tolist())),
                generation=int(same["generation"].min()),
                ranks=[k for k, other in enumerate(of_front) if other == form and k != rank],
            )
        )
    return rows


def _remembered(run):
    """All individuals that the run remembers: genome, island and generation of birth, and founder."""
    steps = np.concatenate([state.pedigree for state in run.states])
    founder: dict[int, int] = {}
    for step, before in sorted(zip(steps["id"].tolist(), steps["before"].tolist(), strict=True)):
        founder.setdefault(step, step if before == FOUNDER else founder.get(before, before))
    groups = [(steps, steps["id"])]
    groups += [(rows, rows["line"]) for state in run.states for rows in (state.archive, state.population)]
    fields = [("genome", steps["genome"].dtype), ("island", "i4"), ("generation", "i4"), ("founder", "i8")]
    individuals = np.empty(sum(len(rows) for rows, _ in groups), fields)
    first = 0
    for rows, lines in groups:
        part = individuals[first : first + len(rows)]
        for name in ("genome", "island", "generation"):
            part[name] = rows[name]
        part["founder"] = [founder.get(line, line) for line in lines.tolist()]
        first += len(rows)
    return individuals


def _forms(genomes, wanted, run, cache) -> list[CanonicalForm | None]:
    """The canonical form of each genome; None for damaged ones and for those whose counts differ from all of the first
    `wanted`."""
    if genome.is_assembly(genomes):
        return _of_assemblies(genomes, wanted, run, cache)
    alive = run.spec.judge_class.neurons_read(run.spec.task) == "outputs"
    wiring = wiring_of(genomes)
    counts = [row.tobytes() for row in _counts(wiring.live() if alive else wiring)]
    possible = set(counts[:wanted])
    encoding, names = run.spec.encoding(run.interface), (run.interface.inputs, run.interface.outputs)
    forms: list[CanonicalForm | None] = []
    for k, count in enumerate(counts):
        if count not in possible or (k >= wanted and genome.faults(genomes[k], encoding.bounds)):
            forms.append(None)
            continue
        key = "form", genomes["kind"][k].tobytes(), wiring.synapse[k].tobytes(), genomes["readout"][k].tobytes()
        if key not in cache:
            circuit = genome.to_circuit(genomes[k], encoding, *names)
            cache[key] = canonical_form(living_part(circuit) if alive else circuit)
        forms.append(cache[key])
    return forms


def _of_assemblies(genomes, wanted, run, cache):
    """The form of each assembly: those of its motifs, and the numbers of copies."""
    encoding, names = run.spec.encoding(run.interface), (run.interface.inputs, run.interface.outputs)
    forms_of: list[Any] = []
    for k, assembly in enumerate(genomes):
        if k >= wanted and genome.faults(assembly, encoding.bounds):
            forms_of.append(None)
            continue
        key = "form", assembly.tobytes()
        if key not in cache:
            forms = map(canonical_form, genome.motif_circuits(assembly, encoding, *names))
            cache[key] = (*forms, assembly["copies"].tobytes())
        forms_of.append(cache[key])
    return forms_of


def _counts(wiring) -> np.ndarray:
    """Numbers that equal forms share, int64 [B, ...]: sizes, and sorted in- and out-degrees of neurons."""
    degrees = [np.sort(wiring.synapse.sum(axis=1), axis=1), np.sort(wiring.between.sum(axis=2), axis=1)]
    return np.ascontiguousarray(np.concatenate([wiring.size, *degrees], axis=1))
