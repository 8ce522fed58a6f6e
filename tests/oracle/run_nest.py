"""Simulate a work folder with NEST: python -m tests.oracle.run_nest FOLDER [--precise]

Runs where NEST is installed; imports nothing of ours but the reader of the folder. With --precise the neuron models are those
that fire between grid points.
"""

import sys

import nest

from tests.oracle import network


def lif_psc_exp(p):
    """A membrane resistance of 1 GOhm: there 1 pA is 1 mV, and the capacity in pF is the time constant in ms."""
    potentials = {"E_L": p["v_rest_mv"], "V_m": p["v_rest_mv"], "V_th": p["v_th_mv"], "V_reset": p["v_reset_mv"]}
    times = {"tau_m": p["tau_m_ms"], "tau_syn_ex": p["tau_syn_e_ms"], "tau_syn_in": p["tau_syn_i_ms"], "t_ref": p["t_ref_ms"]}
    return "iaf_psc_exp", potentials | times | {"C_m": p["tau_m_ms"], "I_e": p["bias_mv"]}


def static(synapse):
    return "static_synapse", {"weight": synapse["weight"]}


MODELS = {"lif_psc_exp": lif_psc_exp}  # neuron_model: parameters of ours -> name and parameters of NEST's, an array each
SYNAPSES = {"static": static}  # synapse model: columns of ours -> name and parameters of NEST's
PRECISE = {"iaf_psc_exp": "iaf_psc_exp_ps"}


def simulate(net, precise=False):
    """The spikes of a network: (neuron, time_ms)."""
    nest.ResetKernel()
    nest.resolution = net.dt_ms
    model, parameters = MODELS[net.neuron_model](net.neurons)
    neurons = nest.Create(PRECISE[model] if precise else model, len(net.neurons["circuit"]), parameters)
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    if net.trains:
        generators = nest.Create("spike_generator", len(net.trains))
        generators.set([{"spike_times": stamps * net.dt_ms} for stamps in net.trains])
        connect(generators, neurons, net.afferents, net.dt_ms)
    connect(neurons, neurons, net.synapses, net.dt_ms)
    nest.Simulate(net.steps * net.dt_ms)
    events = recorder.events
    return events["senders"] - neurons[0].global_id, events["times"] * net.dt_ms - events["offsets"]


def connect(pre, post, synapses, dt_ms):
    for kind, synapse in synapses.items():
        model, parameters = SYNAPSES[kind](synapse)
        ends = pre[0].global_id + synapse["pre"], post[0].global_id + synapse["post"]
        nest.Connect(*ends, "one_to_one", {"synapse_model": model, "delay": synapse["delay"] * dt_ms, **parameters})


if __name__ == "__main__":
    folder, *options = sys.argv[1:]
    nest.verbosity = nest.VerbosityLevel.WARNING
    network.answer(folder, [(net, *simulate(net, "--precise" in options)) for net in network.networks(folder)])
