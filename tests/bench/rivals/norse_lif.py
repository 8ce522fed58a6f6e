"""Norse's own recurrent layer LIFRecurrent over a batch of 64 trials.

Its equations are simpler: one synaptic time constant (the excitatory one), Euler steps, no refractory period, no delays.
"""

import time

import numpy as np
from protocol import matrices, serve, shifted


def prepare(job):
    import norse
    import torch
    from norse.torch import LIFParameters, LIFRecurrent

    torch.set_num_threads(1)
    entering, excitatory, inhibitory = matrices(job)
    parameters = LIFParameters(
        tau_syn_inv=torch.tensor(1000 / job.tau_e, dtype=torch.float32),
        tau_mem_inv=torch.tensor(1000 / job.tau_m, dtype=torch.float32),
    )
    layer = LIFRecurrent(
        int(job.channels),
        int(job.neurons),
        p=parameters,
        input_weights=torch.tensor(entering.T, dtype=torch.float32),
        # An inhibitory current lasts longer than this layer's one current: the same area, then.
        recurrent_weights=torch.tensor((excitatory + inhibitory * job.tau_i / job.tau_e).T, dtype=torch.float32),
        autapses=True,
        dt=job.dt / 1000,
    )
    inputs = torch.tensor(shifted(job), dtype=torch.float32)

    def run():
        start = time.perf_counter()
        with torch.inference_mode():
            raster, _ = layer(inputs)
        return time.perf_counter() - start, np.asarray(raster.sum((0, 1)))

    leaves_out = ["delays", "refractory period", "second synaptic time constant", "exact integration"]
    return run, {"version": norse.__version__, "leaves_out": leaves_out}


if __name__ == "__main__":
    serve(prepare)
