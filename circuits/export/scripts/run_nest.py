"""This motif in NEST: runs the example trial and compares the spikes with those of the evocircuits simulator.

    python run.py

Needs NEST 3.5 or newer and numpy, not evocircuits. To use the motif in a network of your own, `build` it there.

Neurons have a leak of 1 nS, so that 1 pA is 1 mV, and the capacitance in pF is the membrane time constant in ms.
"""

import json
import os
from fractions import Fraction

import numpy as np
from example import DRIVE, DT_MS, HERE, INPUTS, cannot_run, compare

os.environ.setdefault("PYNEST_QUIET", "1")
try:
    import nest
except ModuleNotFoundError:
    cannot_run("this script needs NEST 3.5 or newer, which is not installed: pip install nest-simulator")
if not hasattr(nest, "build_info") or "spike_train_injector" not in nest.node_models:
    cannot_run("this script needs NEST 3.5 or newer; this one is older: pip install -U nest-simulator")

CURRENT = "step_current_generator"
EXACT = ("lif_psc_exp",)  # NEST solves the others with adaptive steps and resets within a step


def neuron(model, p):
    """NEST's model and parameters for a neuron of the motif."""
    v_rest = p["v_rest_mv"]
    cell = {"C_m": p["tau_m_ms"], "E_L": v_rest, "V_m": v_rest, "V_th": p["v_th_mv"], "V_reset": p["v_reset_mv"]}
    cell |= {"tau_syn_ex": p["tau_syn_e_ms"], "tau_syn_in": p["tau_syn_i_ms"], "t_ref": p["t_ref_ms"], "I_e": p["bias_mv"]}
    if model == "lif_cond_exp":
        return "iaf_cond_exp", cell | {"g_L": 1.0, "E_ex": p["e_exc_mv"], "E_in": p["e_inh_mv"]}
    if model == "aeif_psc_exp":
        upswing = {"Delta_T": p["delta_t_mv"], "V_peak": p["v_peak_mv"], "gsl_error_tol": 1e-9}
        return model, cell | upswing | {"g_L": 1.0, "a": p["a"], "b": p["w_jump_mv"], "tau_w": p["tau_w_ms"]}
    return "iaf_psc_exp", cell | {"tau_m": p["tau_m_ms"]}


def weight(model, sign, weight_mv, post):
    """A weight in pA, equal to the motif's in mV, or for conductances in nS: with the motif's current at threshold."""
    if model == "lif_cond_exp":
        force = post["e_exc_mv"] - post["v_th_mv"] if sign > 0 else post["v_th_mv"] - post["e_inh_mv"]
        return sign * weight_mv / force
    return sign * weight_mv


def build(motif):
    """Make the motif's neurons and input channels, connected. Returns the neurons as a NodeCollection and the channels as a
    list, both in the order of the motif.

    The channels are spike_train_injector nodes, of which you set `spike_times`, or for sampled inputs step_current_generator
    nodes, see `drive`; or connect your own sources to the neurons instead. Needs `nest.resolution` to be the motif's dt_ms, or
    one that divides its delays.
    """
    model, cells = motif["neuron_model"], motif["neurons"]
    index = {cell["id"]: n for n, cell in enumerate(cells)}
    models = [neuron(model, cell) for cell in cells]
    neurons = nest.Create(models[0][0], len(models), [parameters for _, parameters in models])
    channels = [nest.Create(CURRENT if channel.get("signal") else "spike_train_injector") for channel in motif["inputs"]]

    def on_grid(time_ms):
        return round(time_ms / motif["dt_ms"]) * motif["dt_ms"]

    rows = [(channels[c], 1, s) for c, channel in enumerate(motif["inputs"]) for s in channel["synapses"]]
    rows += [(neurons[index[s["pre"]]], -1 if cells[index[s["pre"]]]["sign"] == "I" else 1, s) for s in motif["synapses"]]
    for pre, sign, synapse in rows:
        post = index[synapse["post"]]
        spec = {"weight": weight(model, sign, synapse["weight_mv"], cells[post]), "delay": on_grid(synapse["delay_ms"])}
        if plastic := synapse.get("short_term"):  # NEST's u is the value after the jump at the next spike
            times = {"tau_rec": plastic["tau_rec_ms"], "tau_fac": plastic["tau_fac_ms"]}
            spec |= {"synapse_model": "tsodyks2_synapse", "U": plastic["use"], "u": plastic["use"], "x": 1.0} | times
        if pre in channels and motif["inputs"][channels.index(pre)].get("signal"):
            spec["receptor_type"] = 1  # of iaf_psc_exp: a current that tau_syn_ex filters
        nest.Connect(pre, neurons[post], "one_to_one", spec)
    return neurons, channels


def drive(channel, values, dt):
    """Let a sampled channel follow values [steps], (signal - center) / scale, from the second step on."""
    channel.set(amplitude_times=np.arange(1, len(values)) * dt, amplitude_values=np.asarray(values[1:], float))


def main():
    motif = json.loads((HERE / "motif.json").read_text(encoding="utf-8"))
    dt = DT_MS
    nest.ResetKernel()
    tics = 1000 * Fraction(dt).limit_denominator(10_000).denominator  # 1000 per millisecond unless dt is no multiple
    nest.set(tics_per_ms=1000 if abs(dt * 1000 - round(dt * 1000)) < 1e-9 else tics, resolution=dt)
    if hasattr(nest, "VerbosityLevel"):
        nest.verbosity = nest.VerbosityLevel.WARNING
    else:
        nest.set_verbosity("M_WARNING")

    neurons, channels = build(motif)
    for channel, train, values, description in zip(channels, INPUTS.T, DRIVE.T, motif["inputs"], strict=True):
        if description.get("signal"):
            drive(channel, values, dt)
        else:
            channel.set(spike_times=(np.flatnonzero(train) + 1) * dt)
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    nest.Simulate(len(INPUTS) * dt)

    spikes = np.zeros((len(INPUTS), len(neurons)), bool)
    events = recorder.events
    spikes[events["times"].astype(int) - 1, events["senders"].astype(int) - neurons[0].global_id] = True
    compare(spikes, f"NEST {nest.__version__}", exact=motif["neuron_model"] in EXACT)


if __name__ == "__main__":
    main()
