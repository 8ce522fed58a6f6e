"""What each neuron model, plastic synapses, noise and float64 cost beside plain LIF: python -m tests.bench.bench_models

The yardstick's default circuit with its neurons or synapses exchanged, `simulate_population` on copies of it, one core. Spike
rates differ between the models, and hardly matter: the cost of a step does not depend on the spikes in it.
"""

import numpy as np

from circuits import Circuit
from circuits.neurons import LIF_PSC_EXP, MODELS
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.synapses import MODELS as SYNAPSES
from tests.bench.bench_kernel import COPIES, copies
from tests.bench.report import fastest, figure
from tests.bench.yardstick import Job
from tests.bench.yardstick_job import circuit_of, inputs_of


def main():
    job = Job()
    base = circuit_of(job)
    cases = {name: (with_neurons(base, name), np.float32) for name in MODELS}
    cases |= {f"{name} synapses": (with_synapses(base, name), np.float32) for name in SYNAPSES}
    cases["membrane noise"] = (base.model_copy(update={"noise_mv": 0.1}), np.float32)
    cases["float64"] = (base, np.float64)
    calls = [population(circuit, real, inputs_of(job)) for circuit, real in cases.values()]
    seconds = dict(zip(cases, fastest(*calls), strict=True))
    for name, taken in seconds.items():
        rate = job.updates * COPIES / taken
        figure(f"{name}, 16 neurons, 64 trials", rate, "updates/s", LIF_PSC_EXP.name, seconds[LIF_PSC_EXP.name] / taken)


def population(circuit, real, inputs):
    tables = copies(from_circuit(circuit, real), COPIES)
    return lambda: simulate_population(tables, inputs, 64, threads=1)


def with_neurons(circuit, name) -> Circuit:
    """The circuit with neurons of another model and its default parameters; weights made to matter to them."""
    data = circuit.model_dump() | {"neuron_model": name}
    data["neurons"] = [{"id": n.id, "sign": n.sign, "t_ref_ms": 2.0} for n in circuit.neurons]
    for synapse in (*data["synapses"], *(s for channel in data["inputs"] for s in channel["synapses"])):
        synapse["weight_mv"] *= 15
    return circuit if name == LIF_PSC_EXP.name else Circuit(**data)


def with_synapses(circuit, name) -> Circuit:
    """The circuit with plastic synapses between its neurons."""
    data = circuit.model_dump()
    data["synapses"] = [synapse | {name: {}} for synapse in data["synapses"]]
    return Circuit(**data)


if __name__ == "__main__":
    main()
