"""Circuits for the tests of the torch modules: random ones, and a small one by hand."""

import numpy as np
import torch

import circuits


def random_circuit(rng, neurons=None, channels=None, longest=20):
    """A circuit with multapses, autapses, weights of 0, tau_m == tau_syn, biases, and delays of 1 to `longest` steps."""
    n = int(rng.integers(1, 25)) if neurons is None else neurons
    channels = int(rng.integers(0, 5)) if channels is None else channels
    dt = float(rng.choice([0.05, 0.1, 0.25, 0.5, 1.0]))

    def wire(count, **ends):
        found = []
        for _ in range(count):
            weight = float(rng.choice([0.0, rng.uniform(0, 30)], p=[0.1, 0.9]))
            wired = {name: end() for name, end in ends.items()}
            found.append({**wired, "weight_mv": weight, "delay_ms": int(rng.integers(1, longest + 1)) * dt})
        return found

    def any_neuron():
        return f"n{rng.integers(n)}"

    cells = []
    for k in range(n):
        tau_m = float(rng.uniform(1, 30))
        tau_e, tau_i = (tau_m if rng.random() < 0.3 else float(rng.uniform(0.3, 15)) for _ in range(2))
        rest = float(rng.uniform(-75, -65))
        cells.append(
            {
                "id": f"n{k}",
                "sign": "E" if k == 0 or rng.random() < 0.7 else "I",
                "tau_m_ms": tau_m,
                "tau_syn_e_ms": tau_e,
                "tau_syn_i_ms": tau_i,
                "v_rest_mv": rest,
                "v_th_mv": rest + float(rng.uniform(3, 20)),
                "v_reset_mv": rest - float(rng.uniform(0, 10)),
                "t_ref_ms": int(rng.integers(0, 11)) * dt,
                "bias_mv": float(rng.choice([0.0, rng.uniform(-5, 25)])),
            }
        )
    excitatory = [cell["id"] for cell in cells if cell["sign"] == "E"]
    return circuits.Circuit(
        dt_ms=dt,
        neurons=cells,
        inputs=[{"name": f"in{c}", "synapses": wire(2 * n, post=any_neuron)} for c in range(channels)],
        synapses=wire(int(rng.integers(0, 5 * n)), pre=any_neuron, post=any_neuron),
        outputs=[{"name": "first", "neurons": excitatory[:1]}, {"name": "all", "neurons": excitatory[::-1]}],
    )


def of_model(circuit, model, rng, short_term=0.0):
    """A circuit with neurons of another model, and short-term plasticity for this share of the synapses."""
    ranges = {
        "lif_psc_exp": {},
        "alif_psc_exp": {
            "w_jump_mv": (0.0, 3.0),
            "tau_w_ms": (10.0, 200.0),
            "theta_jump_mv": (0.0, 5.0),
            "tau_theta_ms": (10.0, 300.0),
        },
        "lif_cond_exp": {"e_exc_mv": (-20.0, 20.0), "e_inh_mv": (-90.0, -76.0)},
    }[model]
    data = circuit.model_dump(include=set(circuits.Circuit.model_fields), exclude_none=True)
    for neuron in data["neurons"]:
        neuron |= {name: float(rng.uniform(*limits)) for name, limits in ranges.items()}
    for synapse in (*data["synapses"], *(s for channel in data["inputs"] for s in channel["synapses"])):
        if rng.random() < short_term:
            times = {"tau_rec_ms": float(rng.uniform(5, 500)), "tau_fac_ms": float(rng.choice([0.0, rng.uniform(5, 300)]))}
            synapse["short_term"] = {"use": float(rng.uniform(0.1, 0.9))} | times
    return circuits.Circuit(**data | {"neuron_model": model})


def small_motif(weights=(8.0, 6.0, 5.0, 7.0), **provenance):
    """Two E neurons and an I neuron on two channels, dt 1 ms."""
    to_e, to_i, e_to_i, i_to_e = weights
    circuit = circuits.Circuit(
        dt_ms=1.0,
        neurons=[{"id": "a", "sign": "E"}, {"id": "b", "sign": "E"}, {"id": "i", "sign": "I"}],
        inputs=[
            {"name": "left", "synapses": [{"post": "a", "weight_mv": to_e, "delay_ms": 1.0}]},
            {
                "name": "right",
                "synapses": [
                    {"post": "b", "weight_mv": to_e, "delay_ms": 3.0},
                    {"post": "i", "weight_mv": to_i, "delay_ms": 1.0},
                ],
            },
        ],
        synapses=[
            {"pre": "a", "post": "i", "weight_mv": e_to_i, "delay_ms": 2.0},
            {"pre": "i", "post": "b", "weight_mv": i_to_e, "delay_ms": 1.0},
            {"pre": "a", "post": "b", "weight_mv": e_to_i, "delay_ms": 1.0},
        ],
        outputs=[{"name": "a", "neurons": ["a"]}, {"name": "b", "neurons": ["b"]}],
    )
    return circuits.Motif.of(circuit, **provenance)


def spikes(*shape, rate=0.2, seed=0):
    """Bool, true with probability `rate`."""
    return torch.from_numpy(np.random.default_rng(seed).random(shape) < rate)


def kinds(cell):
    """The synapses of a cell by kind."""
    return [cell.input, cell.excitatory, cell.inhibitory]


def weights(cell):
    """The weights of each kind."""
    return [kind.weight.detach() for kind in kinds(cell)]
