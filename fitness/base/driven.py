"""Tasks in which inhibition controls the rate of neurons with one noisy drive."""

from fitness.base.measured import Measured


class Driven(Measured):
    """Base class of built-in tasks with one noisy drive whose effect on the rates of all neurons inhibition controls."""

    inputs = ("drive",)
    outputs = ("out",)
    listens = "all"
    critical_connections = (("I", "E"),)
    default_spec = {
        "circuit": {
            "neurons": [1, 6],
            "excitatory_share": [0.3, 1.0],
            "delay_ms": [1.0, 10.0],
            "inhibitory_weight_mv": [1.0, 300.0],
        },
        "circuit.parameters": {
            "tau_m_ms": [2.0, 30.0],
            "tau_syn_e_ms": [1.0, 10.0],
            "tau_syn_i_ms": [2.0, 30.0],
            "t_ref_ms": 2.0,  # short: a long one saturates by itself
        },
    }
