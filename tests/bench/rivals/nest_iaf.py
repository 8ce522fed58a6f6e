"""NEST with `iaf_psc_exp`: same equations, same delays, the 64 trials as 64 copies in one network, on one thread.

C_m = tau_m makes the membrane resistance 1, so weights in pA are weights in mV.
"""

import time

import numpy as np
from protocol import serve


def prepare(job):
    import nest

    nest.set_verbosity("M_ERROR")

    building = []

    def run():
        start = time.perf_counter()
        neurons, recorder = build(nest, job)
        building.append(time.perf_counter() - start)
        start = time.perf_counter()
        nest.Simulate(len(job.spikes) * job.dt)
        seconds = time.perf_counter() - start
        senders = recorder.get("events", "senders") - neurons[0].global_id
        return seconds, np.bincount(senders % job.neurons, minlength=job.neurons)

    run()  # what NEST makes once is not for the circuit's account
    building.clear()
    run()
    return run, {"version": nest.__version__, "leaves_out": [], "build_seconds": min(building)}


def build(nest, job):
    """A fresh network: a second simulation would go on from where the first one ended."""
    nest.ResetKernel()
    nest.set(local_num_threads=1, resolution=job.dt)
    trials, n = job.spikes.shape[2], int(job.neurons)
    common = {"E_L": 0.0, "V_m": 0.0, "V_reset": 0.0, "V_th": 1.0, "t_ref": job.t_ref}
    common |= {"tau_syn_ex": job.tau_e, "tau_syn_in": job.tau_i}
    tau_m = np.tile(job.tau_m, trials)
    neurons = nest.Create("iaf_psc_exp", n * trials, common | {"tau_m": tau_m, "C_m": tau_m})
    times = [(np.nonzero(job.spikes[:, c, t])[0] + 1) * job.dt for t in range(trials) for c in range(job.channels)]
    entering = nest.Create("spike_generator", len(times), [{"spike_times": each} for each in times])
    signed = np.where(job.excitatory[job.pre], job.weight, -job.weight.astype("f8"))
    one_step = np.ones(job.input_channel.shape)
    connect(nest, job, entering, neurons, job.input_channel, job.input_post, job.input_weight, one_step, job.channels)
    connect(nest, job, neurons, neurons, job.pre, job.post, signed, job.delay, n)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    return neurons, recorder


def connect(nest, job, sources, neurons, pre, post, weight, delay, size):
    """One copy of the synapses per trial; `size` is how many sources one trial has."""
    trials = job.spikes.shape[2]
    shift = np.arange(trials)[:, None]
    nest.Connect(
        (pre + shift * size).ravel() + sources[0].global_id,
        (post + shift * job.neurons).ravel() + neurons[0].global_id,
        "one_to_one",
        {"weight": np.tile(weight.astype("f8"), trials), "delay": np.tile(delay * job.dt, trials)},
    )


if __name__ == "__main__":
    serve(prepare)
