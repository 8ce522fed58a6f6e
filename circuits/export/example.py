"""The trial an export comes with, so that whoever opens it can check it against the simulator."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.simulation.simulate import simulate

RATES_HZ = (50.0, 100.0, 200.0, 400.0)
DURATION_MS = 200.0
NOISE_MS = 5.0  # for how long a drive is alike


class Example(NamedTuple):
    """What a circuit is given in one trial: spikes bool [steps, channels], and what drives its sampled channels, float [steps,
    sampled channels]."""

    spikes: np.ndarray
    drive: np.ndarray


def save_example(circuit: Circuit, example: Example | None, path) -> None:
    """Write `inputs` bool [1, steps, channels], `spikes` bool [1, steps, neurons], `outputs` bool [1, steps, slots], those of
    the output ports, and `dt_ms` to an .npz file; of circuits with sampled channels also `drive` float64 [1, steps, channels],
    which is 0 in the first step, that not every tool can drive, and of the other channels.

    They are the simulator's float64 spikes, without membrane noise, for the example; or for the first of some seeded Poisson
    inputs, each denser than the one before, and some noise, each stronger, that makes the circuit answer.
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
    found: dict[str, Any] = {"inputs": inputs[None], "spikes": spikes, "outputs": outputs, "dt_ms": circuit.dt_ms}
    if columns:
        found["drive"] = np.zeros(inputs[None].shape)
        found["drive"][0, :, columns] = drive.T
    np.savez(path, **found)


def _random(circuit: Circuit, sampled: int) -> Iterator[Example]:
    """Spikes for every channel of spikes, smoothed noise for the sampled ones; the same in every call."""
    steps = int(np.clip(DURATION_MS / circuit.dt_ms, 20, 2_000))
    of_spikes = np.array([channel.signal is None for channel in circuit.inputs], bool)
    noise = np.random.default_rng(1).standard_normal((steps, sampled))
    keep = np.exp(-circuit.dt_ms / NOISE_MS)
    for k in range(1, steps):
        noise[k] = keep * noise[k - 1] + np.sqrt(1 - keep**2) * noise[k]
    for strength, rate_hz in enumerate(RATES_HZ, 1):
        spikes = np.random.default_rng(0).random((steps, len(circuit.inputs))) < rate_hz * circuit.dt_ms / 1_000
        yield Example(spikes & of_spikes, strength * noise)
