"""Many circuits on the same trials: what the search runs."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from circuits.numerics.compiled import compiled, jit
from circuits.numerics.processors import processors
from circuits.numerics.simd import LANES, aligned
from circuits.simulation import kernel
from circuits.simulation.environments.model import checked
from circuits.simulation.noise import Noise
from circuits.simulation.packed import PackedCircuits
from circuits.simulation.raster import _popcount, lane_masks
from circuits.simulation.teacher import NOTED, Lesson, Teacher


class Activity(NamedTuple):
    """Results of a population of `B` circuits.

    outputs  uint64 [B, blocks, steps, R]: spikes in the output slots
    spikes   int64 [B]: spikes of all neurons over all trials;  events  int64 [B]: synaptic events (spike times synapses it
             travels, those from input channels included)
    steps    int64 [B]: steps simulated, of blocks * steps; fewer for circuits that were given up
    surprise float64 [B, trials, R] where there is a `circuits.simulation.teacher`, else None; infinite for circuits given up
    off      float64 [B, trials, R, 2] where it has potentials, else None: sums of the distance of V - v_rest from them, and of
             its square
    """

    outputs: np.ndarray
    spikes: np.ndarray
    events: np.ndarray
    steps: np.ndarray
    surprise: np.ndarray | None = None
    off: np.ndarray | None = None


class Stop(NamedTuple):
    """When a circuit is hopeless. All in steps of the simulation: the same circuit is given up at the same step anywhere.

    Looked at after every `check` steps of a block of 64 trials, and not at all if that is 0:

    runaway  spikes per neuron, trial and step since the last look are above `ceiling`
    silence  no output neuron has spiked in any trial so far, and the block is over, or `quiet` steps have passed since its last
             input (with the longest delay in `quiet`, nothing is in flight); in a closed loop input may come to the end

    A circuit given up is not simulated any further, neither in this block nor in those after it. Its outputs count as silent
    in every trial, its spikes and events as if it had gone on as it began.
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
    """Simulate many circuits on the same trials; inputs is uint64 [blocks, steps, channels] (`raster.pack`).

    seed         of the membrane noise;   stop  when to give a circuit up
    environment  of `environments`: a closed loop. Every circuit finds it as it starts; of the inputs the shape alone counts
    signals      what drives sampled channels, real [blocks, steps, sampled channels, 64] (`drive.lanes`)
    sequence     blocks w * sequence to (w + 1) * sequence - 1 follow one another in time: plastic synapses keep what
                 they learnt
    teacher      what the output slots should do, and then do
    threads      default: OMP_NUM_THREADS if set (Ray sets it for its workers), else the processors this process may use.
    The result does not depend on the threads.
    """
    batch, (blocks, steps, _) = len(tables.neurons), inputs.shape
    if environment is not None:
        checked(environment, trials, tables.channels, tables.readout.shape[1])
    outputs = np.zeros((batch, blocks, steps, tables.readout.shape[1]), "u8")
    counts = np.zeros((3, batch), "i8")
    noise = Noise.of(seed) if tables.noisy else None
    if tables.drive is not None:
        wanted = (blocks, steps, tables.sampled, LANES)
        if signals is None or signals.shape != wanted:
            raise ValueError(f"signals must be real {list(wanted)}, not {None if signals is None else list(signals.shape)}")
        signals = np.ascontiguousarray(signals, tables.table.dtype)
    signals = None if tables.drive is None else signals
    extras = tables.short_term, tables.stdp, noise, environment, tables.drive, signals
    masks = lane_masks(trials)
    taught = None if teacher is None else _taught(teacher, batch, outputs.shape[-1], tables.table.dtype)

    def part(span):
        scratch = kernel.scratch(tables, steps, environment)
        _simulate_part(tables, inputs, masks, stop, sequence, *span, outputs, counts, scratch, *extras, taught)

    in_threads(part, spans(batch, threads), threads)
    if teacher is None or taught is None:
        return Activity(outputs, *counts)
    noted = np.moveaxis(taught.noted, -1, 2).reshape(batch, blocks * LANES, -1, NOTED)[:, :trials].astype("f8")
    off = None if teacher.potential is None else noted[..., 1:]
    return Activity(outputs, *counts)._replace(surprise=noted[..., 0], off=off)


class _Taught(NamedTuple):
    """A teacher of all blocks, as `Lesson` has them of one, and what is noted, real [B, blocks, R, NOTED, 64]."""

    spikes: np.ndarray
    scored: np.ndarray
    per_width: np.ndarray
    potential: np.ndarray
    compared: np.ndarray
    noted: np.ndarray


def _taught(teacher, batch, slots, real):
    blocks = len(teacher.scored)
    noted, width = np.full((batch, blocks, slots, NOTED, LANES), np.inf, real), np.array([1 / teacher.width_mv], real)
    potential, compared = np.zeros((blocks, 0), real), np.zeros((blocks, 0), "u8")
    if teacher.potential is not None:
        potential = aligned(teacher.potential.size, real).reshape(blocks, -1)
        potential[:] = teacher.potential.reshape(blocks, -1)
        compared = teacher.compared.reshape(blocks, -1)
    return _Taught(teacher.spikes.reshape(blocks, -1), teacher.scored, width, potential, compared, noted)


