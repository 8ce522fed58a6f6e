"""Founders that the judge infers from its recording: `search.founders = ["inferred"]`, or "inferred:40" for so many rounds.

They are computed once, before a run begins, and kept in its folder as files like any others.
"""

import numpy as np

from circuits.errors import UserError
from circuits.motif_file import Motif, digest
from evo.genome.from_circuit import from_circuit
from evo.spec.founders import Founder, ranges, rounds_of
from evo.spec.run_spec import RunSpec
from fitness.judges import Judge


def inferred(spec: RunSpec, judge: Judge, others: list[Founder]) -> list[Founder]:
    """The founders that `spec` asks for by `inferred`, beside others, at most half a population of them; none if it asks for
    none. Raises UserError for a judge that cannot infer any."""
    rounds = next((found for found in map(rounds_of, spec.search.founders) if found is not None), None)
    if rounds is None:
        return []
    form = spec.form(judge.interface)
    found: list[Founder] = []
    known = {other.sha256 for other in others}
    for circuit in judge.inferred(ranges(form), rounds, np.random.default_rng(spec.search.seed)):
        motif = Motif.model_validate(dict(circuit))
        sha256 = digest(circuit)
        if sha256 in known:
            continue
        try:
            genome = from_circuit(circuit, form, judge.interface.inputs, judge.interface.outputs).genome
        except UserError:  # more neurons of a sign than excitatory_share allows
            continue
        known.add(sha256)
        found.append(Founder(f"inferred-{len(found) + 1}", sha256, motif, genome, []))
    return found[: max(spec.search.population // 2 - len(others), 1)]
