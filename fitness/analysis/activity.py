"""How the neurons fire."""

from typing_extensions import TypedDict

from circuits.simulation.raster import Raster
from fitness.analysis import firing as measures
from fitness.analysis.numbers import Number, rounded

BINS, BIN_MS = 40, 5.0  # synchrony is measured in bins of 5 ms, in short trials in so many


class Spectrum(TypedDict):
    """Power of the spikes of all neurons together, over that of as many spikes at random times (1: no rhythm)."""

    hz: list[float]
    power: list[float]


class Activity(TypedDict):
    """How the neurons fire, over all trials; lists are in the order of the circuit's neurons.

    neurons    their ids;   rate_hz  mean rates
    cv         coefficient of variation of the intervals between spikes: 0 a clock, 1 a Poisson train; None with fewer than 10
    synchrony  chi, 0 independent to 1 in step (Golomb and Rinzel, Physica D 72, 1994): the standard deviation over time of the
               mean activity, over the root of the neurons' mean variance, activity being spikes in bins of `bin_ms`; None where
               fewer than two neurons fire
    spectrum   None for trials too short or with too few spikes to show a rhythm
    """

    neurons: list[str | int]
    rate_hz: list[float]
    cv: list[Number]
    synchrony: Number
    bin_ms: float
    spectrum: Spectrum | None


def activity(raster: Raster) -> Activity:
    """The part `activity` of an analysis."""
    width = max(1, min(round(BIN_MS / raster.dt_ms), raster.steps // BINS))
    bin_ms = round(width * raster.dt_ms, 9)
    together = measures.spectrum(raster)
    return {
        "neurons": list(raster.names),
        "rate_hz": rounded(raster.rates().mean(axis=0)),
        "cv": rounded(measures.irregularity(raster)),
        "synchrony": rounded([measures.synchrony(raster, bin_ms)])[0],
        "bin_ms": bin_ms,
        "spectrum": None if together is None else {"hz": rounded(together[0]), "power": rounded(together[1])},
    }
