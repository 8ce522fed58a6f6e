"""Decoding of answers from spikes, and spike trains from times."""

from dataclasses import replace

import numpy as np

from circuits.simulation.raster import pack


def balanced_within(rng, labels, kinds):
    """A kind of each trial, 0 to kinds - 1, each of them equally often in every class: labels int [trials] -> int [trials]."""
    kind = np.empty(len(labels), int)
    for label in np.unique(labels):
        chosen = labels == label
        kind[chosen] = rng.permutation(np.arange(chosen.sum()) % kinds)
    return kind


def most_active(counts, labels):
    """The most active output names the class: 1 where output `label` alone has the highest count, else 0.

    counts int [..., trials, outputs], labels int [trials] -> bool [..., trials]. A tie, silence included, is no success.
    """
    right, best_other = _right_and_rival(counts, labels)
    return right > best_other


def margin(counts, labels):
    """Smooth version of `most_active`: 1/2 for a tie, more as the right output leads, less as another does: float64 [...,
    trials]."""
    right, best_other = _right_and_rival(counts, labels)
    return 0.5 + 0.5 * (right - best_other) / (right + best_other + 1)


def _right_and_rival(counts, labels):
    is_right = np.arange(counts.shape[-1]) == np.asarray(labels)[:, None]
    right = np.where(is_right, counts, 0).sum(axis=-1)
    return right, np.where(is_right, -1, counts).max(axis=-1)


def restraint(counts, wanted):
    """Spiking only where wanted, bool [trials], graded: one unwanted spike costs less than two. counts int [..., trials] ->
    float64 [..., trials]."""
    return np.where(wanted, counts > 0, 1 / (1 + counts))


def busiest(counts, excitatory=None):
    """Spikes of the excitatory neuron that fires most: counts int [..., trials, neurons], excitatory bool [..., neurons] (by
    default all) -> int [..., trials]. It detects runaway activity of neurons other than the outputs, too."""
    return (counts if excitatory is None else np.where(excitatory[..., None, :], counts, 0)).max(axis=-1)


def poisson(rng, rate_hz, dt_ms):
    """A Poisson train: rate_hz [...], one per step -> bool [...], whether there is a spike in each step."""
    return rng.random(np.shape(rate_hz)) < np.asarray(rate_hz) * dt_ms / 1000


def regular(rng, rate_hz, count, steps, dt_ms, jitter=0.2):
    """Trains at a steady rate with a random phase, each interval's end moved by up to `jitter` intervals either way: rate_hz
    [count] -> bool [count, steps]. Their spike counts vary by one at most."""
    interval = 1000 / np.maximum(np.broadcast_to(rate_hz, (count,)), 1e-9)[:, None] / dt_ms
    beats = np.arange(int(np.ceil(steps / interval.min())) + 1)
    times = (rng.random((count, 1)) + beats + rng.uniform(-jitter, jitter, (count, len(beats)))) * interval
    trial, beat = np.nonzero((times >= 0) & (times < steps))
    train = np.zeros((count, steps), bool)
    train[trial, times[trial, beat].astype(int)] = True
    return train


def volley(rng, start_ms, spikes, spread_ms, dt_ms, steps):
    """`spikes` spikes at random times within `spread_ms` after each start: start_ms [trials] -> bool [trials, steps]."""
    times = np.asarray(start_ms)[:, None] + rng.uniform(dt_ms, spread_ms + dt_ms, (len(start_ms), spikes))
    return spike_train(times, dt_ms, steps)


def sized_volley(times_ms, sizes, dt_ms, steps):
    """The first `size` of each trial's times: times_ms [trials, spikes], sizes int [trials] -> bool [trials, steps]."""
    train = np.zeros((len(sizes), steps), bool)
    for size in np.unique(sizes):
        train[sizes == size] = spike_train(times_ms[sizes == size, :size], dt_ms, steps)
    return train


