"""What a closed loop costs: python -m tests.bench.bench_closed_loop

The same circuits, `simulate_population` on 64 trials, with their inputs given and in a closed loop, one core.
"""

import numpy as np

from circuits import Circuit
from circuits.simulation.environments import TwoEars
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.simulate import simulate
from tests.bench.bench_kernel import COPIES, copies
from tests.bench.report import fastest, figure

TRIALS, STEPS = 64, 500
NEURONS = (8, 16, 32)


def main():
    for neurons in NEURONS:
        compare(neurons)


def compare(neurons, real=np.float32):
    """The circuit hears the same in both: what its environment let it hear."""
    circuit, environment = walker(neurons), environment_of(np.random.default_rng(1))
    silence = np.zeros((TRIALS, STEPS, 2), bool)
    heard = simulate(circuit, silence, dtype=real, environment=environment).stimulus.bits[:, None].reshape(1, STEPS, 2)
    tables = copies(from_circuit(circuit, real), COPIES)

    def population(environment):
        return lambda: simulate_population(tables, heard, TRIALS, threads=1, environment=environment)

    given, closed = fastest(population(None), population(environment))
    rate = neurons * TRIALS * STEPS * COPIES / closed
    figure(f"closed loop, {neurons} neurons, 64 trials", rate, "updates/s", "open loop", given / closed)


def walker(neurons, seed=0) -> Circuit:
    """A random circuit of so many neurons, 4 synapses onto each and 2 from the ears, its first two the motors."""
    rng = np.random.default_rng(seed)
    cells = [
        {"id": n, "sign": "E" if n < 0.75 * neurons else "I", "tau_m_ms": float(rng.uniform(5, 20))} for n in range(neurons)
    ]
    ears = [{"name": ear, "synapses": [_synapse(rng, post, 20.0) for post in range(neurons)]} for ear in ("left", "right")]
    pairs = [(int(pre), post) for post in range(neurons) for pre in rng.choice(neurons, 4, replace=False)]
    synapses = [{"pre": pre} | _synapse(rng, post, 8.0) for pre, post in pairs]
    motors = [{"name": f"motor{n}", "neurons": [n]} for n in range(2)]
    return Circuit(dt_ms=1.0, neurons=cells, inputs=ears, synapses=synapses, outputs=motors)


def _synapse(rng, post, weight):
    return {"post": post, "weight_mv": float(rng.uniform(0.5, 1.5) * weight), "delay_ms": float(rng.integers(1, 11))}


def environment_of(rng, trials=TRIALS) -> TwoEars:
    place, heading = rng.uniform(0, 2 * np.pi, (2, trials))
    start = np.stack([np.cos(place), np.sin(place), np.cos(heading), np.sin(heading)], axis=-1)
    return TwoEars.of(start, 3, turn_deg=10, stride=0.004, reach=0.1, loud=0.2, near=1.0, contrast=0.5, hum=0.005)


if __name__ == "__main__":
    main()
