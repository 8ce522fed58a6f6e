"""Simulate a work folder with NEST: python -m tests.oracle.run_nest FOLDER [--precise] [--record]

Runs where NEST is installed; imports nothing of ours but the reader of the folder. With --precise the neuron models are those
that fire between grid points; --record asks for potentials too.

Neurons have a leak of 1 nS: there 1 pA is 1 mV, and the capacity in pF is the time constant in ms.
"""

import sys

import nest
import numpy as np

from tests.oracle import network


def lif_psc_exp(p):
    return "iaf_psc_exp", leaky(p) | {"tau_m": p["tau_m_ms"]}


def lif_cond_exp(p):
    return "iaf_cond_exp", leaky(p) | {"g_L": 1.0, "E_ex": p["e_exc_mv"], "E_in": p["e_inh_mv"]}


def aeif_psc_exp(p):
    """With a tolerance that leaves NEST's solver no error beside ours."""
    upswing = {"Delta_T": p["delta_t_mv"], "V_peak": p["v_peak_mv"], "gsl_error_tol": 1e-9}
    adaptation = {"a": p["a"], "b": p["w_jump_mv"], "tau_w": p["tau_w_ms"]}
    return "aeif_psc_exp", leaky(p) | {"g_L": 1.0} | upswing | adaptation


def leaky(p):
    potentials = {"E_L": p["v_rest_mv"], "V_m": p["v_rest_mv"], "V_th": p["v_th_mv"], "V_reset": p["v_reset_mv"]}
    times = {"tau_syn_ex": p["tau_syn_e_ms"], "tau_syn_in": p["tau_syn_i_ms"], "t_ref": p["t_ref_ms"]}
    return potentials | times | {"C_m": p["tau_m_ms"], "I_e": p["bias_mv"]}


def izhikevich(p):
    """For neurons with a bias alone: synapses of NEST's are pulses, and there is no refractory period."""
    rates = {"a": p["a_per_ms"], "b": p["b_per_ms"], "d": p["d_mv_per_ms"], "I_e": p["bias_mv"]}
    start = {"V_m": p["v_rest_mv"], "U_m": p["b_per_ms"] * p["v_rest_mv"]}
    return "izhikevich", rates | start | {"c": p["v_reset_mv"], "V_th": p["v_th_mv"], "consistent_integration": True}


def static(synapse):
    return "static_synapse", {}


def short_term(synapse):
    """NEST's u is what the next spike will find after its jump."""
    rest = {"u": synapse["use"], "x": 1.0}
    return "tsodyks2_synapse", rest | {"U": synapse["use"], "tau_rec": synapse["tau_rec_ms"], "tau_fac": synapse["tau_fac_ms"]}


MODELS = {  # neuron_model: parameters of ours -> name and parameters of NEST's, an array each
    model.__name__: model for model in (lif_psc_exp, lif_cond_exp, aeif_psc_exp, izhikevich)
}
SYNAPSES = {model.__name__: model for model in (static, short_term)}  # likewise, without weight and delay
PRECISE = {"iaf_psc_exp": "iaf_psc_exp_ps"}


def simulate(net, precise=False, record=False):
    nest.ResetKernel()
    nest.resolution = net.dt_ms
    model, parameters = MODELS[net.neuron_model](net.neurons)
    neurons = nest.Create(PRECISE[model] if precise else model, len(net.neurons["circuit"]), parameters)
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    if record:
        meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": net.dt_ms, "time_in_steps": True})
        nest.Connect(meter, neurons)
    for kind, afferents in net.afferents.items():
        connect(inputs(net, direct=kind == "static"), neurons, kind, weighted(net, afferents), net.dt_ms)
    for kind, synapses in net.synapses.items():
        connect(neurons, neurons, kind, weighted(net, synapses), net.dt_ms)
    nest.Simulate(net.steps * net.dt_ms)
    events = recorder.events
    spikes = events["senders"] - neurons[0].global_id, events["times"] * net.dt_ms - events["offsets"]
    return network.Answer(*spikes, potentials(net, meter.events, neurons[0].global_id) if record else None)


def inputs(net, direct):
    """Nodes that fire the input spikes. Generators take no plastic synapses, so parrots repeat theirs, a step later: the first
    step has to be free of input."""
    generators = nest.Create("spike_generator", len(net.trains))
    generators.set([{"spike_times": (stamps - (not direct)) * net.dt_ms} for stamps in net.trains])
    if direct:
        return generators
    parrots = nest.Create("parrot_neuron", len(net.trains))
    nest.Connect(generators, parrots, "one_to_one", {"delay": net.dt_ms})
    return parrots


def weighted(net, synapses):
    """Synapses with weights in NEST's units: pA as ours, or nS such that at threshold the current is ours."""
    if net.neuron_model != "lif_cond_exp":
        return synapses
    p, post = net.neurons, synapses["post"]
    force = np.where(synapses["weight"] > 0, (p["e_exc_mv"] - p["v_th_mv"])[post], (p["v_th_mv"] - p["e_inh_mv"])[post])
    return synapses | {"weight": synapses["weight"] / force}


def connect(pre, post, kind, synapses, dt_ms):
    model, parameters = SYNAPSES[kind](synapses)
    ends = pre[0].global_id + synapses["pre"], post[0].global_id + synapses["post"]
    numbers = {"weight": synapses["weight"], "delay": synapses["delay"] * dt_ms}
    nest.Connect(*ends, "one_to_one", {"synapse_model": model, **numbers, **parameters})


def potentials(net, events, first):
    """V at the end of each step, [neurons, steps]; NaN in the last ones, which a multimeter has not delivered yet."""
    v_mv = np.full((len(net.neurons["circuit"]), net.steps), np.nan)
    v_mv[events["senders"] - first, events["times"] - 1] = events["V_m"]
    return v_mv


if __name__ == "__main__":
    folder, *options = sys.argv[1:]
    nest.verbosity = nest.VerbosityLevel.WARNING
    asked = {option.removeprefix("--"): True for option in options}
    network.answer(folder, [(net, simulate(net, **asked)) for net in network.networks(folder)])
