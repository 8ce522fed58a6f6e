"""A second simulator to check the first against: plain Python floats, lists and loops, no code shared with the kernel.

It follows the timing rule literally, in absolute potentials, and pushes spikes forward in time where the kernel pulls them.
"""

from collections import defaultdict
from math import exp, expm1, log

import numpy as np

from circuits import Circuit


def simulate_trial(circuit, inputs):
    """The spikes of one trial; inputs[k][channel] is true for an input spike stamped (k + 1) dt.

    Returns per neuron the ascending stamps of its spikes in whole steps (a spike of step k is stamped k + 1).
    """
    dt = circuit.dt_ms
    place = {neuron.id: n for n, neuron in enumerate(circuit.neurons)}
    outgoing = defaultdict(list)
    for synapse in circuit.synapses:
        outgoing[place[synapse.pre]].append((place[synapse.post], synapse.weight_mv, round(synapse.delay_ms / dt)))
    excitation, inhibition = defaultdict(float), defaultdict(float)  # (step, neuron) -> mV that arrives in it
    for k, row in enumerate(inputs):
        for channel, spike in zip(circuit.inputs, row, strict=True):
            for synapse in channel.synapses if spike else ():
                excitation[k + 1 + round(synapse.delay_ms / dt) - 1, place[synapse.post]] += synapse.weight_mv

    constants = [_constants(neuron, dt) for neuron in circuit.neurons]
    v = [neuron.v_rest_mv for neuron in circuit.neurons]
    i_e, i_i, counter = [0.0] * len(v), [0.0] * len(v), [0] * len(v)
    stamps = [[] for _ in v]
    for k in range(len(inputs)):
        for n, neuron in enumerate(circuit.neurons):
            p22, p11_e, p11_i, p21_e, p21_i, p20, n_ref = constants[n]
            if counter[n] == 0:
                v[n] = (
                    neuron.v_rest_mv + p22 * (v[n] - neuron.v_rest_mv) + p21_e * i_e[n] + p21_i * i_i[n] + p20 * neuron.bias_mv
                )
            else:
                counter[n] -= 1
            i_e[n] = i_e[n] * p11_e + excitation.get((k, n), 0.0)
            i_i[n] = i_i[n] * p11_i - inhibition.get((k, n), 0.0)
            if v[n] >= neuron.v_th_mv:
                stamp = k + 1
                stamps[n].append(stamp)
                v[n] = neuron.v_reset_mv
                counter[n] = n_ref
                arriving = excitation if neuron.sign == "E" else inhibition
                for post, weight, delay in outgoing[n]:
                    arriving[stamp + delay - 1, post] += weight
    return stamps


def simulate(circuit, spikes):
    """The rasters of all trials: bool [trials, steps, channels] -> bool [trials, steps, neurons]."""
    found = np.zeros((*spikes.shape[:2], len(circuit.neurons)), bool)
    for trial, inputs in enumerate(spikes.tolist()):
        for n, stamps in enumerate(simulate_trial(circuit, inputs)):
            found[trial, [stamp - 1 for stamp in stamps], n] = True
    return found


def _constants(neuron, dt):
    tau_m, tau_e, tau_i = neuron.tau_m_ms, neuron.tau_syn_e_ms, neuron.tau_syn_i_ms
    p21 = [_current_to_potential(dt, tau_m, tau_syn) for tau_syn in (tau_e, tau_i)]
    return exp(-dt / tau_m), exp(-dt / tau_e), exp(-dt / tau_i), *p21, -expm1(-dt / tau_m), round(neuron.t_ref_ms / dt)


def _current_to_potential(dt, tau_m, tau_syn):
    a = 1 / tau_syn - 1 / tau_m
    return exp(-dt / tau_m) / tau_m * (-expm1(-a * dt) / a if a else dt)


