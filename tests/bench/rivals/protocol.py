"""How a rival talks to the benchmark: the job from a file, then one line per run. Needs numpy alone; nothing of ours.

    python RIVAL.py job.npz [more]      with a `prepare(job, *more)` that returns (run, about)

`run()` does the job once and returns the seconds that took, set-up left out, and what came of it in whole numbers; of a
simulation, from rest, the spikes of each neuron over all trials. First line out: JSON with `about`, the rival's version and, if
it is not there already, that result. Then for each line "go" in: seconds.
"""

import json
import os
import sys
from types import SimpleNamespace

import numpy as np


def serve(prepare):
    """Answer the benchmark until its end of the pipe closes; a missing package is an answer too."""
    # Libraries print banners; what they print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        run, about = prepare(load(sys.argv[1]), *sys.argv[2:])
        result = about["result"] if "result" in about else run()[1]
    except ImportError as error:
        print(json.dumps({"absent": str(error)}), file=answers, flush=True)
        return
    print(json.dumps(about | {"result": np.asarray(result).astype(int).tolist()}), file=answers, flush=True)
    for line in sys.stdin:
        if line.strip() == "go":
            print(repr(run()[0]), file=answers, flush=True)


def load(path) -> SimpleNamespace:
    """The job: see `tests.bench.contest.write_job`."""
    with np.load(path) as file:
        return SimpleNamespace(**{name: file[name][()] for name in file.files})


def propagators(job, tau_m=None) -> SimpleNamespace:
    """Exact one-step propagators in float64: V <- p22 V + p21e I_e + p21i I_i, I_x <- p11x I_x; tau_m [...]: not the job's."""
    tau_m = job.tau_m if tau_m is None else tau_m
    return SimpleNamespace(
        p22=np.exp(-job.dt / tau_m),
        p11e=np.exp(-job.dt / job.tau_e),
        p11i=np.exp(-job.dt / job.tau_i),
        p21e=_p21(job.dt, tau_m, job.tau_e),
        p21i=_p21(job.dt, tau_m, job.tau_i),
    )


def matrices(job):
    """Weights without delays: inputs [channels, neurons], excitatory and inhibitory (negative) [neurons, neurons]."""
    entering = np.zeros((job.channels, job.neurons))
    entering[job.input_channel, job.input_post] = job.input_weight
    dense = np.zeros((job.neurons, job.neurons))
    dense[job.pre, job.post] = job.weight
    excitatory = job.excitatory[:, None]
    return entering, np.where(excitatory, dense, 0), np.where(excitatory, 0, -dense)


def shifted(job):
    """The input as it arrives, [steps, trials, channels]: a spike of row k in step k + 1, the delay of one step."""
    arrives = np.zeros_like(job.spikes)
    arrives[1:] = job.spikes[:-1]
    return arrives.transpose(0, 2, 1)


def _p21(dt, tau_m, tau_syn):
    a = 1 / tau_syn - 1 / tau_m
    return np.exp(-dt / tau_m) * -np.expm1(-a * dt) / a / tau_m
