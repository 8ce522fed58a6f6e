"""Tasks whose score is one figure over all trials together: a correlation, a tuning curve, a learning index."""

import numpy as np

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.scoring.confidence import Z, by_resampling, concentration
from fitness.scoring.score import Score, exact

GROUPS = 16  # of trials, for the jackknife


class Measured(Task):
    """Base class of tasks whose score is one figure over all trials together.

    Such figures are a correlation, a tuning curve, a learning index. A subclass implements `make`, `measure`, `overall` and
    `mark`.

    Examples
    --------
    >>> import fitness
    >>> task = fitness.task("gain")
    >>> isinstance(task, fitness.Measured)
    True
    """

    def measure(self, raster: Raster, trials: Trials) -> np.ndarray:
        """Read each trial; implemented by every such task.

        Parameters
        ----------
        raster : Raster
            Spikes of the output neurons.
        trials : Trials
            The trials.

        Returns
        -------
        ndarray
            Readings, float [..., trials, readings].
        """
        raise UserError(f"task {self.title()}: has no method measure(self, raster, trials)")

    def overall(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """The score from the readings of all trials; implemented by every such task.

        Parameters
        ----------
        measured : ndarray
            Readings, float [..., trials, readings].
        trials : Trials
            The trials.

        Returns
        -------
        ndarray
            Scores [...]: 0 where nothing is right, 1 where all is perfect.
        """
        raise UserError(f"task {self.title()}: has no method overall(self, measured, trials)")

    def mark(self, measured: np.ndarray, trials: Trials) -> np.ndarray:
        """Score every trial by itself; implemented by every such task.

        Parameters
        ----------
        measured : ndarray
            Readings, float [..., trials, readings].
        trials : Trials
            The trials.

        Returns
        -------
        ndarray
            Trial score between 0 and 1, [..., trials], which is also the case score.
        """
        raise UserError(f"task {self.title()}: has no method mark(self, measured, trials)")

    def conditions(self, trials: Trials) -> dict[str, np.ndarray]:
        """The factors that make the conditions of trials, by default none.

        One figure over all trials need not mean anything on some of them.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        dict of ndarray
            By name, the value of each factor in each trial, [trials].
        """
        return {}

    def score_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """The score on some of the trials.

        Parameters
        ----------
        score : Score
            The score on all trials.
        trials : Trials
            All trials.
        chosen : ndarray
            Index array of the trials that count.

        Returns
        -------
        ndarray
            Scores, float64 [...].
        """
        assert score.measured is not None
        measured = np.ascontiguousarray(score.measured[..., chosen, :])
        return np.clip(self._checked(self.overall, score.value.shape, measured, trials.take(chosen)), 0.0, 1.0)

    def score(self, raster: Raster, trials: Trials) -> Score:
        """Score the raster of one circuit, or of a population (leading axis).

        Parameters
        ----------
        raster : Raster
            Spikes of all neurons, or of the output neurons.
        trials : Trials
            The trials in which they were recorded.

        Returns
        -------
        Score
            Value, trial scores, case scores and readings.
        """
        raster = self._columns(raster)
        circuits, count = raster.bits.shape[:-3], len(trials)
        measured = self._returned(self.measure, (*circuits, count, None), raster, trials)
        mark = np.clip(self._checked(self.mark, (*circuits, count), measured, trials), 0.0, 1.0)
        return Score(np.clip(self._checked(self.overall, circuits, measured, trials), 0.0, 1.0), mark, mark, measured)

    def interval(self, score: Score, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % confidence interval of a score, by resampling the trials.

        Parameters
        ----------
        score : Score
            The score.
        trials : Trials
            The trials on which it was computed.

        Returns
        -------
        low, high : ndarray
            The ends of the interval, float64 of the shape of `score.value`. See `fitness.scoring.confidence` for the method.
        """
        clusters = self._clusters(trials)

        def overall(chosen, read):
            return np.asarray(self._call(self.overall, score.measured[..., read, :], trials.take(chosen)), "f8")

        n = 1 / (trials.weights**2).sum() if clusters is None else len(np.unique(clusters))
        concentrated = concentration(score.trial_scores, trials.labels, trials.weights)
        below, above = by_resampling(overall, trials.labels, clusters, concentrated, n, trials.noise_seed)
        return np.clip(score.value - exact(below), 0.0, 1.0), np.clip(score.value + exact(above), 0.0, 1.0)

    def floor(self, score: Score, trials: Trials) -> np.ndarray:
        """The lowest score on the same trials that counts as equally good, when parts of a circuit are removed.

        The score less 1.96 errors by the jackknife over groups of trials (Efron and Stein, Ann. Stat. 9, 1981), with every
        class spread over all groups. It does not see jumps between draws, and need not.

        Parameters
        ----------
        score : Score
            The score of the whole circuit.
        trials : Trials
            The trials on which it was computed.

        Returns
        -------
        ndarray
            float64 of the shape of `score.value`.
        """
        group = np.empty(len(trials), int)
        group[np.argsort(trials.labels, kind="stable")] = np.arange(len(trials)) % GROUPS
        parts = [np.flatnonzero(group != g) for g in range(GROUPS)]
        scores = [self._call(self.overall, score.measured[..., p, :], trials.take(p)) for p in parts]
        values = np.clip(np.stack(scores), 0, 1)
        return np.clip(score.value - Z * exact(np.sqrt((GROUPS - 1) * values.var(axis=0))), 0.0, 1.0)

    def floor_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """The lowest score on some of the trials that counts as equally good, see `floor`.

        Parameters
        ----------
        score : Score
            The score of the whole circuit on all trials.
        trials : Trials
            All trials.
        chosen : ndarray
            Index array of the trials that count.

        Returns
        -------
        ndarray
            float64 of the shape of `score.value`.
        """
        assert score.measured is not None
        value, measured = self.score_of(score, trials, chosen), np.ascontiguousarray(score.measured[..., chosen, :])
        return self.floor(
            Score(value, score.trial_scores[..., chosen], score.case_scores[..., chosen], measured), trials.take(chosen)
        )


def by_class(readings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean of the readings [..., trials] in each class, in ascending order of the labels: [..., classes]."""
    parts = (np.ascontiguousarray(readings[..., labels == label]) for label in np.unique(labels))  # one order of summation
    return np.stack([part.mean(axis=-1) for part in parts], axis=-1)


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's correlation along the last axis, 0 where either is constant; arrays broadcast."""
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.where(size > 1e-12, (a * b).sum(axis=-1) / np.where(size > 1e-12, size, 1.0), 0.0)
