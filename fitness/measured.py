"""Tasks whose score is one figure over all trials together: a correlation, a tuning curve, a learning index."""

import numpy as np

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness.interval import Z, by_resampling, concentration
from fitness.task import Score, Task, Trials, exact

GROUPS = 16  # of trials, left out one after the other


class Measured(Task):
    """Base of such tasks. A subclass implements `make` and

    measure(raster, trials)   what is read in each trial: float [..., trials, readings]
    overall(measured, trials) the score from the readings: [...], 0 where nothing is right, 1 perfect
    mark(measured, trials)    each trial by itself, 0..1, [..., trials]: the credit, and what a search climbs
    """

    def measure(self, raster: Raster, trials: Trials) -> np.ndarray:
        """Readings of each trial."""
        raise UserError(f"task {self.title()}: has no method measure(self, raster, trials)")

    def overall(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """The score from the readings of all trials."""
        raise UserError(f"task {self.title()}: has no method overall(self, measured, trials)")

    def mark(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """Each trial by itself."""
        raise UserError(f"task {self.title()}: has no method mark(self, measured, trials)")

    def conditions(self, trials: Trials) -> dict[str, np.ndarray]:
        """As for all tasks, but by default none: one figure over all trials need not mean anything on some of them."""
        return {}

    def score_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """The score on some of the trials, [...]: chosen is an index array; `score` is that on all of them."""
        assert score.measured is not None
        measured = np.ascontiguousarray(score.measured[..., chosen, :])
        return np.clip(self._checked(self.overall, score.value.shape, measured, trials.take(chosen)), 0.0, 1.0)

    def score(self, raster: Raster, trials: Trials) -> Score:
        """Score the rasters of one circuit, or of many at once (leading axis); see `Score`."""
        raster = self._heard(raster)
        circuits, count = raster.bits.shape[:-3], len(trials)
        measured = self._returned(self.measure, (*circuits, count, None), raster, trials)
        mark = np.clip(self._checked(self.mark, (*circuits, count), measured, trials), 0.0, 1.0)
        return Score(np.clip(self._checked(self.overall, circuits, measured, trials), 0.0, 1.0), mark, mark, measured)

    def interval(self, score: Score, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % confidence interval of `score.value`, over draws of as many trials: by resampling the trials (see
        `fitness.interval`)."""
        clusters = self._clusters(trials)

        def overall(chosen):
            return np.asarray(self._call(self.overall, score.measured[..., chosen, :], trials.take(chosen)), "f8")

        n = 1 / (trials.weights**2).sum() if clusters is None else len(np.unique(clusters))
        concentrated = concentration(score.credit, trials.labels, trials.weights)
        below, above = by_resampling(overall, trials.labels, clusters, concentrated, n, trials.noise_seed)
        return np.clip(score.value - exact(below), 0.0, 1.0), np.clip(score.value + exact(above), 0.0, 1.0)

    def floor(self, score: Score, trials: Trials) -> np.ndarray:
        """See `Task.floor`: the score less 1.96 errors by the jackknife over groups of trials (Efron and Stein, Ann. Stat. 9,
        1981), every class spread over all groups. It does not see what jumps from draw to draw, nor need it."""
        group = np.empty(len(trials), int)
        group[np.argsort(trials.labels, kind="stable")] = np.arange(len(trials)) % GROUPS
        parts = [np.flatnonzero(group != g) for g in range(GROUPS)]
        found = [self._call(self.overall, score.measured[..., p, :], trials.take(p)) for p in parts]
        values = np.clip(np.stack(found), 0, 1)
        return np.clip(score.value - Z * exact(np.sqrt((GROUPS - 1) * values.var(axis=0))), 0.0, 1.0)

    def floor_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """`floor` on some of the trials: chosen is an index array; `score` is that on all of them."""
        assert score.measured is not None
        value, measured = self.score_of(score, trials, chosen), np.ascontiguousarray(score.measured[..., chosen, :])
        return self.floor(Score(value, score.credit[..., chosen], score.grade[..., chosen], measured), trials.take(chosen))


def by_class(readings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean of the readings [..., trials] in each class, in ascending order of the labels: [..., classes]."""
    parts = (np.ascontiguousarray(readings[..., labels == label]) for label in np.unique(labels))  # one order of summation
    return np.stack([part.mean(axis=-1) for part in parts], axis=-1)


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's correlation along the last axis, 0 where either is constant; arrays broadcast."""
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.where(size > 1e-12, (a * b).sum(axis=-1) / np.where(size > 1e-12, size, 1.0), 0.0)
