"""Exclusive or, by an interneuron that vetoes (after Minsky and Papert, Perceptrons, 1969: one unit alone cannot do it)."""

import numpy as np
from pydantic import Field

from fitness.base.definition import weights_mv
from fitness.base.task import Task
from fitness.decode import restraint, sized_volley

EARLIEST_MS, LATEST_MS = 5.0, 20.0
APART_MS = 2.0
BOTH = 7  # of 8 trials whose answer is silence; the others are empty


class Xor(Task):
    """A volley on A, on B, on both or on neither: spike if, and only if, it is exactly one.

    Inputs: volleys, each of a size and duration of its own; two begin within 2 ms of each other, either first.
    Answer: the output spikes after one volley, and not after two or none. Trial score: right or wrong, both answers with equal
    weights.
    Chance: 1/2, by silence or firing always. Of the trials that want silence 7 in 8 hold both volleys and 1 in 8 is empty, so
    that a relay (A or B) scores 1/8, and one of A alone 0. "Not both" scores 7/8, but takes neurons that fire without input.
    Harder: volleys of more various sizes.
    """

    name = "xor"
    inputs = ("a", "b")
    outputs = ("out",)
    dt_ms = 0.5
    duration_ms = 60.0
    chance = 0.5
    critical_connections = (("I", "E"),)
    default_spec = {
        "circuit": {"neurons": [1, 8], "delay_ms": [0.5, 10.0], **weights_mv(100.0, 100.0)},
        "circuit.parameters": {"tau_m_ms": [1.0, 20.0], "tau_syn_e_ms": [0.5, 5.0], "tau_syn_i_ms": [0.5, 20.0]},
        "search": {"generations": 100, "trials": 128},
    }

    spikes: int = Field(4, ge=4, le=8, description="spikes of the smallest volley")
    more: int = Field(
        2, ge=0, le=3, description="additional spikes of the largest volley; two volleys together always have more"
    )
    spread_ms: float = Field(5.0, ge=2, le=10, description="longest volley")

    def make(self, rng, count):
        order = rng.permutation(count)
        one = order % 2 == 1
        both = (order // 2 * BOTH) // 8 < ((order // 2 + 1) * BOTH) // 8
        side = order // 2 % 2
        present = np.stack([np.where(one, side == c, both) for c in (0, 1)], axis=-1)
        start = rng.uniform(EARLIEST_MS, LATEST_MS, (count, 1)) + rng.uniform(0, APART_MS, (count, 2))
        trains = []
        for channel in (0, 1):
            size = rng.integers(self.spikes, self.spikes + self.more + 1, count)
            length = rng.uniform(2, self.spread_ms, (count, 1))
            times = start[:, [channel]] + length * rng.random((count, self.spikes + self.more))
            trains.append(sized_volley(times, size * present[:, channel], self.dt_ms, self.steps))
        return np.stack(trains, axis=-1), one.astype(int), {"present": present}

    def variable(self, trials):
        return "volleys", trials.facts["present"].sum(axis=1)

    def conditions(self, trials):
        return {"volleys on": np.array(["neither", "a", "b", "both"])[trials.facts["present"] @ [1, 2]]}

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 0) == (trials.labels == 1)

    def case_scores(self, raster, trials):
        return restraint(raster.counts()[..., 0], trials.labels == 1)
