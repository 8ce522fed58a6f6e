"""What inhibition is good for: the gate search with and without inhibitory neurons: python -m tests.bench.bench_inhibition

Held-out scores, 0 chance, 1 perfect; the rival is the same search, same seed, with excitatory neurons alone.
"""

from evo.engine.epochs import run_epoch
from evo.engine.problem import Problem
from evo.spec.resolve import resolve
from evo.spec.run_spec import RunSpec
from tests.bench.report import figure
from tests.bench.studies import steady

EXCITATORY_ONLY = (1.0, 1.0)
SEEDS = (1, 2, 3, 4, 5)


def main():
    spec = gate_spec(generations=150)
    ours, rivals = [], []
    for seed in SEEDS:
        ours.append(best_held_out(spec, seed))
        rivals.append(best_held_out(spec, seed, EXCITATORY_ONLY))
        figure(f"gate, held out, seed {seed}", ours[-1], "score", f"E only: {rivals[-1]:.3f}", ours[-1] / rivals[-1])
    mean = sum(ours) / len(SEEDS), sum(rivals) / len(SEEDS)
    figure("gate, held out, mean", mean[0], "score", f"E only: {mean[1]:.3f}", mean[0] / mean[1])


def gate_spec(generations: int) -> RunSpec:
    """The search of version 0.4 for gating circuits, cut to some generations."""
    return resolve(steady("gate"), generations=generations).spec


def best_held_out(spec: RunSpec, seed: int, excitatory_share=None) -> float:
    """The best held-out score of the archive after a search on one island of all the individuals, in this process."""
    size = spec.search.population * spec.search.islands
    update = {"seed": seed, "islands": 1, "population": size, "epoch": spec.search.generations}
    circuit = spec.circuit
    if excitatory_share is not None:
        circuit = circuit.model_copy(update={"excitatory_share": excitatory_share})
    search = spec.search.model_copy(update=update)
    setting = Problem.of(spec.model_copy(update={"search": search, "circuit": circuit}), None)
    return float(run_epoch(setting, 0, 0, None, None).archive["held_out"].max())


if __name__ == "__main__":
    main()
