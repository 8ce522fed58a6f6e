"""Information routing through inhibition (Pouille and Scanziani, Science 293, 2001, for the inhibition that does it)."""

import numpy as np
from pydantic import Field

from fitness.base.task import Task
from fitness.decode import fired_between

SLOT_MS = 30.0
WINDOW_MS = 15.0
VOLLEY_MS = 5.0


class Gate(Task):
    """A control input decides whether channel A or channel B reaches the output; the other must not.

    Inputs: volleys on A and on B, never together, equally many of each in random order, each of a size and duration of its own
    (so that no circuit can tell by how promptly a volley makes a neuron fire); control silent (route A) or firing irregularly
    through the whole trial (route B).
    Answer: a spike within 20 ms of the start of every volley of the routed channel, and none at any other time. Trial score:
    the share of volleys treated right, a routed one answered promptly and then silence until the next volley, another one
    followed by silence alone; nothing for a trial with a spike before the first volley. Chance: 1/2, by silence or by answering
    all.
    Without inhibition, A cannot be stopped by more input.
    """

    name = "gate"
    critical_connections = (("control", "I"),)
    default_spec = {
        "circuit": {
            "neurons": [3, 8],
            "excitatory_share": [0.5, 0.9],
            "in_degree": 6,
            "delay_ms": [0.5, 2.0],
            "excitatory_weight_mv": [1.0, 60.0],
        },
        "circuit.parameters": {
            "tau_m_ms": [5.0, 30.0],
            "tau_syn_e_ms": [1.0, 8.0],
            "tau_syn_i_ms": [2.0, 20.0],
            "t_ref_ms": 0.5,  # short: a long one can stand in for inhibition, the control keeps a neuron refractory
        },
        "search": {"generations": 150, "trials": 128},
    }
    inputs = ("a", "b", "control")
    outputs = ("out",)
    dt_ms = 0.5
    chance = 0.5

    volleys: int = Field(3, ge=1, le=10, description="volleys per channel and trial")
    spikes: int = Field(3, ge=1, le=6, description="spikes of the smallest volley; the largest has twice as many")
    control_hz: float = Field(200.0, ge=20, le=500, description="mean rate of the control input when it is on")

    @property
    def duration_ms(self):
        return SLOT_MS * (2 * self.volleys + 1)

    def make(self, rng, count):
        slots = 2 * self.volleys
        control = rng.permutation(np.arange(count) % 2)
        channel = rng.permuted(np.tile(np.arange(slots) % 2, (count, 1)), axis=1)
        start = SLOT_MS * (1 + np.arange(slots)) + rng.uniform(0, SLOT_MS - WINDOW_MS - VOLLEY_MS, (count, slots))
        size = rng.integers(self.spikes, 2 * self.spikes + 1, (count, slots, 1))
        length = rng.uniform(1, VOLLEY_MS, (count, slots, 1))
        times = start[..., None] + rng.uniform(0, 1, (count, slots, 2 * self.spikes)) * length
        trial, slot, _ = fires = np.nonzero(np.arange(2 * self.spikes) < size)
        spikes = np.zeros((count, self.steps, 3), bool)
        spikes[trial, np.rint(times[fires] / self.dt_ms).astype(int), channel[trial, slot]] = True
        interval = 1000 / (self.control_hz * rng.uniform(0.75, 1.25, (count, 1)))
        beats = np.arange(0.5, self.duration_ms / interval.min())
        beats = (beats + rng.uniform(-0.45, 0.45, (count, len(beats)))) * interval
        trial, beat = np.nonzero((beats < self.duration_ms) & (control == 1)[:, None])
        spikes[trial, np.floor(beats[trial, beat] / self.dt_ms).astype(int), 2] = True
        return spikes, control, {"volley_ms": start, "routed": channel == control[:, None]}

    def conditions(self, trials):
        return {"route": np.array(["a", "b"])[trials.labels]}

    def trial_scores(self, raster, trials):
        start, routed = trials.facts["volley_ms"], trials.facts["routed"]
        until = np.column_stack([start[:, 1:], np.full(len(start), np.inf)])  # the next volley
        right = 0
        for k in range(routed.shape[1]):
            answer_by = start[:, k] + VOLLEY_MS + WINDOW_MS
            prompt, late = fired_between(raster, start[:, k], answer_by), fired_between(raster, answer_by, until[:, k])
            right = right + ((prompt == routed[:, k]) & ~late)
        return right * ~fired_between(raster, np.zeros(len(start)), start[:, 0]) / routed.shape[1]
