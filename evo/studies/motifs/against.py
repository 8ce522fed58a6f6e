"""Evolved circuits beside a measured connectome: small E/I motifs that are more frequent in each than its degrees explain.

Both are compared with graphs that keep every neuron's sign and degrees (`signed_graphs.rewired`), the evolved circuits as a
group. The rate of false positives is measured by testing graphs drawn from this null model.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.graph.wiring import Wiring
from circuits.imports import read
from circuits.motif_file import Motif
from evo.storage.run_folder import Run
from evo.studies.motifs import Winner
from evo.studies.motifs.signed_graphs import Signed, counts, rewired

NULLS, TESTED, NULLS_TESTED, LEVEL = 300, 20, 60, 0.05


class Excess(NamedTuple):
    """The number of a motif, and its mean number in graphs of the same degrees.

    ratio  of the number to the mean, NaN if both are 0
    p      of as many or more by chance, NaN if the degrees determine the number; corrected for the motifs tested (Benjamini and
           Hochberg, J. R. Stat. Soc. B 57, 1995)
    """

    number: int
    mean: float
    ratio: float
    p: float
    corrected: float


class Side(NamedTuple):
    """The evolved or the measured side: numbers of graphs, neurons (E, I) and connections, and the motifs as in `BETWEEN`.

    false_positives  the share of `tests` tests on graphs drawn from the null model with uncorrected p below `LEVEL`
    """

    graphs: int
    excitatory: int
    inhibitory: int
    connections: int
    motifs: list[Excess]
    false_positives: float
    tests: int


class Against(NamedTuple):
    """Evolved circuits, and the measured graph."""

    evolved: Side
    measured: Side


def circuit_of(subject: Run | Motif) -> Circuit:
    """The circuit of a motif, or the simplest winner of a run (see `motifs.Winner`)."""
    return subject.circuit if isinstance(subject, Motif) else Winner.of(subject).simplest.circuit


def against(evolved: Sequence[Circuit], graph, seed: int = 1) -> Against:
    """Compare circuits with a graph: an edge list, GraphML or any other motif.

    The same circuits, graph and seed give the same numbers. Raises UserError.
    """
    motif = read(Path(graph)).motif
    measured = Signed.of(Wiring.of([motif.circuit]))
    if not len(measured.edges):
        raise UserError(f"{graph}: has no connections between neurons")
    wiring = Wiring.of(evolved)
    rng = np.random.default_rng(seed)
    return Against(side([Signed.of(wiring, k) for k in range(len(evolved))], rng), side([measured], rng))


def side(graphs: Sequence[Signed], rng: np.random.Generator) -> Side:
    """A group of graphs against the null: counts are summed over the group."""
    motifs = excesses(graphs, NULLS, rng)
    null_tests = [excesses([rewired(graph, rng) for graph in graphs], NULLS_TESTED, rng) for _ in range(TESTED)]
    ps = np.array([excess.p for test in null_tests for excess in test])
    ps = ps[~np.isnan(ps)]
    signs = np.concatenate([graph.sign for graph in graphs])
    connections = sum(len(graph.edges) for graph in graphs)
    false_positives = float((ps < LEVEL).mean()) if len(ps) else float("nan")
    return Side(len(graphs), int((signs > 0).sum()), int((signs < 0).sum()), connections, motifs, false_positives, len(ps))


def excesses(graphs: Sequence[Signed], nulls: int, rng: np.random.Generator) -> list[Excess]:
    """Each motif of a group of graphs against `nulls` groups of rewired graphs: a one-sided permutation test."""
    total = np.sum([counts(graph) for graph in graphs], axis=0)
    drawn = np.array([np.sum([counts(rewired(graph, rng)) for graph in graphs], axis=0) for _ in range(nulls)])
    mean = drawn.mean(axis=0)
    free = (drawn != total).any(axis=0)
    p = np.where(free, (1 + (drawn >= total).sum(axis=0)) / (nulls + 1), np.nan)
    corrected = np.full(len(p), np.nan)
    if free.any():
        corrected[free] = false_discovery_control(p[free])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = total / mean
    return [Excess(int(n), *map(float, row)) for n, *row in zip(total, mean, ratio, p, corrected, strict=True)]