def threads_here() -> int:
    """How many threads to use: OMP_NUM_THREADS if set, else the processors this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(given)) if given.isdigit() else processors()


def spans(count: int, threads: int | None) -> list[tuple[int, int]]:
    """0 .. count cut into parts that shrink, so that threads which finish early take over work of the others and all end at
    about the same time."""
    threads = threads_here() if threads is None else threads
    if threads == 1:
        return [(0, count)]
    least = max(1, count // (64 * threads))
    ends = [0]
    while ends[-1] < count:
        left = count - ends[-1]
        ends.append(ends[-1] + min(left, max(least, left // (3 * threads))))
    return list(pairwise(ends))


def in_threads(function, items, threads: int | None) -> None:
    """Call the function with each item, in threads if that pays; what it raises is raised here."""
    threads = min(threads_here() if threads is None else threads, len(items))
    left = iter(items)  # that all take from

    def work():
        for item in left:
            function(item)

    if threads <= 1:
        work()
        return
    others = [_helpers(threads - 1).submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        wait(others)
    for other in others:
        other.result()


@cache
def _helpers(count):
    """Threads that stay: to start one takes as long as some circuits do."""
    return ThreadPoolExecutor(count)


os.register_at_fork(after_in_child=_helpers.cache_clear)  # threads do not come along into a forked process


# Loops where slices would do: assigning an array to a slice makes numba compile its error messages, for seconds. Functions that
# are called once are inlined: each compiled function has everything that it calls compiled into it anew, the kernel too.


@compiled
def _simulate_part(
    tables, inputs, masks, stop, sequence, first, last, outputs, counts, scratch, short_term, stdp, noise, environment, drive,
    signals, teacher,
):  # fmt: skip
    """The circuits `first` to `last` on all blocks; counts has a row each for spikes, events and steps."""
    blocks, steps, _ = inputs.shape
    given_up, heard = np.zeros(last - first, np.bool_), np.zeros(last - first, np.bool_)
    simulated = np.zeros(last - first)
    everything = 0.0  # steps times trials
    for block in range(blocks):
        everything += steps * np.float64(_popcount(masks[block]))
    filled, last_input = -1, 0
    for start in range(0, blocks, sequence):
        # A circuit goes through its sequence before the next one does: what its synapses learn is kept in the scratch.
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
                done, any_heard, hopeless = _simulate_block(
                    tables, b, block, block > start, masks[block], last_input, stop, heard[b - first], outputs, counts,
                    scratch, short_term, stdp, noise, environment, drive, teacher,
                )  # fmt: skip
                counts[2, b] += done
                simulated[b - first] += done * np.float64(_popcount(masks[block]))
                heard[b - first], given_up[b - first] = any_heard, hopeless
                if hopeless:
                    _write_off(b, outputs, counts, everything / simulated[b - first])
                    if teacher is not None:
                        teacher.noted[b] = np.inf


@jit(inline="always")
def _simulate_block(
    tables, b, block, keep, mask, last_input, stop, heard, outputs, counts, scratch, short_term, stdp, noise, environment,
    drive, teacher,
):  # fmt: skip
    """One circuit in one block: the steps simulated, whether an output has been heard so far, whether it is hopeless."""
    history, raster, steps = tables.history, scratch.raster, outputs.shape[2]
    chunk = stop.check if stop.check > 0 else steps
    ceiling = stop.ceiling * _popcount(mask) * tables.neurons[b]
    lesson = None
    if teacher is not None:
        lesson = _lesson(tables, b, block, teacher, scratch.noted)
    start = 0
    while start < steps:
        end = min(start + chunk, steps)
        rows = history + start, history + end
        kernel.run(tables, b, scratch, *rows, keep, short_term, stdp, noise, None, environment, block * LANES, drive, lesson)
        fired = _count(tables, b, raster, history + start, history + end, mask, counts)
        for r in range(tables.readout.shape[1]):
            if tables.readout[b, r] < 0:
                continue
            for k in range(start, end):
                word = raster[history + k, tables.channels + tables.readout[b, r]] & mask
                outputs[b, block, k, r] = word
                heard |= word != 0
        silent = not heard and end >= min(steps, last_input + stop.quiet)
        if stop.check > 0 and (fired > ceiling * (end - start) or silent):
            return end, heard, True
        start = end
    if teacher is not None:
        for k in range(len(scratch.noted)):
            teacher.noted[b, block, k // (NOTED * LANES), k // LANES % NOTED, k % LANES] = scratch.noted[k]
    return steps, heard, False


@jit(inline="always")
def _lesson(tables, b, block, teacher, noted):
    """The lesson of one circuit in one block; nothing is noted yet."""
    noted[:] = 0
    slot = np.full(tables.n_ref.shape[1], -1)
    for r in range(tables.readout.shape[1]):
        if tables.readout[b, r] >= 0:
            slot[tables.readout[b, r]] = r
    own = teacher.potential[block], teacher.compared[block]
    return Lesson(slot, teacher.spikes[block], teacher.scored[block], teacher.per_width, *own, noted)


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
    """A circuit given up: silent outputs, and spikes and events as if it had gone on, `factor` times what there were."""
    _, blocks, rows, slots = outputs.shape
    for block in range(blocks):
        for k in range(rows):
            for r in range(slots):
                outputs[b, block, k, r] = 0
    for what in range(2):
        counts[what, b] = np.int64(counts[what, b] * factor)
