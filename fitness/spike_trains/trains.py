"""Many spike trains in two arrays, and how measures go through pairs of them."""

from math import prod
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.numerics.compiled import compiled
from circuits.simulation.raster import Raster, _trailing_zeros


class SpikeTrains(NamedTuple):
    """Spike trains of one duration, from 0 to `duration_ms`.

    Parameters
    ----------
    times_ms : ndarray
        Times of all trains in ms, float64 [spikes]: one train after the other, ascending within each.
    first : ndarray
        int64 [trains + 1]: train k is times_ms[first[k] : first[k + 1]], in row-major order of `shape`.
    shape : tuple of int
        Axes of the trains, such as (trials, units) or (circuits, trials, units).
    duration_ms : float
        Duration of every train in ms.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains
    >>> SpikeTrains.of([[10.0, 25.0], [40.0]], duration_ms=100).counts
    array([2, 1])
    """

    times_ms: np.ndarray
    first: np.ndarray
    shape: tuple[int, ...]
    duration_ms: float

    @classmethod
    def of(cls, times_ms, duration_ms: float) -> "SpikeTrains":
        """Make trains from nested sequences of spike times.

        Parameters
        ----------
        times_ms : nested sequences of float
            Spike times in ms, not necessarily sorted. The innermost level is a train, the outer levels are the shape.
        duration_ms : float
            Duration of every train in ms.

        Returns
        -------
        SpikeTrains
            The trains.

        Raises
        ------
        circuits.errors.UserError
            For times outside 0 to `duration_ms`, for NaN, and for ragged outer levels.
        """
        if not (np.isfinite(duration_ms) and duration_ms > 0):
            raise UserError(f"spike trains: duration_ms must be above 0, not {duration_ms}")
        trains: list[np.ndarray] = []
        shape = _gather(times_ms, trains)
        for k, train in enumerate(trains):
            wrong = ~((train >= 0) & (train <= duration_ms))
            if wrong.any():
                where = f"train {k}, spike {int(np.argmax(wrong))}"
                raise UserError(f"spike trains: {where}: {train[wrong][0]} ms lies outside 0 to {duration_ms:g} ms")
        sizes = np.fromiter(map(len, trains), "i8", len(trains))
        flat = np.concatenate([np.sort(train) for train in trains]) if trains else np.empty(0)
        return cls(flat, _starts(sizes), shape, float(duration_ms))

    @classmethod
    def of_raster(cls, raster: Raster) -> "SpikeTrains":
        """The trains of a raster.

        Parameters
        ----------
        raster : Raster
            Spikes of one circuit or of a population.

        Returns
        -------
        SpikeTrains
            Trains of shape (trials, columns), or (circuits, trials, columns).
        """
        *circuits, blocks, steps, columns = raster.bits.shape
        bits = raster.bits.reshape(prod(circuits), blocks, steps, columns)
        counts = raster.counts()
        first = _starts(counts.reshape(-1))
        times = np.empty(first[-1])
        _unpack(bits, raster.trials, raster.dt_ms, first[:-1].copy(), times)
        return cls(times, first, counts.shape, raster.duration_ms)

    @property
    def counts(self) -> np.ndarray:
        """Number of spikes of each train, int64 of the shape of the trains."""
        return np.diff(self.first).reshape(self.shape)


def compared(kernel, a: SpikeTrains, b: SpikeTrains, *numbers: float) -> np.ndarray:
    """`kernel(a's times, first, b's times, first, *numbers, out)` for every train of b and its counterpart in a: float64, of
    b's shape. The shape of a is b's, or b's without leading axes."""
    if a.duration_ms != b.duration_ms:
        raise UserError(f"spike trains: of {a.duration_ms:g} and {b.duration_ms:g} ms; trains to compare have one duration")
    if b.shape[len(b.shape) - len(a.shape) :] != a.shape:
        raise UserError(f"spike trains: shape {a.shape} is not the end of shape {b.shape}; the first argument may lack axes")
    out = np.empty(prod(b.shape))
    kernel(a.times_ms, a.first, b.times_ms, b.first, *map(float, numbers), out)
    return out.reshape(b.shape)


def positive(name: str, value: float) -> float:
    """The number if it is above 0 and finite, else UserError."""
    if not 0 < value < np.inf:
        raise UserError(f"spike trains: {name} must be above 0, not {value}")
    return float(value)


def _gather(times, trains):
    """Appends the trains in row-major order and returns the shape of the outer levels."""
    items = list(times)
    if all(np.ndim(item) == 0 for item in items):
        try:
            trains.append(np.asarray(items, "f8"))
        except (TypeError, ValueError):
            raise UserError(f"spike trains: train {len(trains)}: spike times must be numbers") from None
        return ()
    shapes = {_gather(item, trains) for item in items}
    if len(shapes) > 1:
        raise UserError("spike trains: the outer levels must be of equal lengths, such as as many units in every trial")
    return (len(items), *shapes.pop())


def _starts(sizes):
    first = np.zeros(len(sizes) + 1, "i8")
    np.cumsum(sizes, out=first[1:])
    return first


@compiled
def _unpack(bits, trials, dt_ms, place, times):
    """Writes the times of every spike; `place` [trains] is where each train's next one goes."""
    circuits, blocks, steps, columns = bits.shape
    for c in range(circuits):
        for w in range(blocks):
            for k in range(steps):
                for n in range(columns):
                    left = bits[c, w, k, n]
                    while left:
                        trial = 64 * w + np.int64(_trailing_zeros(left))
                        left &= left - np.uint64(1)
                        if trial < trials:
                            train = (c * trials + trial) * columns + n
                            times[place[train]] = (k + 1) * dt_ms
                            place[train] += 1
