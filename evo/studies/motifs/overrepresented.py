"""Motifs that occur in circuits more often than by chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from circuits.graph.named_motifs import NAMED, OCCURRENCES, named
from circuits.graph.subgraphs import SUBGRAPHS, Subgraph, census
from circuits.graph.wiring import Wiring
from evo.studies.motifs.chance import Chance, chance
from evo.studies.motifs.neutral import Peers


class Finding(NamedTuple):
    """The frequency of a motif in circuits, and by chance.

    drawn    the motif as a subgraph
    mean     its mean number in a circuit;   share  the share of circuits that have it
    of_size  chance in circuits of the same size
    drifted  chance in circuits of the same age, which also reflects the sizes that drift produces
    """

    name: str
    pattern: str
    drawn: Subgraph
    mean: float
    share: float
    of_size: Chance
    drifted: Chance


def overrepresented(circuits: Wiring, peers: Sequence[Peers], seed: int = 1) -> tuple[list[Finding], list[Finding]]:
    """Findings about the named motifs, and about all connected subgraphs of up to three neurons, by p, without those that
    neither the circuits nor their peers have. p-values are corrected within each of the two lists."""
    subgraphs = census(circuits)
    large, old = [census(p.as_large) for p in peers], [census(p.as_old) for p in peers]

    def findings(motifs, weights):
        rng = np.random.default_rng(seed)
        counts = subgraphs @ weights
        of_size, drifted = (chance(counts, [c @ weights for c in censuses], rng) for censuses in (large, old))
        facts = zip(motifs, counts.mean(0), (counts > 0).mean(0), of_size, drifted, strict=True)
        tested = [Finding(*motif, float(mean), float(share), *chances) for motif, mean, share, *chances in facts]
        present = [f for f in tested if not (np.isnan(f.drifted.p) and np.isnan(f.of_size.p))]
        return sorted(present, key=lambda f: (np.nan_to_num(f.of_size.p, nan=1), -f.mean, f.pattern))

    by_name = [(motif.name, motif.pattern, motif.drawn) for motif in NAMED]
    all_subgraphs = [(" + ".join(m.name for m in named(s)), s.text, s) for s in SUBGRAPHS]
    return findings(by_name, OCCURRENCES), findings(all_subgraphs, np.eye(len(SUBGRAPHS), dtype=int))
