"""The trial an export comes with, so that whoever opens it can check it against the simulator."""

import numpy as np

from circuits.circuit import Circuit
from circuits.simulate import simulate

RATE_HZ = 50.0
DURATION_MS = 200.0


def poisson(circuit: Circuit) -> np.ndarray:
    """Seeded Poisson spikes for every input channel, the same in every call: bool [steps, channels]."""
    steps = int(np.clip(DURATION_MS / circuit.dt_ms, 20, 2_000))
    return np.random.default_rng(0).random((steps, len(circuit.inputs))) < RATE_HZ * circuit.dt_ms / 1_000


def save_example(circuit: Circuit, example_input: np.ndarray | None, path) -> None:
    """Write `inputs` bool [1, steps, channels], `spikes` bool [1, steps, neurons] and `outputs` bool [1, steps, slots], the
    spikes of the output ports, and `dt_ms` to an .npz file.

    They are the simulator's float64 spikes, without membrane noise, for `example_input` [steps, channels], or for `poisson`.
    """
    inputs = (poisson(circuit) if example_input is None else example_input)[None]
    raster = simulate(circuit.model_copy(update={"noise_mv": 0.0}), inputs, dtype="float64")
    np.savez(path, inputs=inputs, spikes=raster.spikes(), outputs=raster.outputs.spikes(), dt_ms=circuit.dt_ms)
