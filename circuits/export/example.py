"""The trial an export comes with, so that whoever opens it can check it against the simulator."""

from collections.abc import Iterator

import numpy as np

from circuits.circuit import Circuit
from circuits.simulation.simulate import simulate

RATES_HZ = (50.0, 100.0, 200.0, 400.0)
DURATION_MS = 200.0


def save_example(circuit: Circuit, example_input: np.ndarray | None, path) -> None:
    """Write `inputs` bool [1, steps, channels], `spikes` bool [1, steps, neurons], `outputs` bool [1, steps, slots], those of
    the output ports, and `dt_ms` to an .npz file.

    They are the simulator's float64 spikes, without membrane noise, for `example_input` [steps, channels]; or for the first of
    some seeded Poisson inputs, each denser than the one before, that makes the circuit answer.
    """
    circuit = circuit.model_copy(update={"noise_mv": 0.0})
    for inputs in [example_input] if example_input is not None else _poisson(circuit):
        raster = simulate(circuit, inputs[None], dtype="float64")
        spikes, outputs = raster.spikes(), raster.outputs.spikes()
        if (outputs if outputs.size else spikes).any():
            break
    np.savez(path, inputs=inputs[None], spikes=spikes, outputs=outputs, dt_ms=circuit.dt_ms)


def _poisson(circuit: Circuit) -> Iterator[np.ndarray]:
    """Spikes for every input channel, the same in every call: bool [steps, channels]."""
    steps = int(np.clip(DURATION_MS / circuit.dt_ms, 20, 2_000))
    for rate_hz in RATES_HZ:
        yield np.random.default_rng(0).random((steps, len(circuit.inputs))) < rate_hz * circuit.dt_ms / 1_000
