"""A flip-flop: activity that one input starts and another one ends (Wang, Trends Neurosci. 24, 2001)."""

import numpy as np
from pydantic import Field

from fitness.base.task import Task
from fitness.base.trials import Symbols
from fitness.decode import active, routed_volleys

EARLIEST_MS, LATEST_MS = 20.0, 60.0  # of the first pulse
SHORTEST_MS = 50.0  # from one pulse to the next
SPREAD_MS = 4.0
GRACE_MS = 20.0  # after a pulse
BIN_MS = 15.0  # a hold of 50 ms has a whole one after the grace, wherever the bins begin


class Toggle(Task):
    """Pulses set and reset the output: it fires after a set until the next reset, and is silent otherwise.

    Inputs: small volleys on `set` and `reset`, equally many of both in every trial and in random order, so that a set often
    follows a set; 50..longest_ms from one to the next. The output starts off.
    Answer: at least one spike in every bin of 15 ms while on, none while off; bins within 20 ms of a pulse are not judged.
    Trial score: share of the bins that are right, those on and those off with equal weights. Chance: 1/2, by silence or firing
    always.
    Classes: how the trial ends, off or on. Harder: more volleys of fewer spikes, longer holds.
    """

    name = "toggle"
    inputs = ("set", "reset")
    outputs = ("out",)
    dt_ms = 1.0
    duration_ms = 990.0
    chance = 0.5
    timing = True
    critical_connections = (("E", "E"),)
    default_spec = {
        "circuit": {"neurons": [1, 6], "delay_ms": [1.0, 10.0]},
        "circuit.parameters": {"tau_m_ms": [5.0, 30.0], "tau_syn_e_ms": [1.0, 20.0], "tau_syn_i_ms": [2.0, 20.0]},
        "search": {"generations": 30},
    }

    volleys: int = Field(3, ge=1, le=4, description="volleys on each channel")
    spikes: int = Field(3, ge=1, le=8, description="spikes of a volley")
    longest_ms: float = Field(500.0, ge=150, le=500, description="longest time from one volley to the next")

    def make(self, rng, count):
        ends_on = rng.permutation(np.arange(count) % 2)
        others = np.tile([0, 1], self.volleys)  # all but the last
        first = rng.permuted(np.where(ends_on[:, None], np.delete(others, 1), np.delete(others, 0)), axis=1)
        sets = np.column_stack([first, ends_on]) == 1
        times = self._times(rng, count, sets.shape[1])
        spikes = routed_volleys(rng, times, np.where(sets, 0, 1), 2, self.spikes, SPREAD_MS, self.dt_ms, self.steps)
        return spikes, ends_on, {"wanted": self._wanted(times, sets), "pulse_ms": times, "sets": sets}

    def as_sequence(self, trials):
        return Symbols(self.inputs, np.where(trials.facts["sets"], 0, 1), trials.facts["pulse_ms"])

    def conditions(self, trials):
        holds = np.diff(trials.facts["pulse_ms"], axis=1)
        return {"ends": np.array(["off", "on"])[trials.labels], "longest hold [ms]": holds.max(axis=1)}

    def trial_scores(self, raster, trials):
        fired, wanted = active(raster, BIN_MS)[..., 0], trials.facts["wanted"]
        on, off = wanted == 1, wanted == 0
        right_on = (fired & on).sum(axis=-1) / on.sum(axis=-1)
        right_off = (~fired & off).sum(axis=-1) / off.sum(axis=-1)
        return (right_on + right_off) / 2

    def _times(self, rng, count, pulses):
        """Times of the pulses in ms, [count, pulses], the last hold being long enough, too."""

        def draw(n):
            holds = np.exp(rng.uniform(np.log(SHORTEST_MS), np.log(self.longest_ms), (n, pulses - 1)))
            return np.column_stack([rng.uniform(EARLIEST_MS, LATEST_MS, n), holds]).round().cumsum(axis=1)

        times = draw(count)
        while (late := times[:, -1] > self.duration_ms - SHORTEST_MS).any():
            times[late] = draw(late.sum())
        return times

    def _wanted(self, times, sets):
        """Wanted state of each bin: int [trials, bins], 1 on, 0 off, -1 not judged."""
        start = np.arange(int(self.duration_ms / BIN_MS)) * BIN_MS
        edges = np.column_stack([np.full(len(times), -GRACE_MS), times, np.full(len(times), self.duration_ms)])
        after, on = edges[:, :-1, None] + GRACE_MS, np.column_stack([np.zeros(len(sets), bool), sets])[..., None]
        judged = (start >= after) & (start + BIN_MS <= edges[:, 1:, None])
        return np.where(judged.any(axis=1), (judged & on).any(axis=1), -1)
