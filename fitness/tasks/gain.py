"""Response normalisation (Carandini and Heeger, Nat. Rev. Neurosci. 13, 2012)."""

import numpy as np
from pydantic import Field

from fitness.base.driven import Driven
from fitness.base.measured import by_class
from fitness.decode import busiest, poisson

LEVELS = 8  # of the drive


class Gain(Driven):
    """The circuit follows a weak drive and saturates with a strong one: its rate is r = r_max x / (x + s).

    Inputs: one channel, Poisson spikes at a steady mean rate x in each trial, from `slowest_hz` to `fastest_hz` in equal
    ratios.
    Answer: over the trial, the excitatory neuron that fires most (so that none saturates behind another) has a mean rate of
    `r_max_hz` x / (x + `half_hz`). Score: R^2 of the mean rates against that curve, from 0 for what the best straight line
    r = k x explains to 1, times the share of all changes of the mean rate, from drive to drive in Hz, that are rises. Chance:
    0, by silence, firing always, a steady rate or passing the drive on. A trial's mark is the smaller over the larger of its
    rate and the right one.
    Harder: a smaller `half_hz` (the curve bends more), a wider range of drives.
    """

    name = "gain"
    dt_ms = 1.0
    duration_ms = 400.0
    default_spec = {**Driven.default_spec, "search": {"generations": 60, "trials": 128}}

    r_max_hz: float = Field(50.0, ge=5, le=500, description="rate that a very strong drive leads to")
    half_hz: float = Field(20.0, ge=5, le=500, description="drive that leads to half of it")
    slowest_hz: float = Field(5.0, ge=2, le=20, description="weakest drive")
    fastest_hz: float = Field(200.0, ge=50, le=500, description="strongest drive")

    def make(self, rng, count):
        level = rng.permutation(np.arange(count) % LEVELS)
        drive = np.geomspace(self.slowest_hz, self.fastest_hz, LEVELS)[level]
        spikes = poisson(rng, np.repeat(drive[:, None], self.steps, axis=1), self.dt_ms)[..., None]
        spikes[np.arange(count), rng.integers(0, self.steps, count), 0] |= ~spikes.any(axis=(1, 2))  # at least one
        return spikes, level, {"drive_hz": drive}

    def right_hz(self, drive_hz):
        """The rate that a drive should lead to."""
        return self.r_max_hz * drive_hz / (drive_hz + self.half_hz)

    def variable(self, trials):
        return "drive [Hz]", trials.facts["drive_hz"]

    def measure(self, raster, trials):
        spikes = busiest(raster.counts(), raster.excitatory)
        return spikes[..., None] * (1000 / self.duration_ms)

    def overall(self, measured, trials):
        rate, drive = by_class(measured[..., 0], trials.labels), by_class(trials.facts["drive_hz"], trials.labels)
        right = self.right_hz(drive)
        line = drive * (drive @ right) / (drive @ drive)
        spread = ((right - right.mean()) ** 2).sum()
        error, of_line = (((r - right) ** 2).sum(axis=-1) for r in (rate, line))
        change = np.diff(rate, axis=-1)
        rising = np.maximum(change, 0).sum(axis=-1) / np.maximum(np.abs(change).sum(axis=-1), 1e-9)
        return np.clip(1 - error / max(min(of_line, spread), 1e-9), 0, 1) * rising

    def mark(self, measured, trials):
        rate, right = measured[..., 0], self.right_hz(trials.facts["drive_hz"])
        return np.minimum(rate, right) / np.maximum(rate, right)
