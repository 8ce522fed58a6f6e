"""Bit-packed spike trains: 64 trials are one machine word.

`bits[..., block, step, column]` is uint64; bit b of block w is trial 64 w + b, and row k holds the spikes stamped (k + 1) dt.
Leading axes, if any, are circuits.
"""

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from circuits import show
from circuits.errors import UserError
from circuits.numerics.compiled import compiled
from circuits.numerics.simd import LANES
from circuits.simulation.traces import Traces


def pack(spikes) -> np.ndarray:
    """bool [trials, steps, columns] -> uint64 [blocks, steps, columns]; the last block is padded with silent trials."""
    spikes = np.asarray(spikes, bool)
    trials, steps, columns = spikes.shape
    blocks = -(-trials // LANES)
    padded = np.zeros((blocks * LANES, steps * columns), "u1")
    padded[:trials] = spikes.reshape(trials, -1)
    eighths = padded.reshape(blocks * 8, 8, -1)
    packed = eighths[:, 0].copy()
    for lane in range(1, 8):  # faster than numpy's packbits along this axis
        packed |= eighths[:, lane] << lane
    words = np.ascontiguousarray(packed.reshape(blocks, 8, -1).swapaxes(1, 2)).view("<u8")
    return words.reshape(blocks, steps, columns).astype("u8", copy=False)


def unpack(bits, trials) -> np.ndarray:
    """uint64 [..., blocks, steps, columns] -> bool [..., trials, steps, columns]."""
    *circuits, blocks, steps, columns = bits.shape
    flat = np.ascontiguousarray(bits).reshape(prod(circuits) * blocks, steps * columns)
    spikes = _unpacked(flat).reshape(*circuits, blocks * LANES, steps, columns)
    return spikes[..., :trials, :, :]


def lane_masks(trials) -> np.ndarray:
    """Mask of the lanes that hold a trial, for each block: uint64 [blocks]."""
    masks = np.full(-(-trials // LANES), np.uint64(0xFFFF_FFFF_FFFF_FFFF))
    if trials % LANES:
        masks[-1] = np.uint64((1 << trials % LANES) - 1)
    return masks


@dataclass(frozen=True)
class Raster:
    """Spikes of neurons in all trials, of one circuit or of a population.

    All methods return arrays with the leading axes of `bits`: none for one circuit, [circuits] for a population.

    Parameters
    ----------
    bits : ndarray
        Spikes as uint64 [..., blocks, steps, columns]: bit b of block w is trial 64 w + b, and row k holds the spikes stamped
        (k + 1) dt.
    trials : int
        Number of trials.
    dt_ms : float
        Time step in ms.
    names : tuple
        One name for each column: ids of neurons, or names of ports.
    readout : tuple of int, optional
        The columns of the output neurons, in the order of the ports; None if the raster holds only those.
    excitatory : ndarray, optional
        Which columns are excitatory: bool [..., columns].
    stimulus : Raster, optional
        The input spikes, one column per channel.
    traces : Traces, optional
        Variables recorded by `simulate(..., record=...)`.
    weights_mv : ndarray, optional
        Weights of synapses with stdp at the end of each trial, float64 [trials, synapses], sorted by target, then E before I,
        then source, delay and weight.
    surprise : ndarray, optional
        Surprise of the teacher's spikes, with a teacher, float64 [..., trials, outputs]: see
        `circuits.simulation.teacher`.
    off : ndarray, optional
        With a teacher's potentials, sums of the deviation from them and of its square, float64 [..., trials, outputs, 2].

    Examples
    --------
    >>> import circuits
    >>> raster = circuits.simulate(circuits.zoo["onset-2"].circuit, [[[5.0]], [[7.0, 8.0]]], duration_ms=50)
    >>> raster.spikes().shape, raster.outputs.names
    ((2, 100, 2), ('E0',))
    """

    bits: np.ndarray
    trials: int
    dt_ms: float
    names: tuple = ()
    readout: tuple[int, ...] | None = None
    excitatory: np.ndarray | None = None
    stimulus: "Raster | None" = None
    traces: Traces | None = None
    weights_mv: np.ndarray | None = None
    surprise: np.ndarray | None = None
    off: np.ndarray | None = None

    @property
    def outputs(self) -> "Raster":
        """The raster of the output neurons alone, in the order of the ports."""
        if self.readout is None:
            return self
        names = tuple(self.names[column] for column in self.readout)
        return Raster(self.bits[..., list(self.readout)], self.trials, self.dt_ms, names)

    @property
    def steps(self) -> int:
        """Number of time steps in a trial."""
        return self.bits.shape[-2]

    @property
    def duration_ms(self) -> float:
        """Duration of a trial in ms."""
        return self.steps * self.dt_ms

    def counts(self, start_ms: float = 0.0, stop_ms: float | None = None) -> np.ndarray:
        """Count the spikes in a window of time.

        Parameters
        ----------
        start_ms, stop_ms : float, optional
            The window: spikes with start_ms < time <= stop_ms; by default the whole trial.

        Returns
        -------
        ndarray
            Spike counts, int64 [..., trials, columns].
        """
        first = round(start_ms / self.dt_ms)
        last = self.steps if stop_ms is None else round(stop_ms / self.dt_ms)
        flat = self._flat()
        return self._shaped(_counts(flat, max(first, 0), min(last, self.steps)))

    def first_spikes(self) -> np.ndarray:
        """Time of the first spike.

        Returns
        -------
        ndarray
            Times in ms, infinite where there is no spike: float64 [..., trials, columns].
        """
        first = self._shaped(_first(self._flat()))
        return np.where(first < 0, np.inf, (first + 1) * self.dt_ms)

    def spikes_per_step(self, columns=None) -> np.ndarray:
        """Count the columns that spike in each step.

        Parameters
        ----------
        columns : ndarray, optional
            The columns to count, bool [..., columns], for instance `excitatory`; by default all.

        Returns
        -------
        ndarray
            Number of these columns that spike, int32 [..., trials, steps].
        """
        chosen = np.ones(self.bits.shape[-1], bool) if columns is None else np.asarray(columns, bool)
        flat = self._flat()
        mask = np.broadcast_to(chosen, (*self.bits.shape[:-3], chosen.shape[-1])).reshape(len(flat), -1)
        counts = _spikes_per_step(flat, np.ascontiguousarray(mask))
        return counts.reshape(*self.bits.shape[:-3], -1, self.steps)[..., : self.trials, :]

    def weighted(self, templates) -> np.ndarray:
        """Sum a template over the spikes of each column.

        The time is proportional to the number of spikes: trains are not unpacked.

        Parameters
        ----------
        templates : ndarray
            One template [steps], or several [templates, steps].

        Returns
        -------
        ndarray
            Sums, float64 [..., trials, columns], or [..., trials, columns, templates].

        Raises
        ------
        circuits.errors.UserError
            For templates of another shape.
        """
        weights = np.asarray(templates, "f8")
        if weights.shape[-1:] != (self.steps,) or weights.ndim > 2:
            raise UserError(f"templates: must be [steps] or [templates, steps], {self.steps} steps, not {list(weights.shape)}")
        *circuits, blocks, _, columns = self.bits.shape
        sums = _weighted(self._flat(), np.ascontiguousarray(np.atleast_2d(weights).T))
        sums = sums.reshape(*circuits, blocks * LANES, columns, -1)[..., : self.trials, :, :]
        return sums[..., 0] if weights.ndim == 1 else sums

    def part(self, first: int, last: int) -> "Raster":
        """The raster of a range of trials.

        Parameters
        ----------
        first, last : int
            Trials first to last - 1.

        Returns
        -------
        Raster
            The raster of these trials, without stimulus, traces and weights.
        """
        words = self.bits[..., first // LANES : -(-last // LANES), :, :]
        turn = np.uint64(first % LANES)
        if turn:
            after = np.zeros_like(words)
            after[..., :-1, :, :] = words[..., 1:, :, :]
            words = (words >> turn) | (after << (np.uint64(LANES) - turn))
            words = words[..., : -(-(last - first) // LANES), :, :]
        words = words & lane_masks(last - first)[:, None, None]
        return replace(self, bits=words, trials=last - first, stimulus=None, traces=None, weights_mv=None)

    def fired_in(self, window) -> np.ndarray:
        """Test for spikes in the window of each trial.

        Parameters
        ----------
        window : ndarray
            The window of each trial, bool [trials, steps].

        Returns
        -------
        ndarray
            bool [..., trials, columns].
        """
        mask = pack(np.asarray(window, bool)[..., None])  # [blocks, steps, 1]
        words = np.bitwise_or.reduce(self.bits & mask, axis=-2)  # [..., blocks, columns]
        lanes = (words[..., None, :] >> np.arange(LANES, dtype="u8")[:, None]) & np.uint64(1)
        return self._shaped(lanes.astype(bool))

    def rates(self) -> np.ndarray:
        """Mean firing rate over the trial.

        Returns
        -------
        ndarray
            Rates in Hz, float64 [..., trials, columns].
        """
        return self.counts() * (1000.0 / self.duration_ms)

    def spikes(self) -> np.ndarray:
        """Unpack the spikes, one byte each: 64 times the memory of the raster.

        Returns
        -------
        ndarray
            bool [..., trials, steps, columns].
        """
        return unpack(self.bits, self.trials)

    def times(self, trial: int) -> list[np.ndarray]:
        """Spike times of one trial, of one circuit.

        Parameters
        ----------
        trial : int
            Number of the trial.

        Returns
        -------
        list of ndarray
            Times in ms for each column, stamped at the end of their step.
        """
        if not -self.trials <= trial < self.trials:
            raise IndexError(f"trial {trial} is outside 0 .. {self.trials - 1}")
        block, lane = divmod(trial % self.trials, LANES)
        fired = (self.bits[block] >> np.uint64(lane)) & np.uint64(1)
        return [(np.flatnonzero(column) + 1) * self.dt_ms for column in fired.T]

    def plot(self, trial: int = 0, ax=None):
        """Draw one trial of one circuit: input spikes, spikes and recorded traces.

        Parameters
        ----------
        trial : int
            Number of the trial.
        ax : matplotlib.axes.Axes, optional
            Axes for the spikes alone; by default a new figure with the traces below the spikes.

        Returns
        -------
        list of matplotlib.axes.Axes
            The axes, those with the spikes first.
        """
        return show.draw(self, "axes", trial, ax)

    def to_neo(self) -> Any:
        """Convert the raster to Neo objects, with recorded traces.

        Needs the extra `recordings`.

        Returns
        -------
        neo.Block
            A `neo.Segment` for each trial, a `neo.SpikeTrain` for each column.
        """
        return show.draw(self, "neo")

    def to_nwb(self, path, **session) -> Path:
        """Write the raster as an NWB file, with recorded traces.

        Needs the extra `recordings`.

        Parameters
        ----------
        path : str or path-like
            The file to write.
        **session
            `description` (str) and `start` (datetime) of the session.

        Returns
        -------
        Path
            The file.
        """
        return show.draw(self, "nwb", path, **session)

    def _repr_html_(self) -> str:
        return show.draw(self, "html")

    def _flat(self):
        """In one layout, for which numba has compiled what reads them: uint64 [circuits, blocks, steps, columns]."""
        return np.ascontiguousarray(self.bits).reshape(prod(self.bits.shape[:-3]), *self.bits.shape[-3:])

    def _shaped(self, flat):
        *circuits, blocks, _, columns = self.bits.shape
        trials_all = flat.reshape(*circuits, blocks * LANES, columns)
        return trials_all[..., : self.trials, :]


@compiled
def _trailing_zeros(bits):
    return np.uint64(_popcount((bits & (~bits + np.uint64(1))) - np.uint64(1)))


@compiled
def _popcount(x):
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled
def _counts(bits, first, last):
    circuits, blocks, _, columns = bits.shape
    counts = np.zeros((circuits, blocks, LANES, columns), np.int64)
    for c in range(circuits):
        for b in range(blocks):
            for k in range(first, last):
                for n in range(columns):
                    word = bits[c, b, k, n]
                    while word:
                        counts[c, b, _trailing_zeros(word), n] += 1
                        word &= word - np.uint64(1)
    return counts


@compiled
def _spikes_per_step(bits, chosen):
    circuits, blocks, steps, columns = bits.shape
    counts = np.zeros((circuits, blocks, LANES, steps), np.int32)
    for c in range(circuits):
        for b in range(blocks):
            for k in range(steps):
                for n in range(columns):
                    word = bits[c, b, k, n] if chosen[c, n] else np.uint64(0)
                    while word:
                        counts[c, b, _trailing_zeros(word), k] += 1
                        word &= word - np.uint64(1)
    return counts


@compiled
def _weighted(bits, weights):
    circuits, blocks, steps, columns = bits.shape
    templates = weights.shape[1]
    sums = np.zeros((circuits, blocks, LANES, columns, templates))
    for c in range(circuits):
        for b in range(blocks):
            for k in range(steps):
                for n in range(columns):
                    word = bits[c, b, k, n]
                    while word:
                        lane = _trailing_zeros(word)
                        for t in range(templates):
                            sums[c, b, lane, n, t] += weights[k, t]
                        word &= word - np.uint64(1)
    return sums


@compiled
def _unpacked(words):
    rows, length = words.shape
    spikes = np.zeros((rows, LANES, length), np.bool_)
    for r in range(rows):
        for x in range(length):
            word = words[r, x]
            while word:
                spikes[r, _trailing_zeros(word), x] = True
                word &= word - np.uint64(1)
    return spikes


@compiled
def _first(bits):
    circuits, blocks, steps, columns = bits.shape
    first = np.full((circuits, blocks, LANES, columns), -1, np.int64)
    for c in range(circuits):
        for b in range(blocks):
            for n in range(columns):
                seen = np.uint64(0)
                for k in range(steps):
                    word = bits[c, b, k, n] & ~seen
                    seen |= word
                    while word:
                        first[c, b, _trailing_zeros(word), n] = k
                        word &= word - np.uint64(1)
    return first
