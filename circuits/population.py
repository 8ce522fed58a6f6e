"""Many circuits on the same trials: what the search runs."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from circuits import kernel
from circuits.compiled import compiled
from circuits.noise import Noise
from circuits.raster import _popcount, lane_masks
from circuits.tables import Tables


class Activity(NamedTuple):
    """What a population of `B` circuits did.

    outputs  uint64 [B, blocks, steps, R]: spikes in the output slots
    spikes   int64 [B]: spikes of all neurons over all trials;  events  int64 [B]: synaptic events (spike times synapses it
             travels, those from input channels included)
    steps    int64 [B]: steps simulated, of blocks * steps; fewer for circuits that were given up
    """

    outputs: np.ndarray
    spikes: np.ndarray
    events: np.ndarray
    steps: np.ndarray


class Stop(NamedTuple):
    """When a circuit is hopeless. All in steps of the simulation: the same circuit is given up at the same step anywhere.

    Looked at after every `check` steps of a block of 64 trials, and not at all if that is 0:

    runaway  spikes per neuron, trial and step since the last look above `ceiling`. The circuit is given up altogether: its
             outputs count as silent in every trial, its spikes and events as if it had gone on as it began.
    silence  no spike of any neuron in any trial so far, and `quiet` steps since the block's last input could have arrived.
             The rest of the block, and every further block, counts as silent.
    """

    check: int = 0
    quiet: int = 0
    ceiling: float = np.inf


def simulate_population(
    tables: Tables,
    inputs: np.ndarray,
    trials: int,
    *,
    seed: int = 0,
    stop: Stop = Stop(),  # noqa: B008 - an immutable tuple
    sequence: int = 1,
    threads: int | None = None,
) -> Activity:
    """Simulate many circuits on the same trials; inputs is uint64 [blocks, steps, channels] (`raster.pack`).

    seed      of the membrane noise;   stop  when to give a circuit up
    sequence  blocks w * sequence to (w + 1) * sequence - 1 follow one another in time: plastic synapses keep what they learnt
    threads   default: OMP_NUM_THREADS if set (Ray sets it for its workers), else the processors this process may use.
    The result does not depend on the threads.
    """
    batch, (blocks, steps, _) = len(tables.neurons), inputs.shape
    outputs = np.empty((batch, blocks, steps, tables.readout.shape[1]), "u8")
    counts = np.zeros((3, batch), "i8")
    noise = Noise.of(seed) if tables.noisy else None
    masks = lane_masks(trials)
    last_input = np.array([_last(block) for block in inputs], "i8")

    def part(span):
        first, last = span
        _simulate_all(
            tables, inputs, masks, last_input, stop, sequence, first, last, outputs, counts, kernel.scratch(tables, steps),
            tables.short_term, tables.stdp, noise,
        )  # fmt: skip

    in_threads(part, spans(batch, threads), threads)
    return Activity(outputs, *counts)


def threads_here() -> int:
    """How many threads to use: OMP_NUM_THREADS if set, else the processors this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(given)) if given.isdigit() else len(os.sched_getaffinity(0))


def spans(count: int, threads: int | None) -> list[tuple[int, int]]:
    """0 .. count cut into a few parts per thread, so that threads which finish early take over work of the others."""
    threads = threads_here() if threads is None else threads
    parts = 1 if threads == 1 else min(count, 4 * threads)
    edges = np.linspace(0, count, parts + 1).astype(int).tolist()
    return list(pairwise(edges))


def in_threads(function, items, threads: int | None) -> None:
    """Call the function with each item, in threads if that pays; what it raises is raised here."""
    threads = threads_here() if threads is None else threads
    if threads == 1 or len(items) == 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(function, items))


def _last(block):
    """The number of steps until the last input spike of a block, 0 if there is none."""
    rows = np.flatnonzero(block.any(axis=1))
    return rows[-1] + 1 if len(rows) else 0


@compiled
def _simulate_all(
    tables, inputs, masks, last_input, stop, sequence, first, last, outputs, counts, scratch, fading, learning, noise
):  # fmt: skip
    """The circuits `first` to `last`."""
    blocks, steps, _ = inputs.shape
    channels, history, raster = tables.channels, tables.history, scratch.raster
    outputs[first:last] = 0
    given_up = np.zeros(last - first, np.bool_)
    chunk = stop.check if stop.check > 0 else steps
    for block in range(blocks):
        raster[history:, :channels] = inputs[block]
        mask = masks[block]
        ceiling = stop.ceiling * _popcount(mask)
        for b in range(first, last):
            if given_up[b - first]:
                continue
            kernel.rest(tables, b, scratch, fading, learning, block % sequence > 0)
            fired_before = counts[0, b]
            start = 0
            while start < steps:
                end = min(start + chunk, steps)
                if noise is None:
                    kernel.run(tables, b, scratch, history + start, history + end, fading, learning, None, None)
                else:
                    here = Noise(noise.low, noise.high, block * 64)
                    kernel.run(tables, b, scratch, history + start, history + end, fading, learning, here, None)
                fired = _count(tables, b, raster[history + start : history + end], mask, counts)
                counts[2, b] += end - start
                start = end
                if start < steps and stop.check > 0:
                    runaway = fired > ceiling * tables.neurons[b] * chunk
                    silent = counts[0, b] == fired_before and start >= last_input[block] + history + stop.quiet
                    if runaway or silent:
                        given_up[b - first] = True
                        break
            if given_up[b - first] and counts[0, b] > fired_before:
                outputs[b] = 0
                for what in range(2):
                    counts[what, b] = np.int64(counts[what, b] * (blocks * steps / counts[2, b]))
            else:
                for k in range(start):
                    for r in range(tables.readout.shape[1]):
                        outputs[b, block, k, r] = raster[history + k, channels + tables.readout[b, r]] & mask


@compiled
def _count(tables, b, raster, mask, counts):
    """Add the spikes and synaptic events in these rows; returns the spikes."""
    fired = 0
    for source in range(tables.channels + tables.neurons[b]):
        count = 0
        for k in range(len(raster)):
            count += _popcount(raster[k, source] & mask)
        fired += count if source >= tables.channels else 0
        counts[1, b] += count * tables.fan_out[b, source]
    counts[0, b] += fired
    return fired
