"""Brian2 with its C++ standalone device: same equations, same delays, the 64 trials as 64 copies in one group.

Refractory for n_ref + 1 steps counted from the spike, where ours are n_ref steps counted from the one after.
"""

import tempfile
import time

import numpy as np
from protocol import serve

EQUATIONS = """
dv/dt = (-v + i_e + i_i) / tau_m : 1 (unless refractory)
di_e/dt = -i_e / tau_e : 1
di_i/dt = -i_i / tau_i : 1
tau_m : second (constant)
"""


def prepare(job):
    import brian2 as b

    folder = tempfile.TemporaryDirectory(prefix="brian2-")
    b.set_device("cpp_standalone", build_on_run=False)
    b.defaultclock.dt = job.dt * b.ms
    trials, n = job.spikes.shape[2], int(job.neurons)
    group = b.NeuronGroup(
        n * trials,
        EQUATIONS,
        threshold="v >= 1",
        reset="v = 0",
        refractory=(round(job.t_ref / job.dt) + 1) * job.dt * b.ms,
        method="exact",
        namespace={"tau_e": job.tau_e * b.ms, "tau_i": job.tau_i * b.ms},
    )
    group.tau_m = np.tile(job.tau_m, trials) * b.ms
    step, channel, trial = np.nonzero(job.spikes)
    entering = b.SpikeGeneratorGroup(job.channels * trials, trial * job.channels + channel, step * job.dt * b.ms)
    excites = job.excitatory[job.pre]
    wiring = [
        wire(b, job, entering, group, "i_e", job.input_channel, job.input_post, job.input_weight, 1, job.channels),
        *(
            wire(b, job, group, group, to, job.pre[here], job.post[here], factor * job.weight[here], job.delay[here], n)
            for to, here, factor in (("i_e", excites, 1), ("i_i", ~excites, -1))
        ),
    ]
    monitor = b.SpikeMonitor(group)
    network = b.Network(group, entering, *wiring, monitor)
    network.run(len(job.spikes) * job.dt * b.ms)
    start = time.perf_counter()
    b.device.build(directory=folder.name, compile=True, run=False)
    about = {"version": b.__version__, "build_seconds": time.perf_counter() - start, "leaves_out": []}

    def run(kept=folder):
        b.device.run(kept.name, with_output=False)
        # The program's own clock around the steps: neither starting it nor writing its results counts.
        return b.device._last_run_time, np.asarray(monitor.count).reshape(trials, n).sum(0)

    return run, about


def wire(b, job, source, group, to, pre, post, weight, delay, size):
    """One copy of the synapses per trial; `size` is how many sources one trial has."""
    trials = job.spikes.shape[2]
    shift = np.arange(trials)[:, None]
    synapses = b.Synapses(source, group, "w : 1", on_pre=f"{to}_post += w")
    synapses.connect(i=(pre + shift * size).ravel(), j=(post + shift * job.neurons).ravel())
    synapses.w = np.tile(weight.astype("f8"), trials)
    synapses.delay = np.tile(np.broadcast_to(delay, pre.shape), trials) * job.dt * b.ms
    return synapses


if __name__ == "__main__":
    serve(prepare)
