"""The yardstick's job as a circuit of ours."""

import numpy as np

from circuits import Circuit
from circuits.simulation import kernel
from circuits.simulation.packed import from_circuit
from circuits.simulation.raster import pack


def circuit_of(job) -> Circuit:
    """The job's circuit: rest and reset 0 mV, threshold 1 mV; its output port reads two neurons."""
    names = range(job.neurons)
    neurons = [
        {
            "id": n,
            "sign": "E" if job.excitatory[n] else "I",
            "tau_m_ms": job.tau_m[n],
            "tau_syn_e_ms": job.tau_e,
            "tau_syn_i_ms": job.tau_i,
            "v_rest_mv": 0.0,
            "v_th_mv": 1.0,
            "v_reset_mv": 0.0,
            "t_ref_ms": job.t_ref,
        }
        for n in names
    ]
    synapses = [{"pre": s.pre, "post": s.post, "weight_mv": s.weight, "delay_ms": s.delay * job.dt} for s in job.synapses]
    inputs = [
        {
            "name": f"in{c}",
            "synapses": [{"post": i.post, "weight_mv": i.weight, "delay_ms": job.dt} for i in job.inputs if i.channel == c],
        }
        for c in range(job.channels)
    ]
    outputs = [{"name": "out", "neurons": [n for n in names if job.excitatory[n]][:2]}]
    return Circuit(dt_ms=job.dt, neurons=_plain(neurons), inputs=_plain(inputs), synapses=_plain(synapses), outputs=outputs)


def inputs_of(job) -> np.ndarray:
    """The job's input spikes, uint64 [1, steps, channels]."""
    return pack(job.spikes.transpose(2, 0, 1))


def kernel_call(job, real=np.float32):
    """The kernel's part of the job as a call without arguments, and the words it fills: uint64 [steps, neurons]."""
    tables = from_circuit(circuit_of(job), real)
    scratch = kernel.scratch(tables, job.steps)
    scratch.raster[tables.history :, : tables.channels] = inputs_of(job)[0]
    last = len(scratch.raster)

    def call():
        kernel.run(tables, 0, scratch, tables.history, last, False, None, None, None, None, 0, None, None)

    return call, scratch.raster[tables.history :, tables.channels :]


def _plain(value):
    """Numpy scalars as Python's, which the data model wants."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
