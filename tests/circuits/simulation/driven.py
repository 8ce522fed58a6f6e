"""A circuit that a sampled signal drives, and the signal."""

import numpy as np

from circuits import Circuit

DT_MS, STEPS = 0.5, 400


def driven_circuit(model="lif_psc_exp", first="spikes") -> Circuit:
    """An E and an I neuron; a channel of spikes, and two of the signal x, one of them inverted."""
    channels = [
        {"name": "a", "synapses": [{"post": "E0", "weight_mv": 10.0, "delay_ms": 1.0}]},
        {
            "name": "x",
            "signal": {"of": "x", "unit": "pA", "center": 1.0, "scale": 2.0},
            "synapses": [
                {"post": "E0", "weight_mv": 24.0, "delay_ms": 2.0},
                {"post": "I0", "weight_mv": 3.0, "delay_ms": 0.5},
            ],
        },
        {
            "name": "-x",
            "signal": {"of": "x", "unit": "pA", "center": 1.0, "scale": -2.0},
            "synapses": [{"post": "I0", "weight_mv": 14.0, "delay_ms": 2.0}],
        },
    ]
    return Circuit(
        dt_ms=DT_MS,
        neuron_model=model,
        neurons=[{"id": "E0", "sign": "E", "tau_syn_e_ms": 3.0}, {"id": "I0", "sign": "I", "v_th_mv": -60.0}],
        inputs=channels if first == "spikes" else [*channels[1:], channels[0]],
        synapses=[{"pre": "I0", "post": "E0", "weight_mv": 5.0, "delay_ms": 1.0}],
        outputs=[{"name": "o", "neurons": ["E0"]}],
    )


def wave(trials: int) -> np.ndarray:
    """The signal at 0.25 ms: [trials, samples]."""
    return np.cumsum(np.random.default_rng(1).normal(size=(trials, 2 * STEPS)), axis=1) * 0.3 + 2
