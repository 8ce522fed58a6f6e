"""Data sets over time, for networks that are read at every step; targets depend on inputs long before.

Trials are bool [trials, steps, channels], steps of 1 ms; targets int64 [trials, steps, heads], the class that each of several
readouts should name then, UNASKED where none is asked. All channels also fire at a low background rate.
"""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

UNASKED = -1  # as a target
PULSE, GRACE = 10, 30  # steps: of a pulse; from its begin, in which nothing is asked that it changes
NOISE, SIGNAL = 0.004, 0.25  # probability of a spike in a step


def flip_flop(rng, trials: int, *, bits: int = 3, fibres: int = 8, steps: int = 600, hold_ms=(60.0, 300.0)):
    """Each bit has two groups of fibres: a pulse of one sets it, one of the other clears it; its state is asked at every step.

    The task of Sussillo and Barak (Neural Computation 25, 2013), with spikes. Pulses of a bit follow each other after
    `hold_ms`, drawn between both; a pulse may repeat the state.
    """
    active, targets = np.zeros((trials, steps, 2 * bits), bool), np.full((trials, steps, bits), UNASKED)
    low, high = hold_ms
    for trial in range(trials):
        for bit in range(bits):
            begin = int(rng.uniform(0, low))
            while begin < steps:
                state, after = int(rng.integers(2)), begin + max(PULSE, round(rng.uniform(low, high)))
                active[trial, begin : begin + PULSE, 2 * bit + state] = True
                targets[trial, begin : begin + GRACE, bit] = UNASKED
                targets[trial, begin + GRACE : after, bit] = state
                begin = after
    return _fibres(rng, active, fibres), targets


def match(rng, trials: int, *, items: int = 3, fibres: int = 8, delay_ms=(100.0, 400.0), answer_ms: float = 100.0):
    """Delayed match to sample: two pulses of `items` groups of fibres, `delay_ms` apart: were they of the same group?

    Asked during `answer_ms` after the second; in half of the trials they are.
    """
    low, high = delay_ms
    wait, first = np.rint(rng.uniform(low, high, trials)).astype(int), 20
    steps = first + round(high) + PULSE + GRACE + round(answer_ms)
    active, targets = np.zeros((trials, steps, items), bool), np.full((trials, steps, 1), UNASKED)
    same = rng.permutation(np.arange(trials) % 2)
    sample = rng.integers(items, size=trials)
    test = np.where(same == 1, sample, (sample + rng.integers(1, items, size=trials)) % items)
    for trial in range(trials):
        second = first + PULSE + wait[trial]
        active[trial, first : first + PULSE, sample[trial]] = True
        active[trial, second : second + PULSE, test[trial]] = True
        targets[trial, second + GRACE : second + GRACE + round(answer_ms)] = same[trial]
    return _fibres(rng, active, fibres), targets


def parity(rng, trials: int, *, pulses=(1, 4), fibres: int = 16, gap_ms=(50.0, 150.0), answer_ms: float = 100.0):
    """Pulses of one group of fibres, `gap_ms` apart: was their number odd? Asked during `answer_ms` after the last."""
    (fewest, largest), (low, high) = pulses, gap_ms
    count = fewest + rng.permutation(np.arange(trials) % (largest - fewest + 1))
    steps = 20 + round(largest * high) + GRACE + round(answer_ms)
    active, targets = np.zeros((trials, steps, 1), bool), np.full((trials, steps, 1), UNASKED)
    for trial in range(trials):
        at = 20
        for k in range(count[trial]):
            at += round(rng.uniform(low, high)) if k else 0
            active[trial, at : at + PULSE, 0] = True
        targets[trial, at + GRACE : at + GRACE + round(answer_ms)] = count[trial] % 2
    return _fibres(rng, active, fibres), targets


def intervals(rng, trials: int, *, fibres: int = 8, interval_ms=(100.0, 400.0), ratio: float = 1.4, answer_ms: float = 100.0):
    """Two intervals between three pulses, one `ratio` times as long as the other: was the first the longer one?"""
    low, high = interval_ms
    short, longer = rng.uniform(low, high / ratio, trials), rng.permutation(np.arange(trials) % 2)
    first = np.rint(np.where(longer == 1, short * ratio, short)).astype(int)
    second = np.rint(np.where(longer == 1, short, short * ratio)).astype(int)
    steps = 20 + round(high + high / ratio) + GRACE + round(answer_ms)
    active, targets = np.zeros((trials, steps, 1), bool), np.full((trials, steps, 1), UNASKED)
    for trial in range(trials):
        last = 20 + first[trial] + second[trial]
        for at in (20, 20 + first[trial], last):
            active[trial, at : at + PULSE, 0] = True
        targets[trial, last + GRACE : last + GRACE + round(answer_ms)] = longer[trial]
    return _fibres(rng, active, fibres), targets


def order(rng, trials: int, *, items: int = 3, fibres: int = 8, gap_ms=(100.0, 400.0), answer_ms: float = 100.0):
    """A pulse of each of `items` groups of fibres, `gap_ms` apart: in which order? Asked during `answer_ms` after the last."""
    low, high = gap_ms
    orders = np.array(list(permutations(range(items))))
    which = rng.permutation(np.arange(trials) % len(orders))
    steps = 20 + round((items - 1) * high) + PULSE + GRACE + round(answer_ms)
    active, targets = np.zeros((trials, steps, items), bool), np.full((trials, steps, 1), UNASKED)
    for trial in range(trials):
        at = 20 + np.rint(np.cumsum([0.0, *rng.uniform(low, high, items - 1)])).astype(int)
        for begin, item in zip(at, orders[which[trial]], strict=True):
            active[trial, begin : begin + PULSE, item] = True
        targets[trial, at[-1] + GRACE : at[-1] + GRACE + round(answer_ms)] = which[trial]
    return _fibres(rng, active, fibres), targets


def route(rng, trials: int, *, streams: int = 3, fibres: int = 8, steps: int = 600, switch_ms=(60.0, 150.0)):
    """Each of `streams` groups of fibres fires at a high or low rate, for `switch_ms` at a time, and one of `streams` cue
    channels fires: is the rate of the cued stream high? Asked at every step, except after a switch."""
    low, high = switch_ms
    active, targets = np.zeros((trials, steps, 2 * streams), bool), np.zeros((trials, steps, 1), int)
    for trial in range(trials):
        switched = np.zeros(steps, bool)
        courses = []
        for values in (*[2] * streams, streams):
            course, begin, value = np.zeros(steps, int), 0, int(rng.integers(values))
            while begin < steps:
                after = begin + round(rng.uniform(low, high))
                course[begin:after], switched[begin : begin + GRACE] = value, True
                begin, value = after, int(rng.integers(values))
            courses.append(course)
        *signals, cue = courses
        active[trial, :, :streams], active[trial, np.arange(steps), streams + cue] = np.array(signals).T, True
        targets[trial, :, 0] = np.where(switched, UNASKED, np.array(signals)[cue, np.arange(steps)])
    return _fibres(rng, active, fibres), targets


def _fibres(rng, active, fibres):
    """Spikes of a group of noisy fibres for each line."""
    chance = np.where(active, np.float32(SIGNAL), np.float32(NOISE))
    return rng.random((*active.shape[:2], active.shape[2] * fibres), "f4") < np.repeat(chance, fibres, axis=2)


STREAMS: dict[str, Callable[..., Any]] = {
    "flip-flop": flip_flop,
    "match": match,
    "parity": parity,
    "intervals": intervals,
    "order": order,
    "route": route,
}
