"""The networks of bench_parts: copies of parts, and dense layers, each with as many parameters."""

import math
from collections.abc import Callable

import numpy as np

import circuits
from circuits import Circuit
from circuits.torch import dense_layer
from evo.genome import to_circuit, variation
from evo.spec.run_spec import read_alone
from fitness.learning.essential import essential
from fitness.learning.network import SLOPE, SURROGATE, Network, Sizes, assembled
from fitness.learning.settings import Learning
from tests.bench import parts_rivals as rivals
from tests.bench.assembly_motifs import SINGLE, exchange

LEARNED, TASK, REWIRED, RANDOM, NEURON, DALE, ANY, CUT, LOOP, PARITY, SHUFFLED = ARMS = (
    "evolved for learning",
    "evolved for the task",
    "rewired",
    "random",
    "single neuron",
    "dense, Dale's law",
    "dense, any sign",
    "evolved for learning, uncoupled",
    "single neuron, self-exciting",
    "evolved to learn parity",
    "evolved to learn parity, rewired",
)
LSNN, SNNTORCH, GRU = RIVALS = ("adaptive LIF", "snnTorch", "GRU")


def network_of(arm: str, settings: Learning, sizes: Sizes, learned: Callable[[], Circuit], spec, seed: int) -> Network:
    """The network of an arm; its first weights are drawn by torch's generator.

    learned  gives the circuit that was evolved for learning;   spec  the file by which it was
    """
    if arm in (DALE, ANY):
        return dense(settings, sizes, arm == DALE, seed)
    if arm == GRU:
        return rivals.gru(settings, sizes)
    if arm in RIVALS:
        return rivals.cells(rivals.AdaptiveLif if arm == LSNN else rivals.SnnTorch, settings, sizes)
    part = {
        LEARNED: learned,
        TASK: lambda: circuits.zoo["toggle-2"].circuit,
        REWIRED: lambda: rewired(learned(), np.random.default_rng((seed, 0))),
        RANDOM: lambda: random(learned(), spec, np.random.default_rng((seed, 1))),
        NEURON: lambda: SINGLE.circuit,
        CUT: lambda: uncoupled(learned()),
        LOOP: self_exciting,
        PARITY: lambda: circuits.zoo["parity-3"].circuit,
        SHUFFLED: lambda: rewired(circuits.zoo["parity-3"].circuit, np.random.default_rng((seed, 0))),
    }[arm]()
    return assembled(essential(part) or part, settings, sizes)


def uncoupled(circuit: Circuit) -> Circuit:
    """The circuit without the synapses between its neurons; those that no input reaches are left out by `essential`."""
    return Circuit(**circuit.model_dump() | {"synapses": []})


def self_exciting() -> Circuit:
    """The single neuron with a synapse onto itself, strong enough that a few spikes in a row go on for ever."""
    data = SINGLE.circuit.model_dump()
    return Circuit(**data | {"synapses": [{"pre": "E0", "post": "E0", "weight_mv": 60.0, "delay_ms": 5.0}]})


def rewired(circuit: Circuit, rng: np.random.Generator) -> Circuit:
    """The circuit with the same in- and out-degrees: targets are exchanged between synapses of the same kind until chance has
    mixed them, and then weights with their delays are shuffled within sign."""
    data = circuit.model_dump()
    sign = {neuron["id"]: neuron["sign"] for neuron in data["neurons"]}
    heard = [synapse | {"pre": k} for k, channel in enumerate(data["inputs"]) for synapse in channel["synapses"]]
    kinds = [heard, *([s for s in data["synapses"] if sign[s["pre"]] == one] for one in "EI")]
    for synapses in (heard, data["synapses"]):
        exchange(synapses, rng)
    for synapses in kinds:
        order = rng.permutation(len(synapses))
        drawn = [(synapses[k]["weight_mv"], synapses[k]["delay_ms"]) for k in order]
        for synapse, (weight, delay) in zip(synapses, drawn, strict=True):
            synapse["weight_mv"], synapse["delay_ms"] = weight, delay
    for k, channel in enumerate(data["inputs"]):
        channel["synapses"] = [{key: v for key, v in s.items() if key != "pre"} for s in heard if s["pre"] == k]
    return Circuit(**data)


def random(like: Circuit, spec, rng: np.random.Generator) -> Circuit:
    """A circuit as the search begins with, of as many excitatory and inhibitory neurons as `like`; of those the one whose
    number of synapses is nearest."""
    resolved = read_alone(spec)
    interface = resolved.make_judge().interface
    form = resolved.encoding(interface)
    genomes = variation.founders(form.bounds, 400, rng)
    made = [c for c in map(_decoder(form, interface), genomes) if _signs(c) == _signs(like) and essential(c) is not None]
    return min(made, key=lambda c: abs(c.synapse_count - like.synapse_count))


def _decoder(form, interface):
    return lambda genome: to_circuit(genome, form, interface.inputs, interface.outputs)


def _signs(circuit):
    return sorted(neuron.sign for neuron in circuit.neurons)


def dense(settings: Learning, sizes: Sizes, dale: bool, seed: int) -> Network:
    """Every neuron connected with every other, as many as the parameters allow."""
    lines, told = settings.features or sizes.channels, sizes.heads * sizes.classes
    each, left = lines + 1 + told, settings.parameters - sizes.channels * settings.features - told
    neurons = int((math.sqrt(each**2 + 4 * left) - each) / 2)
    parameters = {"tau_m_ms": (5.0, 20.0), "tau_syn_e_ms": 5.0, "tau_syn_i_ms": 5.0, "t_ref_ms": 2.0}
    options = {"trainable": tuple(settings.trainable), "surrogate": SURROGATE, "slope": SLOPE, "projection": "signed"}
    options |= {"dampening": settings.dampening, "clip": settings.clip, "credit": settings.credit}
    layer = dense_layer(neurons, lines, dale=dale, parameters=parameters, dt_ms=sizes.dt_ms, seed=seed, **options)
    return Network([layer], sizes, settings.features, settings.readout_ms)
