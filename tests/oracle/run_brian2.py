"""Simulate a work folder with Brian2: python -m tests.oracle.run_brian2 FOLDER [--sequence=N]

Runs where Brian2 is installed; imports nothing of ours but the reader of the folder. Brian2 stamps a spike with the start of
its step and counts that step as refractory, so: stamps + dt, refractory = (n_ref + 1) dt. With --sequence=N trials come in
rows of N, in which each starts with the weights that the one before it ended with.
"""

import sys
from itertools import product

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, defaultclock, ms, prefs

from tests.oracle import network

LIF_PSC_EXP = """
dv/dt = (v_rest + I_e + I_i + bias - v) / tau_m : 1
dI_e/dt = -I_e / {tau_syn_e} : 1
dI_i/dt = -I_i / {tau_syn_i} : 1
"""
ALIF_PSC_EXP = """
dv/dt = (v_rest + I_e + I_i + bias - w - v) / tau_m : 1
dI_e/dt = -I_e / {tau_syn_e} : 1
dI_i/dt = -I_i / {tau_syn_i} : 1
dw/dt = -w / {tau_w} : 1
dtheta/dt = -theta / tau_theta : 1
"""
IZHIKEVICH = """
dv/dt = (0.04 * v**2 + 5 * v + 140 - u + I_e + I_i + bias) / ms : 1
du/dt = a_per_ms * (b_per_ms * v - u) / ms : 1
I_e : 1
I_i : 1
"""
HELD = "v = v * int(not_refractory) + v_reset * int(not not_refractory)"
ARRIVAL = "I_e_post += {share} * w_e\nI_i_post += {share} * w_i"


def lif_psc_exp(p):
    return exact(p, LIF_PSC_EXP, ("tau_syn_e", "tau_syn_i"), "v >= v_th", "v = v_reset")


def alif_psc_exp(p):
    reset = "v = v_reset\nw += w_jump\ntheta += theta_jump"
    return exact(p, ALIF_PSC_EXP, ("tau_syn_e", "tau_syn_i", "tau_w"), "v >= v_th + theta", reset)


def exact(p, equations, currents, threshold, reset):
    """Groups of neurons, integrated exactly.

    The general solution is 0/0 where the time constant of a current is tau_m, so neurons like that get equations that name
    one time constant twice. For the same reason v is not `(unless refractory)`, which multiplies 1 / tau_m by another symbol,
    but is held at v_reset by hand.
    """
    same = {name: p[f"{name}_ms"] == p["tau_m_ms"] for name in currents}
    groups = []
    for chosen in product((True, False), repeat=len(currents)):
        members = np.flatnonzero(np.all([same[name] == one for name, one in zip(currents, chosen, strict=True)], axis=0))
        if len(members):
            named = {name: "tau_m" if one else name for name, one in zip(currents, chosen, strict=True)}
            groups.append((members, group(p, members, equations.format(**named), "exact", threshold, reset)))
            groups[-1][1].run_regularly(HELD, when="after_groups")
    return groups


def izhikevich(p):
    """V and u by Euler's rule from the currents at the start of the step, which then decay exactly."""
    everyone = np.arange(len(p["circuit"]))
    neurons = group(p, everyone, IZHIKEVICH, "euler", "v >= v_th", "v = v_reset\nu += d_mv_per_ms")
    neurons.u = p["b_per_ms"] * p["v_rest_mv"]
    neurons.run_regularly("I_e *= exp(-dt / tau_syn_e)\nI_i *= exp(-dt / tau_syn_i)\n" + HELD, when="after_groups")
    return [(everyone, neurons)]


def group(p, members, equations, method, threshold, reset):
    """Some neurons at rest; equations may name any parameter of the motif, without its unit. Potentials are in mV."""
    values = {name.removesuffix("_mv"): p[name][members] for name in p if not name.endswith("_ms") or name.endswith("_per_ms")}
    values |= {name.removesuffix("_ms"): p[name][members] * ms for name in p if name.removesuffix("_ms") not in values}
    del values["circuit"], values["trial"], values["neuron"]
    declared = [f"{name} : {'1' if isinstance(value, np.ndarray) else 'second'} (constant)" for name, value in values.items()]
    rules = {"threshold": threshold, "reset": reset, "refractory": "t_ref + dt"}
    made = NeuronGroup(len(members), equations + "\n".join(declared), method=method, **rules)
    for name, value in values.items():
        setattr(made, name, value)
    made.v = p["v_rest_mv"][members]
    return made
