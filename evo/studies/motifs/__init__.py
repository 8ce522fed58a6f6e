"""Common results of many runs: wirings that recur, and motifs that are more frequent than by chance.

Each run is one independent sample: the circuit with the fewest synapses among those that score as well as its best. Chance is
the drift of genomes under the run's own operators without selection.
"""

import json
from collections.abc import Sequence
from shlex import quote
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.graph.canonical import CanonicalForm, canonical_form
from circuits.graph.wiring import Wiring, live
from evo.algorithms import RandomSearch, WeightsOnly
from evo.storage.front import Member
from evo.storage.run_folder import Run
from evo.studies.motifs.neutral import Operators, Peers, peers
from evo.studies.motifs.overrepresented import Finding, overrepresented


class Winner(NamedTuple):
    """The winner of a run.

    equals    the circuits of the front whose held-out score is within the 95 % confidence interval of the best one's
    simplest  the one with the fewest synapses among them
    """

    run: Run
    equals: list[Member]
    simplest: Member

    @classmethod
    def of(cls, run: Run) -> "Winner":
        if not run.front:
            raise UserError(f"{run.folder}: no circuit is stored yet; go on with it by evo resume {quote(str(run.folder))}")
        equals = [m for m in run.front if m.rank == 0 or m.held_out >= run.front[0].low]
        return cls(run, equals, min(equals, key=lambda m: (m.circuit.synapse_count, len(m.circuit.neurons), m.rank)))


class Recurring(NamedTuple):
    """A wiring, by its canonical form: the runs that have it among their equals, and its best-scoring example.

    circuit  that example, without the neurons from which no output is reached, if the task is known to read only outputs
    """

    form: CanonicalForm
    runs: list[Run]
    run: Run
    member: Member
    circuit: Circuit


class Motifs(NamedTuple):
    """Results of `motifs`.

    recurring   all wirings among the winners' equals, those of most runs first
    named       the motifs that have names;   subgraphs  all connected ones of up to three neurons: see `overrepresented`
    exact       the share of the neutral genomes compared by size that have exactly a winner's size, the others the nearest
    """

    winners: list[Winner]
    recurring: list[Recurring]
    named: list[Finding]
    subgraphs: list[Finding]
    exact: float


def motifs(runs: Sequence[Run], seed: int = 1) -> Motifs:
    """Compare the winners of runs, which may have different tasks and specs, with each other and with chance: the drift under
    each one's own spec. The same runs and seed give the same numbers.

    Raises UserError for a run without circuits, and for the same search given twice.
    """
    folders: dict[str, object] = {}
    for run in runs:
        if run.spec.roles:
            raise UserError(f"{run.folder}: has assemblies; export their motifs by evo export --role, and compare those")
        if run.spec_sha256 in folders:
            raise UserError(f"{run.folder}: the same search as {folders[run.spec_sha256]}; give runs that differ in their seed")
        folders[run.spec_sha256] = run.folder
    winners = [Winner.of(run) for run in runs]
    wiring = Wiring.of([w.simplest.circuit for w in winners])
    compared = _peers(winners, wiring.size, np.random.default_rng(seed))
    named, subgraphs = overrepresented(wiring, compared, seed)
    return Motifs(winners, recurring(winners), named, subgraphs, float(np.mean([p.exact for p in compared])))


def same_interface(winners: Sequence[Winner]) -> bool:
    """Do all runs have the same names of input channels and output ports?"""
    return len({(w.run.interface.inputs, w.run.interface.outputs) for w in winners}) == 1


def recurring(winners: Sequence[Winner]) -> list[Recurring]:
    """All wirings among the winners' equals, those of most runs first."""
    names = same_interface(winners)
    examples: dict[CanonicalForm, list[tuple[Run, Member, Circuit]]] = {}
    for run, equals, _ in winners:
        read = run.spec.judge_class.neurons_read(run.spec.task)
        for member in equals:
            circuit = live(member.circuit) if read == "outputs" else member.circuit
            examples.setdefault(canonical_form(circuit, names), []).append((run, member, circuit))
    rows = []
    for form, members in examples.items():
        best = max(members, key=lambda example: (example[1].held_out, -example[1].rank))
        rows.append(Recurring(form, list({id(run): run for run, _, _ in members}.values()), *best))
    return sorted(rows, key=lambda row: (-len(row.runs), -row.member.held_out, row.form))


def _peers(winners, sizes, rng) -> list[Peers]:
    """The peers of each winner; winners of specs with the same operators share one drift."""
    groups: dict[str, list[int]] = {}
    for k, (run, _, _) in enumerate(winners):
        search = run.spec.search
        key = run.spec.circuit.model_dump(mode="json"), search.crossover, search.mutation, search.duplication, run.interface
        groups.setdefault(json.dumps(key), []).append(k)
    peers_of: dict[int, Peers] = {}
    for members in groups.values():
        run = winners[members[0]].run
        search, bounds = run.spec.search, run.spec.encoding(run.interface).bounds
        operators = Operators(bounds, search.crossover, search.mutation, search.duplication)
        ages = [_drifted(winners[k]) for k in members]
        peers_of |= zip(members, peers(operators, sizes[members], ages, rng), strict=True)
    return [peers_of[k] for k in range(len(winners))]


def _drifted(winner):
    """The maximum number of generations that changed the winner's wiring: none under the controls."""
    controls = (RandomSearch.name, WeightsOnly.name)
    return 0 if winner.run.spec.search.algorithm in controls else winner.simplest.generation
