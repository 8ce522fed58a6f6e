"""The example trial of an export, to check it against the simulator."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.simulation.simulate import simulate

RATES_HZ = (50.0, 100.0, 200.0, 400.0)
DURATION_MS = 200.0
NOISE_MS = 5.0  # correlation time of the drive


class Example(NamedTuple):
    """Input to a circuit in one trial: spikes bool [steps, channels], and the drive of sampled channels, float [steps, sampled
    channels]."""

    spikes: np.ndarray
    drive: np.ndarray


def save_example(circuit: Circuit, example: Example | None, path) -> None:
    """Write an .npz file: `inputs` bool [1, steps, channels], `spikes` bool [1, steps, neurons], `outputs` bool [1, steps,
    slots] of the output ports, and `dt_ms`; with sampled channels also `drive` float64 [1, steps, channels], 0 for other
    channels and in the first step, which not every tool can drive.

    Spikes are the simulator's in float64, without membrane noise, in response to the example; or to the weakest of a series of
    seeded Poisson inputs and drives to which the circuit responds.
    """
    circuit = circuit.model_copy(update={"noise_mv": 0.0})
    columns = [c for c, channel in enumerate(circuit.inputs) if channel.signal is not None]
    for inputs, signals in [example] if example is not None else _random(circuit, len(columns)):
        drive = np.array(signals, "f8")
        drive[:1] = 0.0
        raster = simulate(circuit, inputs[None], dtype="float64", signals=drive[None])
        spikes, outputs = raster.spikes(), raster.outputs.spikes()
        if (outputs if outputs.size else spikes).any():
            break
    arrays: dict[str, Any] = {"inputs": inputs[None], "spikes": spikes, "outputs": outputs, "dt_ms": circuit.dt_ms}
    if columns:
        arrays["drive"] = np.zeros(inputs[None].shape)
        arrays["drive"][0, :, columns] = drive.T
    np.savez(path, **arrays)


def _random(circuit: Circuit, sampled: int) -> Iterator[Example]:
    """Seeded examples of rising strength: Poisson spikes for spike channels, smoothed noise for sampled channels."""
    steps = int(np.clip(DURATION_MS / circuit.dt_ms, 20, 2_000))
    spike_channels = np.array([channel.signal is None for channel in circuit.inputs], bool)
    noise = np.random.default_rng(1).standard_normal((steps, sampled))
    decay = np.exp(-circuit.dt_ms / NOISE_MS)
    for k in range(1, steps):
        noise[k] = decay * noise[k - 1] + np.sqrt(1 - decay**2) * noise[k]
    for strength, rate_hz in enumerate(RATES_HZ, 1):
        spikes = np.random.default_rng(0).random((steps, len(circuit.inputs))) < rate_hz * circuit.dt_ms / 1_000
        yield Example(spikes & spike_channels, strength * noise)
