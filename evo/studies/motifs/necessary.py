"""Necessity of motifs: the loss of score by cutting a connection of a motif, beside others of the same kind."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

from circuits.circuit import Circuit
from circuits.graph.named_motifs import NAMED, occurrences
from evo.storage.task_code import BeforeCode, checked_task
from evo.studies.motifs import Winner
from fitness.analysis import trials_for, whole
from fitness.analysis.lesions import cuts, lesion_scores

DRAWS = 20_000


class Cuts(NamedTuple):
    """The connections of a circuit, each cut by itself.

    connections  (source, target): each end ("input", name) or ("neuron", id), as in `occurrences`
    kinds        of each, its source and its target: "in>E", "in>I", "E>E", "E>I", "I>E" or "I>I"
    losses       of score by each cut, float64
    """

    circuit: Circuit
    connections: list[tuple]
    kinds: list[str]
    losses: np.ndarray


class Necessity(NamedTuple):
    """Necessity of a motif.

    name     of the motif
    loss     mean loss of score when one of its connections is cut
    others   that for other connections of the same kinds in the same circuits
    circuits number of circuits that have both, alone compared
    p        the probability of such a difference or a greater one, were it indifferent which connections the motif has
    corrected  p for the number of motifs tested (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995)
    """

    name: str
    loss: float
    others: float
    circuits: int
    p: float
    corrected: float


def necessity(winners: Sequence[Winner], seed: int = 1, before_code: BeforeCode | None = None) -> list[Necessity]:
    """The named motifs of the winners of runs of tasks, by p; those that cannot be compared in any circuit are left out. The
    code of a run's own task is executed if it is unchanged; `before_code` is called before that, with the spec and the folder.
    Raises UserError for runs whose circuits are judged otherwise."""
    return compared([cut_singly(winner, before_code) for winner in winners], seed)


def cut_singly(winner: Winner, before_code: BeforeCode | None = None) -> Cuts:
    """The losses of a run's winner on held-out trials. Raises UserError."""
    run, circuit = winner.run, winner.simplest.circuit
    task = checked_task(run.spec, run.folder, "nothing is cut", before_code)
    trials = trials_for(task, run.spec.search.seed, run.spec.search.held_out)[0]
    single = [cut for cut in cuts(circuit) if cut.kind in ("synapse", "input")]
    sign = {neuron.id: neuron.sign for neuron in circuit.neurons}
    connections, kinds = [], []
    for cut in single:
        source, target = cut.connections[0]
        connections.append((("input" if cut.kind == "input" else "neuron", source), ("neuron", target)))
        kinds.append(f"{'in' if cut.kind == 'input' else sign[source]}>{sign[target]}")
    after = lesion_scores(task, trials, circuit, single) if single else np.empty(0)
    return Cuts(circuit, connections, kinds, whole(task, circuit, trials)["score"] - after)


def compared(circuits: Sequence[Cuts], seed: int = 1) -> list[Necessity]:
    """The necessity of the motifs of these circuits.

    A permutation test, stratified by circuit and kind of connection: which connections of a kind a circuit's motif has is drawn
    anew, and the mean loss of those of the motif is ranked among the means drawn.
    """
    uses = [occurrences(one.circuit) for one in circuits]
    rows = []
    for motif in NAMED:
        rng, strata, having = np.random.default_rng(seed), [], 0
        for one, of_motif in zip(circuits, uses, strict=True):
            used = frozenset().union(*of_motif.get(motif, ()))
            mine = [_stratum(one, kind, used) for kind in sorted(set(one.kinds))]
            mine = [(losses, in_motif) for losses, in_motif in mine if in_motif.any() and not in_motif.all()]
            having += bool(mine)
            strata += mine
        if strata:
            rows.append((motif.name, having, *_test(strata, rng)))
    corrected = false_discovery_control([p for *_, p in rows]) if rows else []
    found = [
        Necessity(name, loss, others, having, p, float(fair))
        for (name, having, loss, others, p), fair in zip(rows, corrected, strict=True)
    ]
    return sorted(found, key=lambda row: (row.p, -row.loss, row.name))


def _stratum(one, kind, used):
    """The losses of the connections of a kind in a circuit, and whether each is one of the motif's."""
    of_kind = [k for k, other in enumerate(one.kinds) if other == kind]
    return one.losses[of_kind], np.array([one.connections[k] in used for k in of_kind])


def _test(strata, rng):
    """The mean loss of connections of the motif, that of others of the same kinds, and p. Others count as often as there are
    connections of the motif in their stratum."""
    number = sum(in_motif.sum() for _, in_motif in strata)
    loss = sum(losses[in_motif].sum() for losses, in_motif in strata) / number
    others = sum(losses[~in_motif].mean() * in_motif.sum() for losses, in_motif in strata) / number
    drawn = np.zeros(DRAWS)
    for losses, in_motif in strata:
        order = np.argsort(rng.random((DRAWS, len(losses))), axis=1)[:, : in_motif.sum()]
        drawn += losses[order].sum(axis=1)
    p = (1 + (drawn >= loss * number - 1e-9).sum()) / (DRAWS + 1)
    return float(loss), float(others), float(p)
