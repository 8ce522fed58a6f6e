"""Simulate a work folder with Brian2: python -m tests.oracle.run_brian2 FOLDER

Runs where Brian2 is installed; imports nothing of ours but the reader of the folder. Brian2 stamps a spike with the start of
its step and counts that step as refractory, so: stamps + dt, refractory = (n_ref + 1) dt.
"""

import sys
from itertools import product

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, defaultclock, ms, prefs

from tests.oracle import network

LIF_PSC_EXP = """
dv/dt = (v_rest + I_e + I_i + bias - v) / tau_m : 1
dI_e/dt = -I_e / {tau_e} : 1
dI_i/dt = -I_i / {tau_i} : 1
tau_m : second (constant)
tau_syn_e : second (constant)
tau_syn_i : second (constant)
t_refractory : second (constant)
v_rest : 1 (constant)
v_th : 1 (constant)
v_reset : 1 (constant)
bias : 1 (constant)
"""


def lif_psc_exp(p, dt):
    """Potentials in mV, integrated exactly.

    The general solution is 0/0 at tau_m = tau_syn, so neurons like that get equations that name one time constant twice. For
    the same reason v is not `(unless refractory)`, which multiplies 1 / tau_m by another symbol, but is held at v_reset by
    hand.
    """
    same = {"e": p["tau_m_ms"] == p["tau_syn_e_ms"], "i": p["tau_m_ms"] == p["tau_syn_i_ms"]}
    groups = []
    for same_e, same_i in product((True, False), repeat=2):
        members = np.flatnonzero((same["e"] == same_e) & (same["i"] == same_i))
        if len(members) == 0:
            continue
        equations = LIF_PSC_EXP.format(tau_e="tau_m" if same_e else "tau_syn_e", tau_i="tau_m" if same_i else "tau_syn_i")
        rules = {"threshold": "v >= v_th", "reset": "v = v_reset", "refractory": "t_refractory"}
        group = NeuronGroup(len(members), equations, method="exact", **rules)
        group.run_regularly("v = v * int(not_refractory) + v_reset * int(not not_refractory)", when="after_groups")
        for name in ("tau_m", "tau_syn_e", "tau_syn_i"):
            setattr(group, name, p[f"{name}_ms"][members] * ms)
        for name in ("v_rest", "v_th", "v_reset", "bias"):
            setattr(group, name, p[f"{name}_mv"][members])
        group.t_refractory = p["t_ref_ms"][members] * ms + dt
        group.v = p["v_rest_mv"][members]
        groups.append((members, group))
    return groups, "I_e_post += w_e\nI_i_post += w_i"


def static(synapse, arrival):
    values = {"w_e": np.maximum(synapse["weight"], 0), "w_i": np.minimum(synapse["weight"], 0)}
    return "w_e : 1 (constant)\nw_i : 1 (constant)", arrival, values


MODELS = {"lif_psc_exp": lif_psc_exp}  # neuron_model: parameters, dt -> [(numbers of its neurons, group)], what an arrival does
SYNAPSES = {"static": static}  # synapse model: columns, what an arrival does -> equations, on_pre, values


def simulate(net):
    """The spikes of a network: (neuron, time_ms)."""
    defaultclock.dt = dt = net.dt_ms * ms
    groups, arrival = MODELS[net.neuron_model](net.neurons, dt)
    monitors = [SpikeMonitor(group) for _, group in groups]
    together = Network([group for _, group in groups], monitors)
    sources = [(group, net.synapses) for group in groups]
    if net.trains:
        train = np.repeat(np.arange(len(net.trains)), [len(stamps) for stamps in net.trains])
        generator = SpikeGeneratorGroup(len(net.trains), train, (np.concatenate(net.trains) - 1) * dt)
        together.add(generator)
        sources.append(((np.arange(len(net.trains)), generator), net.afferents))
    for (pre, synapses), post in product(sources, groups):
        for kind, synapse in synapses.items():
            together.add(connected(pre, post, kind, synapse, arrival, dt))
    together.run(net.steps * dt)
    neuron = [members[np.asarray(monitor.i)] for (members, _), monitor in zip(groups, monitors, strict=True)]
    time_ms = [np.asarray(monitor.t / ms) + net.dt_ms for monitor in monitors]
    return np.concatenate(neuron), np.concatenate(time_ms)


def connected(pre, post, kind, synapse, arrival, dt):
    """The synapses of one kind from one group to another, if there are any."""
    (pre_members, source), (post_members, target) = pre, post
    chosen = np.isin(synapse["pre"], pre_members) & np.isin(synapse["post"], post_members)
    if not chosen.any():
        return []
    synapse = {name: column[chosen] for name, column in synapse.items()}
    equations, on_pre, values = SYNAPSES[kind](synapse, arrival)
    made = Synapses(source, target, equations, on_pre=on_pre)
    made.connect(i=np.searchsorted(pre_members, synapse["pre"]), j=np.searchsorted(post_members, synapse["post"]))
    made.delay = synapse["delay"] * dt
    for name, value in values.items():
        setattr(made, name, value)
    return made


if __name__ == "__main__":
    prefs.codegen.target = "numpy"  # the others compile for longer than this runs
    network.answer(sys.argv[1], [(net, *simulate(net)) for net in network.networks(sys.argv[1])])
