"""The core of a circuit: the smallest part of it, by backward elimination, that does as well."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.edit.lesion import without
from circuits.edit.variants import Ends, Variants
from circuits.errors import UserError
from circuits.motif_file import Motif, Parent, digest, dumps
from fitness.analysis.scored import Scored, scored
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import Floor, judged, smooth_scores

CHOOSING = 2, 8  # trials to choose on, as a multiple of those to confirm on: first, and where the core is not confirmed


class Smallest(NamedTuple):
    """The core of a circuit.

    circuit    the remaining circuit
    neurons    ids of those removed;   synapses  (source, target) of those removed between parts that remain; the first
               removed first
    chosen_on  number of trials it was chosen on: none of its neurons and synapses can be removed alone without its score there,
               or that in its worst condition, falling below the floor of the whole circuit's (`Floor`)
    scored     on the trials that confirm it
    confirmed  do the scores there stay above the floors of the whole circuit's?
    """

    circuit: Circuit
    neurons: tuple
    synapses: tuple[tuple, ...]
    chosen_on: int
    scored: Scored
    confirmed: bool


def smallest(task: Task, circuit: Circuit, draw: Callable[[int], Trials], confirming: Trials) -> Smallest | None:
    """The core of a circuit by backward elimination: in each round as many of the least harmful neurons and synapses are
    removed as the score allows, until none can go. The same circuit and trials give the same core.

    draw   returns a number of trials to choose on
    Neurons that an output port reads stay. None if the floor of the circuit's score is chance: there is nothing to keep.
    The core is minimal, since no part of it can be removed alone, but need not be the smallest of all minimal ones.
    """
    for factor in CHOOSING:
        choosing = draw(factor * len(confirming))
        removed = _eliminated(task, circuit, choosing)
        if removed is None:
            return None
        core, neurons, synapses = _left(circuit, removed)
        report = scored(task, core, confirming)
        floor = Floor.of(task, confirming, circuit)
        worst = report["worst"]["score"] if "worst" in report else np.inf
        confirmed = report["score"] >= floor.score and worst >= floor.worst
        if confirmed:
            break
    return Smallest(core, neurons, synapses, len(choosing), report, confirmed)


def _eliminated(task, circuit, trials):
    """The parts removed, in order: numbers of neurons, and of synapses after them. None where there is no score to keep."""
    floor = Floor.of(task, trials, circuit)
    if floor.score <= 0:
        return None
    count, ends = len(circuit.neurons), Ends.of(circuit)
    read = {n for port in circuit.outputs for n in port.neurons}
    may_go = np.array([n.id not in read for n in circuit.neurons] + [True] * len(ends.source))
    source = ends.source - len(circuit.inputs)
    touches = np.concatenate(
        [np.eye(count, dtype=bool), (source == np.arange(count)[:, None]) | (ends.target == np.arange(count)[:, None])], axis=1
    )

    def evaluated(present):
        """Scores of variants with these parts, bool [variants, parts]; smooth scores, to break ties; and which are as good."""
        versions = Variants.of(circuit, len(present))._replace(present=present[:, :count], kept=present[:, count:])
        batches = [
            (s.value, smooth_scores(s, trials), floor.kept(task, trials, s)) for s in judged(task, trials, circuit, versions)
        ]
        return map(np.concatenate, zip(*batches, strict=True))

    def removing(present, part):
        return present & ~(touches[part] if part < count else np.arange(len(present)) == part)

    present, removed = np.ones(len(may_go), bool), []
    while True:
        parts = np.flatnonzero(present & may_go)
        if not len(parts):
            return removed
        value, smooth_score, as_good = evaluated(np.stack([removing(present, part) for part in parts]))
        harmless = [k for k in np.lexsort((-smooth_score, -value)) if as_good[k]]
        if not harmless:
            return removed
        nested = []
        for k in harmless:
            nested.append(removing(nested[-1] if nested else present, parts[k]))
        *_, as_good = evaluated(np.stack(nested))
        good = np.flatnonzero(as_good)
        if not len(good):  # the first was as good alone
            raise UserError(f"task {task.title()}: the same circuit has another score the second time; use only rng")
        last = int(good.max())
        present = nested[last]
        removed += [int(parts[k]) for k in harmless[: last + 1]]


def _left(circuit, removed):
    """The circuit without these parts; ids of the neurons removed, and the ends of the synapses removed between others."""
    count = len(circuit.neurons)
    neurons = tuple(circuit.neurons[k].id for k in removed if k < count)
    ends = [(source, synapse.post) for (_, source), synapse in circuit.all_synapses]
    inputs = len(ends) - len(circuit.synapses)
    synapses = [k - count for k in removed if k >= count]
    named = [k for k in synapses if ends[k][1] not in neurons and (k < inputs or ends[k][0] not in neurons)]
    return without(circuit, neurons, synapses), neurons, tuple(ends[k] for k in named)


class Core(Scored):
    """The core: the circuit that is left when part after part is removed as long as the score, and that in the worst condition,
    stay above the floors of the whole circuit's (`Floor`). No neuron or synapse of it can be removed alone.

    motif           a motif file, its provenance naming the parent
    score, low, high, trials, worst   of the core, see `Scored`, on trials that had no part in choosing it (held-out ones)
    confirmed       are these scores, too, above the floors of the whole circuit's on the same trials?
    removed         parts as in `Lesion.part`, neurons first, in the order in which they went; synapses of a removed neuron are
                    not named again
    """

    motif: dict[str, Any]
    confirmed: bool
    removed: list[str]


def core_of(task: Task, motif: Motif, held_out: Trials, draw: Callable[[int], Trials], name: str | None = None) -> Core | None:
    """The part `core` of an analysis."""
    core = smallest(task, motif.circuit, draw, held_out)
    if core is None:
        return None
    report = core.scored
    worst_score = {"worst": report["worst"]["score"]} if "worst" in report else {}
    motif_of_core = Motif.of(
        core.circuit,
        **motif.provenance.model_dump(exclude={"scores", "parent"}),
        scores={"held_out": report["score"], "low": report["low"], "high": report["high"], **worst_score},
        parent=Parent(sha256=digest(motif), name=name),
    )
    removed = [*map(str, core.neurons), *(f"{source}>{target}" for source, target in core.synapses)]
    return {"motif": json.loads(dumps(motif_of_core)), **report, "confirmed": core.confirmed, "removed": removed}
