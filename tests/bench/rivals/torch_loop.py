"""Batched torch, a plain loop over the steps: same equations, dense matrices, every delay one step.

All inputs of the run go through one matrix product before the loop; a step has one for each sign, of the rows with that sign.
"""

import time

import numpy as np
from protocol import matrices, propagators, serve, shifted


def prepare(job):
    import torch

    torch.set_num_threads(1)
    entering, excitatory, inhibitory = matrices(job)
    first_i = int(job.excitatory.sum())
    if not job.excitatory[:first_i].all():
        raise ValueError("the job's excitatory neurons must come first")
    simulate = simulator(job)
    weights = [torch.tensor(x, dtype=torch.float32) for x in (entering, excitatory[:first_i], inhibitory[first_i:])]

    def run():
        start = time.perf_counter()
        with torch.inference_mode():
            raster = simulate(*weights, job.tau_m)
        return time.perf_counter() - start, raster.sum((0, 1)).numpy()

    return run, {"version": torch.__version__, "leaves_out": ["delays"]}


def simulator(job):
    """A call for circuits on the job's trials: (weights of inputs [channels, neurons], of E neurons, which come first, and of I
    neurons, negative, [E or I neurons, neurons], tau_m [neurons] in ms) -> spikes, float [steps, trials, neurons]."""
    import torch

    inputs = torch.tensor(shifted(job), dtype=torch.float32)
    steps, trials, _ = inputs.shape
    n, n_ref = int(job.neurons), round(job.t_ref / job.dt)

    def simulate(into, from_e, from_i, tau_m):
        p, first_i = propagators(job, tau_m), len(from_e)
        p22, p21e, p21i = (torch.tensor(np.broadcast_to(x, n), dtype=torch.float32) for x in (p.p22, p.p21e, p.p21i))
        p11e, p11i = float(p.p11e), float(p.p11i)
        raster = torch.zeros(steps + 1, trials, n)
        arriving = inputs @ into
        v, i_e, i_i, held = (torch.zeros(trials, n) for _ in range(4))
        for k in range(steps):
            v = torch.addcmul(torch.addcmul(p22 * v, p21e, i_e), p21i, i_i)
            v *= held <= 0
            i_e = torch.addmm(torch.add(arriving[k], i_e, alpha=p11e), raster[k, :, :first_i], from_e)
            i_i = torch.addmm(i_i, raster[k, :, first_i:], from_i, beta=p11i)
            fired = v >= 1
            raster[k + 1] = fired
            v.masked_fill_(fired, 0.0)
            held = torch.where(fired, float(n_ref), held - 1)
        return raster[1:]

    return simulate


if __name__ == "__main__":
    serve(prepare)
