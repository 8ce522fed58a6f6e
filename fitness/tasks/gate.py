"""Information routing through inhibition (Pouille and Scanziani, Science 293, 2001, for the inhibition that does it)."""

import numpy as np
from pydantic import Field

from fitness.decode import spike_train
from fitness.task import Task

SLOT_MS = 30.0
WINDOW_MS = 15.0
VOLLEY_MS = 3.0


class Gate(Task):
    """A control input decides whether channel A or channel B reaches the output; the other must not.

    Inputs: volleys on A and on B, never together, equally many of each in random order; control silent (route A) or firing
    through the whole trial (route B).
    Answer: a spike within 15 ms of every volley of the routed channel, none within 15 ms of the others. Credit: half the share
    of routed volleys answered plus half the share of the others ignored. Chance: 1/2 (silence, or answering everything).
    Without inhibition, A cannot be stopped by more input.
    """

    name = "gate"
    inputs = ("a", "b", "control")
    outputs = ("out",)
    dt_ms = 0.5
    chance = 0.5

    volleys: int = Field(3, ge=1, le=10, description="volleys per channel and trial")
    spikes: int = Field(3, ge=1, le=6, description="spikes per volley, within 3 ms")
    control_hz: float = Field(200.0, ge=20, le=500, description="rate of the control input when it is on")

    @property
    def duration_ms(self):
        return SLOT_MS * (2 * self.volleys + 1)

    def make(self, rng, count):
        slots = 2 * self.volleys
        control = rng.permutation(np.arange(count) % 2)
        channel = rng.permuted(np.tile(np.arange(slots) % 2, (count, 1)), axis=1)
        start = SLOT_MS * (1 + np.arange(slots)) + rng.uniform(0, SLOT_MS - WINDOW_MS - VOLLEY_MS, (count, slots))
        times = start[..., None] + rng.uniform(0, VOLLEY_MS, (count, slots, self.spikes))
        spikes = np.zeros((count, self.steps, 3), bool)
        for c in range(2):
            own = times[channel == c].reshape(count, -1)
            spikes[..., c] = spike_train(own, self.dt_ms, self.steps)
        interval = 1000 / self.control_hz
        regular = np.arange(0.5, self.duration_ms / interval)
        beats = (regular + rng.uniform(-0.3, 0.3, (count, len(regular)))) * interval
        spikes[..., 2] = spike_train(beats, self.dt_ms, self.steps) & (control == 1)[:, None]
        return spikes, control, {"volley_ms": start, "routed": channel == control[:, None]}

    def credit(self, raster, trials):
        after = (np.arange(self.steps) + 1) * self.dt_ms - trials.facts["volley_ms"][..., None]  # [trials, volleys, steps]
        windows = (after > 0) & (after <= VOLLEY_MS + WINDOW_MS)
        routed = trials.facts["routed"]
        answered = np.stack([raster.fired_in(windows[:, k])[..., 0] for k in range(routed.shape[1])], axis=-1)
        hits = (answered & routed).sum(axis=-1) / self.volleys
        rejects = (~answered & ~routed).sum(axis=-1) / self.volleys
        return (hits + rejects) / 2
