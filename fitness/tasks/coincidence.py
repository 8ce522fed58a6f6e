"""Coincidence detection (Konig, Engel and Singer, Trends Neurosci. 19, 1996)."""

import numpy as np
from pydantic import Field

from fitness.base.definition import weights_mv
from fitness.base.task import Task
from fitness.decode import restraint, sized_volley

EARLIEST_MS, LATEST_MS = 5.0, 20.0
SPREAD_MS = 1.0


class Coincidence(Task):
    """Two weak volleys come at once, or one after the other: spike if, and only if, they come at once.

    Inputs: a volley on each channel, the second -longest..longest ms after the first, both of a number of spikes of their own:
    the lag counts, and not their sizes.
    Answer: the output spikes if the lag is at most `window_ms` either way, and not if it is more (lags between, within
    `margin_ms`, do not occur). Trial score: right or wrong, both classes with equal weights. Chance: 1/2, by silence or firing
    always.
    The counts say nothing of the lag: no reader of rates does better than chance. Volleys that are all alike are easier.
    """

    name = "coincidence"
    inputs = ("a", "b")
    outputs = ("out",)
    dt_ms = 0.5
    duration_ms = 60.0
    chance = 0.5
    timing = True
    critical_connections = (("A", "E"),)
    default_spec = {
        "circuit": {"neurons": [1, 8], "delay_ms": [0.5, 10.0], **weights_mv(100.0, 100.0)},
        "circuit.parameters": {"tau_m_ms": [0.5, 20.0], "tau_syn_e_ms": [0.25, 5.0], "tau_syn_i_ms": [0.5, 20.0]},
        "search": {"generations": 100, "trials": 128},
    }

    window_ms: float = Field(2.0, gt=0, le=5, description="largest lag that counts as at once")
    margin_ms: float = Field(1.0, ge=0.5, le=5, description="lags up to this much above the window do not occur")
    longest_ms: float = Field(10.0, ge=10, le=15, description="largest lag of all")
    spikes: int = Field(2, ge=1, le=6, description="spikes of the smallest volley")
    more: int = Field(4, ge=0, le=6, description="additional spikes of the largest volley")

    def make(self, rng, count):
        together = rng.permutation(np.arange(count) % 2)
        near = rng.uniform(0, self.window_ms, count)
        far = rng.uniform(self.window_ms + self.margin_ms, self.longest_ms, count)
        lag = np.where(together, near, far) * rng.choice([-1, 1], count)
        first = rng.uniform(EARLIEST_MS, LATEST_MS, count)
        starts = first + np.maximum(-lag, 0), first + np.maximum(lag, 0)
        largest = self.spikes + self.more
        offsets = rng.uniform(0, SPREAD_MS, (count, largest))
        offsets[:, 0] = 0  # so that the lag is exact
        size = rng.integers(self.spikes, largest + 1, (count, 2))
        trains = [sized_volley(s[:, None] + offsets, n, self.dt_ms, self.steps) for s, n in zip(starts, size.T, strict=True)]
        return np.stack(trains, axis=-1), together, {"lag_ms": lag}

    def variable(self, trials):
        return "lag [ms]", trials.facts["lag_ms"]

    def conditions(self, trials):
        lag = trials.facts["lag_ms"]
        return {"volleys": np.where(trials.labels == 1, "together", "apart"), "first": np.where(lag > 0, "a", "b")}

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 0) == (trials.labels == 1)

    def case_scores(self, raster, trials):
        return restraint(raster.counts()[..., 0], trials.labels == 1)