def routed_volleys(rng, start_ms, channel, channels, spikes, spread_ms, dt_ms, steps):
    """A `volley` at each start, on a channel of its own: start_ms and channel (int) [trials, volleys] -> bool [trials, steps,
    channels]."""
    trains = np.zeros((len(start_ms), steps, channels), bool)
    for start, on in zip(start_ms.T, channel.T, strict=True):
        trains[np.arange(len(start)), :, on] |= volley(rng, start, spikes, spread_ms, dt_ms, steps)
    return trains


def spike_train(times_ms, dt_ms, steps):
    """Spike times [trials, spikes] in ms -> bool [trials, steps]: each spike in the step whose end is nearest to it.

    No spike is lost: one whose step is taken goes to the next free one, so that counts stay as they are.
    """
    rows = np.sort(np.clip(np.rint(np.asarray(times_ms) / dt_ms).astype(int) - 1, 0, steps - 1), axis=1)
    for k in range(1, rows.shape[1]):
        rows[:, k] = np.maximum(rows[:, k], rows[:, k - 1] + 1)
    for k in range(rows.shape[1]):
        rows[:, k] = np.minimum(rows[:, k], steps - rows.shape[1] + k)
    train = np.zeros((len(rows), steps), bool)
    np.put_along_axis(train, rows, True, axis=1)
    return train


def active(raster, width_ms):
    """Does a column spike in each of the consecutive bins of `width_ms` from the start of the trial? A shorter last bin is left
    out: bool [..., trials, bins, columns]."""
    width = round(width_ms / raster.dt_ms)
    *lead, steps, columns = raster.bits.shape
    bins = steps // width
    words = np.bitwise_or.reduce(raster.bits[..., : bins * width, :].reshape(*lead, bins, width, columns), axis=-2)
    lanes = np.unpackbits(words.astype("<u8")[..., None].view("u1"), axis=-1, bitorder="little")
    trials = np.moveaxis(lanes, -1, -3).reshape(*lead[:-1], -1, bins, columns)
    return trials[..., : raster.trials, :, :].astype(bool)


def similarity(raster, templates):
    """Pearson's correlation of each spike train with a template over time, without unpacking the trains: templates
    [steps] -> float64 [..., trials, columns], or [templates, steps] -> [..., trials, columns, templates]; 0 where a train is
    silent, or either is constant. (To smooth the trains, smooth the template.)"""
    templates = np.asarray(templates, "f8")
    steps, counts = raster.steps, raster.counts()
    deviation = templates - templates.mean(axis=-1, keepdims=True)
    size = np.sqrt((deviation**2).sum(axis=-1))
    counts = counts if templates.ndim == 1 else counts[..., None]
    size = np.sqrt(counts * (1 - counts / steps)) * size
    return np.where(size > 1e-12, raster.weighted(deviation) / np.where(size > 1e-12, size, 1.0), 0.0)


def fired_between(raster, after_ms, up_to_ms):
    """Does the first column spike at after < time <= up to? Both [trials] -> bool [..., trials]."""
    time = (np.arange(raster.steps) + 1) * raster.dt_ms
    return raster.fired_in((time > after_ms[:, None]) & (time <= up_to_ms[:, None]))[..., 0]


def within(raster, window):
    """The raster with only those spikes that fall in each trial's window: bool [trials, steps]."""
    return replace(raster, bits=raster.bits & pack(np.asarray(window, bool)[..., None]))


def share(readings, chosen):
    """The mean of readings [..., trials] over the chosen trials, bool [trials]: [...]; 0 where there are none."""
    return (readings * chosen).sum(axis=-1) / max(1, np.count_nonzero(chosen))


def shares(counts, groups):
    """The means of counts [..., trials], whole numbers, over groups of trials, bool [groups, trials]: [groups, ...]; 0 where a
    group is empty. Sums of whole numbers are exact in any order, so that `share` gives the same bits."""
    sums = np.ascontiguousarray(np.moveaxis(counts @ groups.T.astype("f8"), -1, 0))  # as the order of later sums needs it
    return sums / np.maximum(1, np.count_nonzero(groups, axis=-1)).reshape(-1, *(1,) * (counts.ndim - 1))
