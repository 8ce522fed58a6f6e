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
theta : 1
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
    """theta decays by hand: it is no part of what is solved for V, and would make that take twice as long."""
    reset = "v = v_reset\nw += w_jump\ntheta += theta_jump"
    groups = exact(p, ALIF_PSC_EXP, ("tau_syn_e", "tau_syn_i", "tau_w"), "v >= v_th + theta", reset)
    for _, neurons in groups:
        neurons.run_regularly("theta *= exp(-dt / tau_theta)", when="after_groups")
    return groups


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
    """Some neurons at rest. Equations may name all that is in the motif, without its unit; potentials are in mV."""
    values, units = {}, {}
    for column in sorted(p.keys() - {"circuit", "trial", "neuron"}):
        is_time = column.endswith("_ms") and not column.endswith("_per_ms")
        name = column.removesuffix("_ms") if is_time else column.removesuffix("_mv")
        values[name], units[name] = (p[column][members] * ms, "second") if is_time else (p[column][members], "1")
    declared = "".join(f"{name} : {unit} (constant)\n" for name, unit in units.items())
    rules = {"threshold": threshold, "reset": reset, "refractory": "t_ref + dt"}
    made = NeuronGroup(len(members), equations + declared, method=method, **rules)
    for name, value in values.items():
        setattr(made, name, value)
    made.v = made.v_rest
    return made


def static(synapse):
    return {"on_pre": {"arrive": ARRIVAL.format(share="1")}}, {}


def short_term(synapse):
    """A facilitation of 0 ms is gone after a step as one of 1 ns."""
    equations = """
    du/dt = -u / tau_fac : 1 (event-driven)
    dx/dt = (1 - x) / tau_rec : 1 (event-driven)
    use : 1 (constant)
    tau_fac : second (constant)
    tau_rec : second (constant)
    """
    arrive = "u += use * (1 - u)\n" + ARRIVAL.format(share="u * x") + "\nx -= u * x"
    times = {"tau_rec": synapse["tau_rec_ms"] * ms, "tau_fac": np.maximum(synapse["tau_fac_ms"], 1e-6) * ms}
    return {"model": equations, "on_pre": {"arrive": arrive}}, times | {"use": synapse["use"], "x": 1}


def stdp(synapse):
    """Learning comes before both traces grow, so that spikes of one step are no pair."""
    equations = """
    dx/dt = -x / tau_plus : 1 (event-driven)
    dy/dt = -y / tau_minus : 1 (event-driven)
    share : 1
    a_plus : 1 (constant)
    a_minus : 1 (constant)
    bound : 1 (constant)
    tau_plus : second (constant)
    tau_minus : second (constant)
    """
    arrive = "share = clip(share - a_minus * y, 0, bound)\n" + ARRIVAL.format(share="share")
    rules = {
        "on_pre": {"arrive": arrive, "arrived": "x += 1"},
        "on_post": {"fire": "share = clip(share + a_plus * x, 0, bound)", "fired": "y += 1"},
    }
    times = {name: synapse[f"{name}_ms"] * ms for name in ("tau_plus", "tau_minus")}
    return {"model": equations, **rules}, times | {name: synapse[name] for name in ("share", "a_plus", "a_minus", "bound")}


MODELS = {  # neuron_model: parameters -> [(numbers of its neurons, group)]
    model.__name__: model for model in (lif_psc_exp, alif_psc_exp, izhikevich)
}
SYNAPSES = {  # kind of synapse: columns -> arguments of Synapses, values
    model.__name__: model for model in (static, short_term, stdp)
}


def simulate(net, sequence=1):
    """What a network does. Of a sequence, k runs from the start get its first k trials right, so it takes as many."""
    learning = {name: getattr(net, name)["stdp"] for name in ("afferents", "synapses") if "stdp" in getattr(net, name)}
    for synapses in learning.values():
        synapses["share"] = np.ones(len(synapses["pre"]))
    for _ in range(sequence):
        answer, shares = once(net)
        for name, synapses in learning.items():
            trials = np.lexsort((synapses["trial"], synapses["synapse"], synapses["circuit"]))
            synapses["share"][trials[1:]] = shares[name][trials[:-1]]
            synapses["share"][synapses["trial"] % sequence == 0] = 1
    weights_mv = {name: shares[name] * np.abs(synapses["weight"]) for name, synapses in learning.items()}
    return answer._replace(weights_mv=weights_mv)


def once(net):
    """The spikes of a network, and the final weights of synapses that learn as a share of their first ones."""
    defaultclock.dt = net.dt_ms * ms
    groups = MODELS[net.neuron_model](net.neurons)
    monitors = [SpikeMonitor(group) for _, group in groups]
    together = Network([group for _, group in groups], monitors)
    sources = [("synapses", *group) for group in groups]
    if net.trains:
        train = np.repeat(np.arange(len(net.trains)), [len(stamps) for stamps in net.trains])
        generator = SpikeGeneratorGroup(len(net.trains), train, (np.concatenate(net.trains) - 1) * defaultclock.dt)
        together.add(generator)
        sources.append(("afferents", np.arange(len(net.trains)), generator))
    learning = []
    for (table, *pre), post in product(sources, groups):
        for kind, synapses in getattr(net, table).items():
            chosen = np.flatnonzero(np.isin(synapses["pre"], pre[0]) & np.isin(synapses["post"], post[0]))
            if len(chosen):
                made = connected(pre, post, kind, {name: column[chosen] for name, column in synapses.items()})
                together.add(made)
                learning += [(table, chosen, made)] if kind == "stdp" else []
    together.run(net.steps * defaultclock.dt)

    neuron = [members[np.asarray(monitor.i)] for (members, _), monitor in zip(groups, monitors, strict=True)]
    time_ms = [np.asarray(monitor.t / ms) + net.dt_ms for monitor in monitors]
    shares = {table: np.empty(len(getattr(net, table)["stdp"]["pre"])) for table, _, _ in learning}
    for table, chosen, made in learning:
        shares[table][chosen] = made.share[:]
    return network.Answer(np.concatenate(neuron), np.concatenate(time_ms)), shares


def connected(pre, post, kind, synapse):
    """The synapses of one kind from one group to another; each side is numbers of neurons or trains, and their group."""
    (pre_members, source), (post_members, target) = pre, post
    rules, values = SYNAPSES[kind](synapse)
    weights = {"w_e": np.maximum(synapse["weight"], 0), "w_i": np.minimum(synapse["weight"], 0)}
    equations = "".join(f"{name} : 1 (constant)\n" for name in weights) + rules.pop("model", "")
    made = Synapses(source, target, equations, **rules)
    made.connect(i=np.searchsorted(pre_members, synapse["pre"]), j=np.searchsorted(post_members, synapse["post"]))
    for pathway in rules["on_pre"]:
        getattr(made, pathway).delay = synapse["delay"] * defaultclock.dt
    for place, pathway in enumerate(("arrive", "fire", "arrived", "fired")):
        if hasattr(made, pathway):
            getattr(made, pathway).order = place
    for name, value in (weights | values).items():
        setattr(made, name, value)
    return made


if __name__ == "__main__":
    prefs.codegen.target = "numpy"  # the others compile for longer than this runs
    folder, *options = sys.argv[1:]
    asked = {name.removeprefix("--"): int(value) for name, value in (option.split("=") for option in options)}
    network.answer(folder, [(net, simulate(net, **asked)) for net in network.networks(folder)])
