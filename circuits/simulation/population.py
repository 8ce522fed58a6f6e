"""Simulation of many circuits on the same trials, for the search."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.numerics.compiled import compiled, jit
from circuits.numerics.processors import processors
from circuits.numerics.simd import LANES
from circuits.simulation import kernel
from circuits.simulation.environments.model import checked
from circuits.simulation.noise import Noise
from circuits.simulation.packed import PackedCircuits
from circuits.simulation.raster import _popcount, lane_masks
from circuits.simulation.teacher import NOTED, Lesson, Teacher


class Activity(NamedTuple):
    """Results of a population of `B` circuits.

    outputs  uint64 [B, blocks, steps, R]: spikes in the output slots
    spikes   int64 [B]: spikes of all neurons over all trials;  events  int64 [B]: synaptic events (for each spike, of neurons
             and input channels, the synapses of its source)
    steps    int64 [B]: steps simulated, of blocks * steps; fewer for circuits that were given up
    surprise float64 [B, trials, R] with a `circuits.simulation.teacher`, else None; infinite for circuits given up
    off      float64 [B, trials, R, 2] with a teacher's potentials, else None: sums of the deviation of V - v_rest from them,
             and of its square
    """

    outputs: np.ndarray
    spikes: np.ndarray
    events: np.ndarray
    steps: np.ndarray
    surprise: np.ndarray | None = None
    off: np.ndarray | None = None


class Stop(NamedTuple):
    """Early stopping of hopeless circuits, by steps of the simulation, so that a circuit stops at the same step everywhere.

    Checked after every `check` steps of a block of 64 trials, never if that is 0:

    runaway  spikes per neuron, trial and step since the last check exceed `ceiling`
    silence  no output neuron has spiked in any trial so far, and the block is over, or `quiet` steps have passed since its last
             input (with the longest delay in `quiet`, no spike is in transit); in a closed loop input may come until the end

    A stopped circuit is not simulated further, in this and later blocks. Its outputs count as silent in all trials, its spikes
    and events are extrapolated.
    """

    check: int = 0
    quiet: int = 0
    ceiling: float = np.inf


def simulate_population(
    tables: PackedCircuits,
    inputs: np.ndarray,
    trials: int,
    *,
    seed: int = 0,
    stop: Stop = Stop(),  # noqa: B008 - an immutable tuple
    environment=None,
    sequence: int = 1,
    threads: int | None = None,
    signals: np.ndarray | None = None,
    teacher: Teacher | None = None,
) -> Activity:
    """Simulate many circuits on the same trials; inputs is uint64 [blocks, steps, channels] (`raster.pack`). Raises UserError
    for circuits with other input channels.

    seed         of the membrane noise;   stop  early stopping
    environment  of `environments`: a closed loop, from its start for every circuit; only the shape of the inputs is used
    signals      drive of sampled channels, real [blocks, steps, sampled channels, 64] (`drive.lanes`)
    sequence     blocks w * sequence to (w + 1) * sequence - 1 follow one another in time: plastic weights persist
    teacher      forces the spikes of output slots
    threads      default: OMP_NUM_THREADS if set (Ray sets it for its workers), else the processors of this process

    The result does not depend on the threads.
    """
    batch, (blocks, steps, channels) = len(tables.neurons), inputs.shape
    if channels != tables.channels:
        raise UserError(f"the circuits have {tables.channels} input channels, the trials {channels}")
    if environment is not None:
        checked(environment, trials, tables.channels, tables.readout.shape[1])
    outputs = np.zeros((batch, blocks, steps, tables.readout.shape[1]), "u8")
    counts = np.zeros((3, batch), "i8")
    noise = Noise.of(seed) if tables.noisy else None
    if tables.drive is not None:
        expected = (blocks, steps, tables.sampled, LANES)
        if signals is None or signals.shape != expected:
            raise ValueError(f"signals must be real {list(expected)}, not {None if signals is None else list(signals.shape)}")
        signals = np.ascontiguousarray(signals, tables.table.dtype)
    signals = None if tables.drive is None else signals
    extras = tables.short_term, tables.stdp, noise, environment, tables.drive, signals
    masks = lane_masks(trials)
    lesson = None if teacher is None else Lesson.of(teacher, tables)

    def part(span):
        scratch = kernel.scratch(tables, steps, environment)
        _simulate_part(tables, inputs, masks, stop, sequence, *span, outputs, counts, scratch, *extras, lesson)

    in_threads(part, spans(batch, threads), threads)
    if teacher is None or lesson is None:
        return Activity(outputs, *counts)
    noted = np.moveaxis(lesson.noted.reshape(batch, blocks, -1, NOTED, LANES), -1, 2)
    noted = noted.reshape(batch, blocks * LANES, -1, NOTED)[:, :trials].astype("f8")
    off = None if teacher.potential is None else noted[..., 1:]
    return Activity(outputs, *counts)._replace(surprise=noted[..., 0], off=off)


def default_threads() -> int:
    """The default number of threads: OMP_NUM_THREADS if set, else the processors of this process."""
    setting = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(setting)) if setting.isdigit() else processors()


def spans(count: int, threads: int | None) -> list[tuple[int, int]]:
    """Split 0 .. count into spans of decreasing size, so that threads finish at about the same time."""
    threads = default_threads() if threads is None else threads
    if threads == 1:
        return [(0, count)]
    min_size = max(1, count // (64 * threads))
    ends = [0]
    while ends[-1] < count:
        remaining = count - ends[-1]
        ends.append(ends[-1] + min(remaining, max(min_size, remaining // (3 * threads))))
    return list(pairwise(ends))


def in_threads(function, items, threads: int | None) -> None:
    """Call the function with each item, in threads if there are several; its exceptions are raised here."""
    threads = min(default_threads() if threads is None else threads, len(items))
    queue = iter(items)  # shared by all threads

    def work():
        for item in queue:
            function(item)

    if threads <= 1:
        work()
        return
    futures = [_pool(threads - 1).submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        wait(futures)
    for future in futures:
        future.result()


@cache
def _pool(count):
    """Persistent threads: starting one takes as long as simulating several circuits."""
    return ThreadPoolExecutor(count)


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked process has no threads of its parent


# Loops instead of slices: for assigning an array to a slice numba compiles error messages, for seconds. Functions called once
# are inlined: each compiled function contains everything that it calls, the kernel too.


@compiled
def _simulate_part(
    tables, inputs, masks, stop, sequence, first, last, outputs, counts, scratch, short_term, stdp, noise, environment, drive,
    signals, lesson,
):  # fmt: skip
    """Simulate the circuits `first` to `last` on all blocks; counts has rows for spikes, events and steps."""
    blocks, steps, _ = inputs.shape
    given_up, responded = np.zeros(last - first, np.bool_), np.zeros(last - first, np.bool_)
    simulated = np.zeros(last - first)
    total = 0.0  # steps times trials
    for block in range(blocks):
        total += steps * np.float64(_popcount(masks[block]))
    filled, last_input = -1, 0
    for start in range(0, blocks, sequence):
        # Circuit by circuit through a sequence: plastic weights are in the scratch.
        for b in range(first, last):
            for block in range(start, start + sequence):
                if given_up[b - first]:
                    break
                if environment is not None:
                    last_input = steps
                elif block != filled:
                    filled, last_input = block, _fill(scratch.raster, tables.history, inputs[block])
                    if drive is not None:
                        last_input = steps
                        _fill_signal(scratch.signal, tables.history * drive.channels * LANES, signals[block].reshape(-1))
                done, responds, hopeless = _simulate_block(
                    tables, b, block, block > start, masks[block], last_input, stop, responded[b - first], outputs, counts,
                    scratch, short_term, stdp, noise, environment, drive, lesson,
                )  # fmt: skip
                counts[2, b] += done
                simulated[b - first] += done * np.float64(_popcount(masks[block]))
                responded[b - first], given_up[b - first] = responds, hopeless
                if hopeless:
                    _write_off(b, outputs, counts, total / simulated[b - first])
                    if lesson is not None:
                        of_circuit = len(lesson.noted) // len(lesson.slot)
                        lesson.noted[b * of_circuit : (b + 1) * of_circuit] = np.inf


@jit(inline="always")
def _simulate_block(
    tables, b, block, keep, mask, last_input, stop, responded, outputs, counts, scratch, short_term, stdp, noise, environment,
    drive, lesson,
):  # fmt: skip
    """Simulate one circuit in one block: steps simulated, has an output spiked so far, is the circuit given up?"""
    history, raster, steps = tables.history, scratch.raster, outputs.shape[2]
    chunk = stop.check if stop.check > 0 else steps
    ceiling = stop.ceiling * _popcount(mask) * tables.neurons[b]
    start = 0
    while start < steps:
        end = min(start + chunk, steps)
        rows = history + start, history + end
        kernel.run(tables, b, scratch, *rows, keep, short_term, stdp, noise, environment, block * LANES, drive, lesson)
        fired = _count(tables, b, raster, history + start, history + end, mask, counts)
        for r in range(tables.readout.shape[1]):
            if tables.readout[b, r] < 0:
                continue
            for k in range(start, end):
                word = raster[history + k, tables.channels + tables.readout[b, r]] & mask
                outputs[b, block, k, r] = word
                responded |= word != 0
        silent = not responded and end >= min(steps, last_input + stop.quiet)
        if stop.check > 0 and (fired > ceiling * (end - start) or silent):
            return end, responded, True
        start = end
    return steps, responded, False


@compiled
def _fill(raster, history, block):
    """Copy a block's input to the raster; returns the number of steps until its last spike."""
    last = 0
    for k in range(block.shape[0]):
        for c in range(block.shape[1]):
            raster[history + k, c] = block[k, c]
            if block[k, c] != 0:
                last = k + 1
    return last


@compiled
def _fill_signal(signal, first, values):
    """Copy a block's drive to the scratch."""
    for k in range(len(values)):
        signal[first + k] = values[k]


@jit(inline="always")
def _count(tables, b, raster, first, last, mask, counts):
    """Add the spikes and synaptic events in these rows; returns the spikes."""
    fired = 0
    for source in range(tables.channels + tables.neurons[b]):
        count = 0
        for k in range(first, last):
            count += _popcount(raster[k, source] & mask)
        fired += count if source >= tables.channels else 0
        counts[1, b] += count * tables.fan_out[b, source]
    counts[0, b] += fired
    return fired


@compiled
def _write_off(b, outputs, counts, factor):
    """Set the results of a circuit given up: silent outputs, and spikes and events times `factor`."""
    _, blocks, rows, slots = outputs.shape
    for block in range(blocks):
        for k in range(rows):
            for r in range(slots):
                outputs[b, block, k, r] = 0
    for row in range(2):
        counts[row, b] = np.int64(counts[row, b] * factor)
