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
    """How often a motif is in circuits, and by chance.

    drawn   the motif as a subgraph
    mean    its number in a circuit;   share  of the circuits that have any
    of_size how chance does it in a circuit of this size;   drifted  and in one as old, which tells more about the sizes that
            drift makes, and depends on how long it lasts: each a `Chance` of single numbers
    """

    name: str
    pattern: str
    drawn: Subgraph
    mean: float
    share: float
    of_size: Chance
    drifted: Chance


def overrepresented(circuits: Wiring, peers: Sequence[Peers], seed: int = 1) -> tuple[list[Finding], list[Finding]]:
    """Findings about the motifs that have names, and about all connected subgraphs of up to three neurons; the surest first,
    without those that neither the circuits nor their peers have. p-values are corrected within each of the two lists."""
    subgraphs = census(circuits)
    large, old = [census(p.as_large) for p in peers], [census(p.as_old) for p in peers]

    def findings(motifs, weights):
        rng = np.random.default_rng(seed)
        counts = subgraphs @ weights
        of_size, drifted = (chance(counts, [c @ weights for c in each], rng) for each in (large, old))
        facts = zip(motifs, counts.mean(0), (counts > 0).mean(0), of_size, drifted, strict=True)
        found = [Finding(*motif, float(mean), float(share), *chances) for motif, mean, share, *chances in facts]
        there = [f for f in found if not (np.isnan(f.drifted.p) and np.isnan(f.of_size.p))]
        return sorted(there, key=lambda f: (np.nan_to_num(f.of_size.p, nan=1), -f.mean, f.pattern))

    by_name = [(motif.name, motif.pattern, motif.drawn) for motif in NAMED]
    every = [(" + ".join(m.name for m in named(s)), s.text, s) for s in SUBGRAPHS]
    return findings(by_name, OCCURRENCES), findings(every, np.eye(len(SUBGRAPHS), dtype=int))
