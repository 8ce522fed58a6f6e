"""Recognising A-B-C in a stream (Yaqoob and Wróbel, ALIFE 2018; PLOS ONE 0339918: three interneurons and an output suffice)."""

from itertools import product

import numpy as np
from pydantic import Field

from fitness.base.definition import weights_mv
from fitness.base.task import Task
from fitness.base.trials import Symbols
from fitness.decode import restraint, routed_volleys

ABC = (0, 1, 2)
VOLLEY_MS = 4.0
ANSWER_MS = 20.0
TAIL_MS = 50.0
EARLIEST_MS, LATEST_MS = 5.0, 15.0


def _differing(symbols):
    return sum(a != b for a, b in zip(symbols, ABC, strict=True))


_ALL = [symbols for symbols in product(range(3), repeat=3) if symbols != ABC]
SUBSTITUTED = np.array([s for s in _ALL if _differing(s) == 1])
REORDERED = np.array([s for s in _ALL if sorted(s) == list(ABC)])
OTHERS = np.array([s for s in _ALL if _differing(s) > 1 and sorted(s) != list(ABC)])


def _drawn(rng, shape):
    """Random symbols, half of them A, so that remembering an A for too long costs score."""
    return rng.integers(0, 4, shape) % 3


class Sequence(Task):
    """Three kinds of symbols come at irregular intervals: spike after A, B, C in this order, and at no other time.

    Inputs: a symbol is a volley on its channel; the next one begins after `shortest_ms` and up to `range_ms` more, so that no
    delay line tells the order. Half of the streams end in A-B-C. The others end otherwise, in equal parts of nine: each of the
    six ends with one wrong symbol, two of those in a wrong order, one of the rest. A-B-C never occurs earlier in a stream.
    Answer: at least one spike within 20 ms after the beginning of the last symbol if the stream ends in A-B-C, and no other
    spike. Trial score: right or wrong, both classes with equal weights. Chance: 1/2, by silence. A relay of C scores 0, the
    three symbols in any order 0.37, two of them alone 0.7, and a circuit that never forgets an A or an A-B 0.87. Harder: longer
    streams, a wider range of intervals, more membrane noise (`circuit.noise_mv`).
    """

    name = "sequence"
    inputs = ("a", "b", "c")
    outputs = ("out",)
    dt_ms = 1.0
    chance = 0.5
    critical_connections = (("A", "A"), ("AB", "AB"))
    default_spec = {
        "circuit": {"neurons": [3, 8], "delay_ms": [1.0, 5.0], **weights_mv(100.0, 100.0), "noise_mv": 1.0},
        "circuit.parameters": {"tau_m_ms": [2.0, 40.0], "tau_syn_e_ms": [1.0, 60.0], "tau_syn_i_ms": [1.0, 60.0]},
        "search": {"generations": 100, "trials": 320},
    }

    symbols: int = Field(4, ge=3, le=10, description="length of a stream")
    shortest_ms: float = Field(20.0, ge=10, le=100, description="least time from the beginning of a symbol to the next one's")
    range_ms: float = Field(20.0, ge=0, le=100, description="range of this time")
    spikes: int = Field(3, ge=1, le=4, description="spikes of a symbol")

    @property
    def duration_ms(self):
        return float(np.ceil(LATEST_MS + (self.symbols - 1) * (self.shortest_ms + self.range_ms) + TAIL_MS))

    def make(self, rng, count):
        order = rng.permutation(count)
        right, kind, turn = order % 2 == 0, order // 2 % 9, order // 18
        last = SUBSTITUTED[kind % 6]
        last[kind >= 6] = REORDERED[(2 * turn + kind) % 5][kind >= 6]
        last[kind == 8] = OTHERS[turn % len(OTHERS)][kind == 8]
        last[right] = ABC
        symbols = np.concatenate([_drawn(rng, (count, self.symbols - 3)), last], axis=1)
        while (early := self._starts(symbols)[:, :-1]).any():
            trial, place = np.nonzero(early)
            symbols[trial, place] = _drawn(rng, len(trial))
        gaps = self.shortest_ms + rng.uniform(0, self.range_ms, (count, self.symbols - 1))
        start = rng.uniform(EARLIEST_MS, LATEST_MS, (count, 1)) + np.cumsum(np.pad(gaps, ((0, 0), (1, 0))), axis=1)
        spikes = routed_volleys(rng, start, symbols, 3, self.spikes, VOLLEY_MS, self.dt_ms, self.steps)
        return spikes, right.astype(int), {"symbols": symbols, "start_ms": start}

    def _starts(self, symbols):
        """Mask of the positions at which A-B-C begins: bool [trials, symbols - 2]."""
        return np.logical_and.reduce([symbols[:, k : symbols.shape[1] - 2 + k] == ABC[k] for k in range(3)])

    def as_sequence(self, trials):
        return Symbols(self.inputs, trials.facts["symbols"], trials.facts["start_ms"])

    def conditions(self, trials):
        last = trials.facts["symbols"][:, -3:]
        wrong = last != ABC
        place = np.array(["first wrong", "second wrong", "third wrong"])[wrong.argmax(axis=1)]
        differing = wrong.sum(axis=1)
        return {"last three": np.where(differing == 0, "right", np.where(differing == 1, place, "two or more wrong"))}

    def trial_scores(self, raster, trials):
        prompt, other = self._answers(raster, trials)
        return (prompt == (trials.labels == 1)) & ~other

    def case_scores(self, raster, trials):
        prompt, other = self._answers(raster, trials)
        return np.where(trials.labels == 1, prompt / (1 + other), restraint(raster.counts()[..., 0], trials.labels == 1))

    def _answers(self, raster, trials):
        """Did the output fire soon after the last symbol began, and at another time? Two arrays bool [..., trials]."""
        since = (np.arange(self.steps) + 1) * self.dt_ms - trials.facts["start_ms"][:, -1:]
        soon = (since > 0) & (since <= ANSWER_MS)
        return raster.fired_in(soon)[..., 0], raster.fired_in(~soon)[..., 0]
