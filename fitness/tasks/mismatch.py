"""Stimulus-specific adaptation: the oddball (Ulanovsky, Las and Nelken, Nat. Neurosci. 6, 2003)."""

from statistics import NormalDist

import numpy as np
from pydantic import Field

from fitness.base.measured import Measured
from fitness.base.trials import Symbols
from fitness.decode import fired_between, routed_volleys, share

EARLIEST_MS, LATEST_MS = 5.0, 25.0  # of the first event
SPREAD_MS = 4.0
WINDOW_MS = 30.0
GRACE = 3  # events at the start, before the standard is known
PERFECT = 3.0  # d' that scores 1


class Mismatch(Measured):
    """A regular sequence of volleys on one channel, the standard; in half of the trials one of them is on the other channel.

    Inputs: volleys on `a` and `b`, one every 50 ms; the standard is `a` in half of the trials and `b` in the others; each place
    after the first three is as likely as another to hold the deviant.
    Answer: the output spikes within 30 ms of the deviant, and after no standard until the next event (the first three events
    are not judged). Score: d' / 3 of hits against false alarms, those of the trials with or without a deviant, whichever are
    more; either rate counts up to what alone would make d' 3 / 2. Chance: 0, by silence, or by answering any event, those of
    one channel, or those at one place.
    Classes: 0 and 1 without, 2 and 3 with a deviant; `a` or `b` the standard. Harder: more jitter, slower, smaller volleys.
    """

    name = "mismatch"
    inputs = ("a", "b")
    outputs = ("out",)
    dt_ms = 1.0
    critical_connections = (("A", "out"), ("B", "out"))
    default_spec = {
        "circuit": {
            "synapse_model": "short_term",
            "neurons": [2, 8],
            "delay_ms": [1.0, 10.0],
            "excitatory_weight_mv": [1.0, 300.0],
        },
        "circuit.parameters": {
            "tau_m_ms": [5.0, 20.0],
            "tau_syn_e_ms": [1.0, 5.0],
            "use": [0.1, 0.9],
            "tau_rec_ms": [50.0, 1000.0],
        },
        "search": {"generations": 30},
    }

    events: int = Field(8, ge=5, le=20, description="volleys of a trial")
    every_ms: float = Field(50.0, ge=45, le=200, description="time from one volley to the next")
    jitter_ms: float = Field(3.0, ge=0, le=5, description="a volley comes up to this much too early or too late")
    spikes: int = Field(3, ge=1, le=6, description="spikes of a volley")

    @property
    def duration_ms(self):
        return round(LATEST_MS + self.every_ms * self.events)

    def make(self, rng, count):
        label = rng.permutation(np.arange(count) % 4)
        position = rng.integers(GRACE, self.events, (count, 1))
        deviant = (np.arange(self.events) == position) & (label >= 2)[:, None]
        start = rng.uniform(EARLIEST_MS, LATEST_MS, (count, 1)) + self.every_ms * np.arange(self.events)
        start = (start + rng.uniform(-self.jitter_ms, self.jitter_ms, start.shape)).round()
        on_b = (deviant ^ (label % 2 == 1)[:, None]).astype(int)
        spikes = routed_volleys(rng, start, on_b, 2, self.spikes, SPREAD_MS, self.dt_ms, self.steps)
        return spikes, label, {"deviant": deviant, "event_ms": start}

    def as_sequence(self, trials):
        on_b = trials.facts["deviant"] ^ (trials.labels % 2 == 1)[:, None]
        return Symbols(self.inputs, on_b.astype(int), trials.facts["event_ms"])

    def conditions(self, trials):
        return {"standard": np.array(["a", "b"])[trials.labels % 2]}

    def measure(self, raster, trials):
        """Was the deviant answered (0 if there is none)? What share of the standards was? [..., trials, 2]"""
        start, deviant = trials.facts["event_ms"], trials.facts["deviant"]
        until = np.column_stack([start[:, 1:], np.full(len(start), np.inf)])
        until = np.where(deviant, np.minimum(until, start + WINDOW_MS), until)
        hit, alarms = 0.0, 0.0
        for k in range(GRACE, self.events):
            fired = fired_between(raster, start[:, k], until[:, k])
            hit, alarms = hit + (fired & deviant[:, k]), alarms + (fired & ~deviant[:, k])
        return np.stack([hit, alarms / (~deviant[:, GRACE:]).sum(axis=1)], axis=-1)

    def overall(self, measured, trials):
        with_deviant = trials.labels >= 2
        hits = share(measured[..., 0], with_deviant)
        alarms = np.maximum(share(measured[..., 1], with_deviant), share(measured[..., 1], ~with_deviant))
        return (_normal(hits) - _normal(alarms)) / PERFECT

    def mark(self, measured, trials):
        hit, alarms = measured[..., 0], measured[..., 1]
        return np.where(trials.labels >= 2, hit * (1 - alarms / 2), 1 - alarms)


def _normal(rate):
    """The normal deviate of a rate, up to half of the perfect d' either way."""
    deviate = np.vectorize(NormalDist().inv_cdf, otypes=[float])(np.clip(rate, 0.01, 0.99))
    return np.clip(deviate, -PERFECT / 2, PERFECT / 2)