def random_circuit(rng, neurons=None, dt_ms=None, multapses=True):
    """A valid circuit with everything a circuit may have, its weights such that it fires on `random_input`.

    Autapses, delays of 1 to 50 steps, n_ref of 0, 1 or 20 steps, tau_m = tau_syn in a fifth of the cases, some neurons that
    their bias alone makes fire. `neurons` (1 to 24) and `dt_ms` (1, 0.1 or 0.05) are drawn unless given.
    """
    count = int(rng.integers(1, 25)) if neurons is None else neurons
    dt = float(rng.choice([1.0, 0.1, 0.05])) if dt_ms is None else dt_ms
    ids = [n if rng.random() < 0.5 else f"n{n}" for n in range(count)]
    cells = [_random_neuron(rng, name, dt) for name in ids]

    def synapse(pre, post, share):
        tau_syn = post["tau_syn_e_ms"] if pre is None or pre["sign"] == "E" else post["tau_syn_i_ms"]
        depth = post["v_th_mv"] - post["v_rest_mv"]
        weight = share * depth / _peak(post["tau_m_ms"], tau_syn, dt)
        ends = {"post": post["id"]} if pre is None else {"pre": pre["id"], "post": post["id"]}
        return ends | {"weight_mv": weight, "delay_ms": int(rng.integers(1, 51)) * dt}

    inputs = [
        {"name": f"in{c}", "synapses": [synapse(None, post, rng.uniform(0.3, 1.3)) for post in cells if rng.random() < 0.6]}
        for c in range(rng.integers(1, 5))
    ]
    pairs = [(pre, post) for pre in cells for post in cells if rng.random() < min(1.0, 5 / count)]
    if multapses:
        pairs += [pairs[k] for k in rng.integers(len(pairs), size=3)] if pairs else []
    synapses = [synapse(pre, post, rng.uniform(0.05, 0.4)) for pre, post in pairs]
    excitatory = [cell["id"] for cell in cells if cell["sign"] == "E"]
    outputs = [{"name": "out", "neurons": rng.permutation(np.array(excitatory, object)).tolist()}] if excitatory else []
    return Circuit(dt_ms=dt, neurons=cells, inputs=inputs, synapses=synapses, outputs=outputs)


def random_input(rng, circuit, trials, steps):
    """Poisson input, about 8 spikes per channel and trial: bool [trials, steps, channels]."""
    return rng.random((trials, steps, len(circuit.inputs))) < 8 / steps


def _random_neuron(rng, name, dt):
    tau_m = rng.uniform(5, 20)
    tau_e, tau_i = (tau_m if rng.random() < 0.2 else rng.uniform(1, 12) for _ in range(2))
    rest = rng.uniform(-75, -60)
    depth = rng.uniform(5, 20)
    return {
        "id": name,
        "sign": "E" if rng.random() < 0.7 else "I",
        "type": str(rng.choice(["", "basket", "pyramidal"])),
        "tau_m_ms": tau_m,
        "tau_syn_e_ms": tau_e,
        "tau_syn_i_ms": tau_i,
        "v_rest_mv": rest,
        "v_th_mv": rest + depth,
        "v_reset_mv": rest + rng.uniform(-5, 0.8 * depth),
        "t_ref_ms": int(rng.choice([0, 1, 20])) * dt,
        "bias_mv": depth * rng.uniform(1.1, 2) if rng.random() < 0.15 else depth * rng.uniform(-0.3, 0.5),
    }


def _peak(tau_m, tau_syn, dt):
    """The peak of the postsynaptic potential per mV of weight, or what of it is reached in 100 steps."""
    if tau_m == tau_syn:
        at = min(tau_m, 100 * dt)
        return at / tau_m * exp(-at / tau_m)
    at = min(log(tau_m / tau_syn) * tau_m * tau_syn / (tau_m - tau_syn), 100 * dt)
    return tau_syn / (tau_m - tau_syn) * (exp(-at / tau_m) - exp(-at / tau_syn))
