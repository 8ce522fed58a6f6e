"""Onset detection (Pouille and Scanziani, Science 293, 2001, for the feedforward inhibition that does it)."""

import numpy as np
from pydantic import Field

from circuits.simulation.raster import Raster
from fitness.base.definition import weights_mv
from fitness.base.measured import Measured
from fitness.decode import poisson

WINDOW_MS = 10.0
EARLIEST, LATEST = 5, 14  # windows before the onset
WINDOWS = 25


class Onset(Measured):
    """Merged afferents step from a low to a high rate: spike at the step, and be silent before and after.

    Inputs: a Poisson train of low rate that steps up to a high one (0.75..1.25 times `drive_hz`) 50 to 140 ms after the start,
    and stays there to the end of the trial.
    Answer: at least one spike within 10 ms of the step, then silence. Score: the hit rate, less the share of the 10 ms windows
    from 20 ms after the step that hold a spike (the sustained rate), less the share of the windows before it (false alarms).
    Chance: 0, by silence, firing always, relaying the input or firing at random. Each trial's mark is the hit (half of one
    when it comes up to 20 ms late) times the shares of windows rightly silent. Classes: early or late steps. Harder: a smaller
    step.
    """

    name = "onset"
    inputs = ("afferents",)
    outputs = ("out",)
    dt_ms = 0.5
    duration_ms = WINDOWS * WINDOW_MS
    critical_connections = (("I", "E"),)
    default_spec = {
        "circuit": {"neurons": [1, 6], "delay_ms": [0.5, 5.0], **weights_mv(100.0, 100.0)},
        # short refractory periods: a long one could stand in for inhibition
        "circuit.parameters": {"tau_m_ms": [2.0, 20.0], "tau_syn_e_ms": [0.5, 5.0], "tau_syn_i_ms": [2.0, 40.0]},
        "search": {"generations": 60, "trials": 256},
    }

    background_hz: float = Field(10.0, ge=0, le=50, description="rate before the step")
    drive_hz: float = Field(600.0, ge=200, le=1000, description="rate after the step, of all afferents together")

    def make(self, rng, count):
        late = rng.permutation(np.arange(count) % 2)
        window = rng.integers(EARLIEST, (EARLIEST + LATEST + 1) // 2, count) + late * (LATEST - EARLIEST + 1) // 2
        rate = self.drive_hz * rng.uniform(0.75, 1.25, (count, 1))
        on = np.arange(self.steps) * self.dt_ms >= window[:, None] * WINDOW_MS
        return poisson(rng, np.where(on, rate, self.background_hz), self.dt_ms)[..., None], late, {"window": window}

    def variable(self, trials):
        return "time of the step [ms]", trials.facts["window"] * WINDOW_MS

    def conditions(self, trials):
        return {"step": np.array(["early", "late"])[trials.labels]}

    def measure(self, raster, trials):
        words = raster.bits.reshape(*raster.bits.shape[:-2], WINDOWS, -1)
        fired = Raster(np.bitwise_or.reduce(words, axis=-1)[..., None], raster.trials, WINDOW_MS).spikes_per_step()
        so_far = np.cumsum(fired, axis=-1)  # windows with a spike, [..., trials, windows]
        window = trials.facts["window"]

        def up_to(last):
            index = np.broadcast_to(last, so_far.shape[:-1])[..., None]
            return np.take_along_axis(so_far, index, axis=-1)[..., 0]

        before, at, after = up_to(window - 1), up_to(window), up_to(window + 1)
        sustained = (so_far[..., -1] - after) / (WINDOWS - 2 - window)
        return np.stack([at - before, after - at, sustained, before / window], axis=-1)

    def overall(self, measured, trials):
        hit, _, sustained, false = np.moveaxis((measured * trials.weights[:, None]).sum(axis=-2), -1, 0)
        return hit - sustained - false

    def mark(self, measured, trials):
        hit, late, sustained, false = np.moveaxis(measured, -1, 0)
        return np.maximum(hit, late / 2) * (1 - sustained) * (1 - false)
