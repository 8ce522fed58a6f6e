"""What must come out the same, bit for bit, on every processor and with every Python: python -m tests.reach.digests --check

Prints a digest of each part as JSON; digests.json holds those that are expected. `make test`, `make pythons` and `make arm`
compare with it. A change that is meant to change results writes it anew: python -m tests.reach.digests > digests.json
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import circuits
import evo
import fitness
from evo.algorithms import ALGORITHMS
from fitness.tasks import BUILT_IN

EXPECTED = Path(__file__).with_name("digests.json")
CLOSED_LOOP = ("phonotaxis",)  # its environment is a kernel of its own, which takes long to compile under emulation

SEARCH = """
[task]
name = "gate"
volleys = 1
[circuit]
neurons = [3, 6]
in_degree = 4
delay_ms = [0.5, 10.0]
[circuit.parameters]
tau_m_ms = [5.0, 30.0]
[search]
seed = 3
generations = 6
islands = 2
population = 12
epoch = 2
trials = 16
held_out = 16
"""


def stimuli():
    """The trials of every task."""
    for name in BUILT_IN:
        trials = fitness.task(name).trials((1, 0), 32)
        yield np.asarray(trials.spikes)
        yield np.asarray(trials.labels)


def references():
    """Spikes of every reference circuit on trials of its task."""
    for name in BUILT_IN:
        if name not in ("several", *CLOSED_LOOP):
            task = fitness.task(name)
            yield task.simulate(fitness.reference(name).circuit, task.trials((1, 0), 64), "float32").counts()


def zoo():
    """Spikes of the motifs of the zoo on random input, those without plastic synapses and noise."""
    for name in sorted(circuits.zoo):
        circuit = circuits.zoo[name].circuit
        if circuit.neuron_model == "lif_psc_exp" and not plastic(circuit) and not circuit.noise_mv:
            yield spikes_of(circuit)


def noisy():
    """Spikes of exponential neurons with membrane noise: exponential functions and random numbers of our own."""
    neurons = [{"id": name, "sign": sign} for name, sign in (("a", "E"), ("b", "I"))]
    inputs = [{"name": "in", "synapses": [{"post": "a", "weight_mv": 200, "delay_ms": 1}]}]
    between = [("a", "b", 200, 2), ("b", "a", 90, 1)]
    synapses = [{"pre": pre, "post": post, "weight_mv": mv, "delay_ms": ms} for pre, post, mv, ms in between]
    outputs = [{"name": "out", "neurons": ["a"]}]
    parts = {"neurons": neurons, "inputs": inputs, "synapses": synapses, "outputs": outputs}
    yield spikes_of(circuits.Circuit(dt_ms=0.5, neuron_model="aeif_psc_exp", noise_mv=3.0, **parts))


def search():
    """The archive of a short search."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "search.toml")
        spec.write_text(SEARCH)
        yield evo.run(spec, Path(folder, "run"), workers=0).archive_sha256.encode()


def algorithms():
    """The archives of short searches by every algorithm, and for some of the tasks, from the specs that ship: with populations
    that do not grow, as they were up to version 0.4."""
    few = {"population": 8, "generations": 4, "epoch": 2, "islands": 2, "trials": 16, "held_out": 16, "archive": 2}
    before = {
        "search.initial_population": "8",
        "search.mutation": "0.5",
        "search.duplication": "0",
        "search.objectives": '["score", "energy", "wiring"]',
    }
    changes = [{"search.algorithm": name} for name in ALGORITHMS] + [{"search.protect": "age"}]
    jobs = [("gate", change) for change in changes] + [(name, {}) for name in ("itd", "toggle", "xor")]
    jobs += [("itd", {"search.objectives": '["score", "size", "speed", "worst"]'})]
    with tempfile.TemporaryDirectory() as folder:
        for k, (name, change) in enumerate(jobs):
            run = evo.run(name, Path(folder, str(k)), workers=0, changes=before | change, **few)
            yield run.archive_sha256.encode()


def spikes_of(circuit):
    rng = np.random.default_rng(len(circuit.neurons))
    raster = circuits.simulate(circuit, rng.random((64, 200, len(circuit.inputs))) < 0.1, dtype="float32")
    assert raster.counts().any()
    return raster.spikes()


def plastic(circuit):
    synapses = [*circuit.synapses, *(synapse for channel in circuit.inputs for synapse in channel.synapses)]
    return any(synapse.short_term or synapse.stdp for synapse in synapses)


PARTS = (stimuli, references, zoo, noisy, search, algorithms)


def digest(part):
    found = hashlib.sha256()
    for piece in part():
        found.update(piece if isinstance(piece, bytes) else np.ascontiguousarray(piece).tobytes())
    return found.hexdigest()


def main():
    found = {part.__name__: digest(part) for part in PARTS}
    print(json.dumps(found, indent=1))
    return found


if __name__ == "__main__":
    expected = json.loads(EXPECTED.read_text()) if "--check" in sys.argv else None
    found = main()
    if expected is not None:
        differ = [name for name in expected if found.get(name) != expected[name]]
        sys.exit(f"another digest than in {EXPECTED.name}: {', '.join(differ)}" if differ else 0)
