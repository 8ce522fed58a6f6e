"""The core of a circuit: the smallest part found of it that does as well."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, NotRequired

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from circuits.edit.lesion import without
from circuits.edit.variants import Ends, Variants
from circuits.errors import UserError
from circuits.motif_file import Motif, Parent, digest, dumps
from fitness.analysis.scored import Scored, Worst, scored
from fitness.evaluation.evaluate import Floor, climbed, judged
from fitness.task import Task
from fitness.trials import Trials

MORE = 2, 8  # times as many trials to choose on as to confirm by: at first, and where the core is not confirmed


class Smallest(NamedTuple):
    """The core of a circuit.

    circuit    what is left
    neurons    ids of those removed;   synapses  (source, target) of those removed between parts that are left; the first
               removed first
    chosen_on  number of trials it was chosen on: none of its neurons and synapses can be removed alone without its score there,
               or that in its worst condition, falling below the floor of the whole circuit's (`Floor`)
    score, low, high, worst   on the trials that confirm it, see `Scored`
    confirmed  do the scores there, too, stay above the floors of the whole circuit's?
    """

    circuit: Circuit
    neurons: tuple
    synapses: tuple[tuple, ...]
    chosen_on: int
    score: float
    low: float
    high: float
    confirmed: bool
    worst: Worst | None = None


def smallest(task: Task, circuit: Circuit, draw: Callable[[int], Trials], confirming: Trials) -> Smallest | None:
    """The core of a circuit by backward elimination: of the neurons and synapses that are left, as many of the least harmful
    ones go at once as the score allows, over and over until none can go. The same circuit and trials give the same core.

    draw   makes so many trials to choose on
    Neurons that an output port reads stay. None: the floor of the circuit's score is chance, there is nothing to keep.
    Nobody knows how to find the smallest part of all but by trying out every one; from this one nothing can be removed alone.
    """
    for more in MORE:
        choosing = draw(more * len(confirming))
        removed = _eliminated(task, circuit, choosing)
        if removed is None:
            return None
        smaller, neurons, synapses = _left(circuit, removed)
        found = scored(task, smaller, confirming)
        confirmed = _as_good(found, Floor.of(task, confirming, circuit))
        if confirmed:
            break
    ends = found["score"], found["low"], found["high"]
    return Smallest(smaller, neurons, synapses, len(choosing), *ends, confirmed, found.get("worst"))


def _as_good(found: Scored, floor: Floor):
    return found["score"] >= floor.score and ("worst" not in found or found["worst"]["score"] >= floor.worst)


def _eliminated(task, circuit, trials):
    """The parts that go, in order: numbers of neurons, and of synapses after them. None where there is no score to keep."""
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

    def tried(there):
        """Scores of versions with these parts, bool [V, parts]; graded ones where those are equal; and which are as good."""
        versions = Variants.of(circuit, len(there))._replace(present=there[:, :count], kept=there[:, count:])
        found = [(s.value, climbed(s, trials), floor.kept(task, trials, s)) for s in judged(task, trials, circuit, versions)]
        return map(np.concatenate, zip(*found, strict=True))

    def less(there, part):
        return there & ~(touches[part] if part < count else np.arange(len(there)) == part)

    there, removed = np.ones(len(may_go), bool), []
    while True:
        parts = np.flatnonzero(there & may_go)
        if not len(parts):
            return removed
        value, smooth_score, as_good = tried(np.stack([less(there, part) for part in parts]))
        harmless = [k for k in np.lexsort((-smooth_score, -value)) if as_good[k]]
        if not harmless:
            return removed
        so_far = []
        for k in harmless:
            so_far.append(less(so_far[-1] if so_far else there, parts[k]))
        *_, as_good = tried(np.stack(so_far))
        still = np.flatnonzero(as_good)
        if not len(still):  # the first was
            raise UserError(f"task {task.title()}: the score of the same circuit is another one the second time; use only rng")
        together = int(still.max())
        there = so_far[together]
        removed += [int(parts[k]) for k in harmless[: together + 1]]


def _left(circuit, removed):
    """The circuit without these parts; ids of the neurons removed, and the ends of the synapses removed between others."""
    count = len(circuit.neurons)
    neurons = tuple(circuit.neurons[k].id for k in removed if k < count)
    ends = [(c.name, s.post) for c in circuit.inputs for s in c.synapses]
    inputs = len(ends)
    ends += [(s.pre, s.post) for s in circuit.synapses]
    synapses = [k - count for k in removed if k >= count]
    named = [k for k in synapses if ends[k][1] not in neurons and (k < inputs or ends[k][0] not in neurons)]
    return without(circuit, neurons, synapses), neurons, tuple(ends[k] for k in named)


class Core(TypedDict):
    """The core: what is left when part after part is removed as long as the score, and that in the worst condition, stay above
    the floors of the whole circuit's (`Floor`). No neuron or synapse of it can be removed alone.

    motif           a motif file, its provenance naming the parent
    score, low, high, trials, worst   of the core, see `Scored`, on trials that had no part in choosing it (held-out ones)
    confirmed       are these scores, too, above the floors of the whole circuit's on the same trials?
    removed         parts as in `Lesion.part`, neurons first, in the order in which they went; synapses of a removed neuron are
                    not named again
    """

    motif: dict[str, Any]
    score: float
    low: float
    high: float
    trials: int
    worst: NotRequired[Worst]
    confirmed: bool
    removed: list[str]


def core_of(task: Task, motif: Motif, held_out: Trials, draw: Callable[[int], Trials], name: str | None = None) -> Core | None:
    """The part `core` of an analysis."""
    found = smallest(task, motif.circuit, draw, held_out)
    if found is None:
        return None
    worst_score = {} if found.worst is None else {"worst": found.worst["score"]}
    smaller = Motif.of(
        found.circuit,
        **motif.provenance.model_dump(exclude={"scores", "parent"}),
        scores={"held_out": found.score, "low": found.low, "high": found.high, **worst_score},
        parent=Parent(sha256=digest(motif), name=name),
    )
    core: Core = {
        "motif": json.loads(dumps(smaller)),
        "score": found.score,
        "low": found.low,
        "high": found.high,
        "trials": len(held_out),
        "confirmed": found.confirmed,
        "removed": [*map(str, found.neurons), *(f"{source}>{target}" for source, target in found.synapses)],
    }
    if found.worst is not None:
        core["worst"] = found.worst
    return core
