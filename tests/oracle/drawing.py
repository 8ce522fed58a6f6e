"""Random circuits of every neuron model and with every kind of synapse, made from those of tests/reference.py."""

import numpy as np

from circuits import Circuit
from tests.reference import random_circuit, random_input


def asked(count, change, trials=4, steps=400, **options):
    """`count` random circuits, changed by change(rng, motif) in place, each with its input: list of (circuit, spikes)."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        motif = random_circuit(rng, **options).model_dump()
        change(rng, motif)
        circuit = Circuit.model_validate(motif)
        found.append((circuit, random_input(rng, circuit, trials, steps)))
    return found


def alif_psc_exp(rng, motif):
    """Adaptation by a current, of the threshold, both or neither; some currents decay as the membrane does."""
    motif["neuron_model"] = "alif_psc_exp"
    for neuron in motif["neurons"]:
        depth = neuron["v_th_mv"] - neuron["v_rest_mv"]
        jumps = rng.uniform(0, 0.3, 2) * depth * (rng.random(2) < 0.7)
        alike = neuron["tau_m_ms"] not in (neuron["tau_syn_e_ms"], neuron["tau_syn_i_ms"]) and rng.random() < 0.3
        tau_w = neuron["tau_m_ms"] if alike else rng.uniform(5, 100)
        neuron |= {"w_jump_mv": jumps[0], "theta_jump_mv": jumps[1], "tau_w_ms": tau_w, "tau_theta_ms": rng.uniform(5, 100)}


# a, b, c and d of Izhikevich's papers of 2003 and 2004.
IZHIKEVICH = {
    "regular spiking": (0.02, 0.2, -65.0, 8.0),
    "intrinsically bursting": (0.02, 0.2, -55.0, 4.0),
    "chattering": (0.02, 0.2, -50.0, 2.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0),
    "low-threshold spiking": (0.02, 0.25, -65.0, 2.0),
    "thalamocortical": (0.02, 0.25, -65.0, 0.05),
    "resonator": (0.1, 0.26, -65.0, 2.0),
    "integrator": (0.02, -0.1, -55.0, 6.0),
}


def izhikevich(rng, motif):
    """One of the published kinds, its parameters shifted a little; each spike moves V by 3 to 25 mV in all."""
    motif["neuron_model"] = "izhikevich"
    cells = {neuron["id"]: neuron for neuron in motif["neurons"]}
    for neuron in motif["neurons"]:
        a, b, c, d = IZHIKEVICH[str(rng.choice([name for name in IZHIKEVICH if name != "integrator"]))]
        kept = {name: neuron[name] for name in ("id", "sign", "type", "tau_syn_e_ms", "tau_syn_i_ms", "t_ref_ms")}
        own = {"a_per_ms": a * rng.uniform(0.8, 1.2), "b_per_ms": b * rng.uniform(0.9, 1.0), "d_mv_per_ms": d}
        v = {"v_rest_mv": rng.uniform(-75, -65), "v_reset_mv": c + rng.uniform(-2, 2), "v_th_mv": rng.uniform(25, 35)}
        neuron.clear()
        neuron |= kept | own | v | {"bias_mv": rng.uniform(4, 12) if rng.random() < 0.3 else rng.uniform(0, 3)}
    for source in [*motif["inputs"], motif]:
        for synapse in source["synapses"]:
            inhibits = "pre" in synapse and cells[synapse["pre"]]["sign"] == "I"
            tau = cells[synapse["post"]]["tau_syn_i_ms" if inhibits else "tau_syn_e_ms"]
            synapse["weight_mv"] = rng.uniform(3, 25) / tau


def lif_cond_exp(rng, motif):
    """Inhibition that hyperpolarises or only shunts."""
    motif["neuron_model"] = "lif_cond_exp"
    for neuron in motif["neurons"]:
        shunts = rng.random() < 0.3
        e_inh = neuron["v_rest_mv"] - (0.0 if shunts else rng.uniform(2, 15))
        neuron |= {"e_exc_mv": rng.uniform(-20, 20), "e_inh_mv": e_inh}


def short_term(rng, motif):
    """All or many synapses, those from inputs too, are depressing, facilitating or both."""
    for synapse in _some_synapses(rng, motif):
        fades = 0.0 if rng.random() < 0.3 else rng.uniform(1, 200)
        section = {"use": rng.uniform(0.1, 1), "tau_rec_ms": rng.uniform(1, 200), "tau_fac_ms": fades}
        synapse |= {"short_term": section, "weight_mv": synapse["weight_mv"] / section["use"]}


def stdp(rng, motif):
    """All or many synapses, those from inputs too, learn so fast that some weights reach a bound; a few are anti-Hebbian."""
    for synapse in _some_synapses(rng, motif):
        jumps = rng.uniform(0.02, 0.3, 2) * (-1 if rng.random() < 0.2 else 1)
        times = {"tau_plus_ms": rng.uniform(2, 40), "tau_minus_ms": rng.uniform(2, 40)}
        synapse["stdp"] = {"a_plus": jumps[0], "a_minus": jumps[1], "bound": rng.uniform(1, 3)} | times


def sampled(rng, motif):
    """The first input channel, and some of the others, are driven by signals of any center and scale, some inverted."""
    for k, channel in enumerate(motif["inputs"]):
        if k == 0 or rng.random() < 0.5:
            scale = rng.uniform(0.5, 3.0) * (-1 if rng.random() < 0.3 else 1)
            channel["signal"] = {"of": f"signal {k}", "center": rng.uniform(-2, 2), "scale": scale}


def _some_synapses(rng, motif):
    """Time constants are drawn apart too: where one is another, Brian2 takes many times as long, and that is checked without
    plasticity."""
    for neuron in motif["neurons"]:
        for name in ("tau_syn_e_ms", "tau_syn_i_ms"):
            neuron[name] *= 0.9 if neuron[name] == neuron["tau_m_ms"] else 1.0
    share = rng.choice([0.6, 1.0])
    return [synapse for source in (*motif["inputs"], motif) for synapse in source["synapses"] if rng.random() < share]
