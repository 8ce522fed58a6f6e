"""Fitting the baselines and scoring them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import lfilter

from circuits.simulation.raster import pack
from fitness.recordings import measures
from fitness.recordings.baselines.design import basis, past
from fitness.recordings.baselines.regression import least_squares, poisson
from fitness.recordings.baselines.spiking import free_run
from fitness.recordings.likeness import readings
from fitness.recordings.task import HELD_OUT, SEARCH, RecordingTask

STIMULUS, HISTORY = 10, 8  # features of a channel, and of the neuron itself
ROWS = 400_000  # most that a regression is made on
THRESHOLDS = 40
REFRACTORY_MS = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)
RUNS = 20  # free runs of a GLM, of which the rate is the mean
NEVER = -1e6


class Baseline(NamedTuple):
    """The scores of a model: search, held_out  as of circuits;   figures  the scored measure by neuron, held out."""

    model: str
    search: float
    held_out: float
    figures: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The fields by name, for JSON."""
        return self._asdict()


class Model(NamedTuple):
    """A model of one output: the constant, weights of the stimulus's features, `after` [lags] added after each of its spikes,
    and whether its rate is an exponential."""

    constant: float
    weights: np.ndarray
    after: np.ndarray
    exponential: bool

    def predict(self, features: np.ndarray) -> "Prediction":
        """The prediction from features [windows, steps, features]."""
        return Prediction(self.constant + features @ self.weights, self.after, self.exponential)


class Prediction(NamedTuple):
    """Prediction of a model in all windows: eta [windows, steps], `after` [lags] added to it after each spike, and whether the
    rate is its exponential."""

    eta: np.ndarray
    after: np.ndarray
    exponential: bool


def fit_all(task: RecordingTask) -> list[Baseline]:
    """The constant rate and the three regressions on a recording. Deterministic."""
    prepared = task.prepared
    features = past(_stimulus(prepared), basis(task.step_ms, STIMULUS))
    baselines = [_baseline(task, "best constant rate", prepared.low, _constant(task))]
    for model, fit in MODELS.items():
        both = np.array([_figures(task, n, fit(task, n, features).predict(features)) for n in range(len(task.outputs))])
        baselines.append(_baseline(task, model, both[:, 0], both[:, 1]))
    return baselines


def rates(
    task: RecordingTask, others: Sequence[RecordingTask] = (), stimulus: int = STIMULUS, runs: int = RUNS
) -> dict[str, list[np.ndarray]]:
    """The rates that the three regressions, fitted on a recording, predict for it and for others with the same inputs: by
    model, for each recording the spikes expected in every step, float64 [windows, steps, outputs]. Deterministic.

    stimulus  features of a channel: more resolve its past more finely;   runs  free runs of the GLM, of which it is the mean
    """
    filters = basis(task.step_ms, stimulus)
    own = _stimulus(task.prepared)
    features = [past(own, filters), *(past(_on_scale_of(task, other), filters) for other in others)]
    predicted: dict[str, list[np.ndarray]] = {}
    for model, fit in MODELS.items():
        fitted = [fit(task, n, features[0]) for n in range(len(task.outputs))]
        predicted[model] = [np.stack([_rate(one.predict(x), runs) for one in fitted], axis=-1) for x in features]
    return predicted


def _on_scale_of(task, other):
    """The stimulus of another recording, its signals scaled as those of the first are."""
    straight = [(k, source) for k, source in enumerate(task.prepared.sampled) if source.scale > 0]
    stimulus = _stimulus(other.prepared)
    trains = stimulus.shape[2] - len(straight)
    for at, (k, source) in enumerate(straight, trains):
        as_read = other.prepared.sampled[k]
        given = np.arange(stimulus.shape[1]) < other.prepared.windows.stop[:, None]
        scaled = (stimulus[..., at] * as_read.scale + as_read.center - source.center) / source.scale
        stimulus[..., at] = np.where(given, scaled, 0.0)
    return stimulus


def _stimulus(prepared):
    """Trains and signals of all windows, [windows, steps, n]: every signal once."""
    straight = [k for k, channel in enumerate(prepared.sampled) if channel.scale > 0]
    if not straight:
        return prepared.windows.spikes
    return np.concatenate([prepared.windows.spikes, prepared.drive[..., straight].astype("f8")], axis=2)


def score(task: RecordingTask, figures: np.ndarray) -> float:
    """The score that figures by neuron amount to."""
    p = task.prepared
    return float(np.clip(np.minimum((figures - p.low) / (p.high - p.low), 1.0).mean(), 0.0, 1.0))


def _baseline(task, model, search, held_out):
    names = dict(zip(task.outputs, np.asarray(held_out, float).tolist(), strict=True))
    return Baseline(model, score(task, np.asarray(search)), score(task, np.asarray(held_out)), names)


def _constant(task):
    held_out = np.flatnonzero(task.prepared.part == HELD_OUT)
    return measures.constant_rate(task.scored_by, task.prepared.target, held_out, task.step_ms, task.precision_ms)


def _trains(task, n, windows):
    """The measured trains of an output: of each repeat bool [steps], and the window that it is of."""
    w, outputs = task.prepared.windows, len(task.outputs)
    spikes, which = [], []
    for i in windows:
        for r in range(w.repeats[i]):
            one = np.zeros(w.spikes.shape[1], bool)
            one[w.measured.train(i, r, n, outputs)] = True
            spikes.append(one)
            which.append(i)
    return np.array(spikes), np.array(which)


def _rows(task, n, features, history=None):
    """Features and counts of the scored steps of search windows, repeat by repeat; of some windows where they are many."""
    w, p = task.prepared.windows, task.prepared
    windows = np.flatnonzero(p.part == SEARCH)
    total = float((w.lengths * w.repeats)[windows].sum())
    rng = np.random.default_rng(0)
    if total > ROWS:
        windows = rng.permutation(windows)[: max(int(len(windows) * ROWS / total), 1)]
    spikes, which = _trains(task, n, windows)
    scored = w.scored[which]
    x = features[which][scored]
    if history is not None:
        x = np.column_stack([x, past(spikes[..., None], history)[scored]])
    return x, spikes[scored].astype("f8")


def _linear(task, n, features):
    b = least_squares(*_rows(task, n, features))
    return Model(b[0], b[1:], np.zeros(0), False)


def _nonlinear(task, n, features):
    b = poisson(*_rows(task, n, features))
    return Model(b[0], b[1:], np.zeros(0), True)


def _glm(task, n, features):
    history = basis(task.step_ms, HISTORY)
    width = features.shape[-1]
    first = np.eye(4, history.shape[1])  # the first steps after a spike by themselves
    history = np.vstack([first, history])
    b = poisson(*_rows(task, n, features, history))
    return Model(b[0], b[1 : 1 + width], b[1 + width :] @ history, True)


MODELS: dict[str, Callable[..., Model]] = {"linear filter": _linear, "linear-nonlinear": _nonlinear, "GLM with history": _glm}


def _figures(task, n, model: Prediction):
    """Scores of an output on the search windows and on those held out."""
    parts = [np.flatnonzero(task.prepared.part == part) for part in (SEARCH, HELD_OUT)]
    if task.scored_by == "coincidence":
        return _by_spikes(task, n, model, *parts)
    rate = _rate(model)
    return [_of_rate(task, n, rate[item], item) for item in parts]


def _by_spikes(task, n, model, search, held_out):
    """Readings of spikes at a threshold; threshold and refractory period are the best on the search windows."""
    scored = task.prepared.windows.scored[search]
    levels = np.quantile(model.eta[search][scored], 1 - np.geomspace(0.002, 0.5, THRESHOLDS))
    best = -np.inf, model.after, 0.0
    for refractory_ms in REFRACTORY_MS:
        after = model.after.copy()
        rest = round(refractory_ms / task.step_ms)
        after = np.r_[after, np.zeros(max(rest - len(after), 0))]
        after[:rest] = NEVER
        spikes = [free_run(np.ascontiguousarray(model.eta[search]), after, level, None) for level in np.unique(levels)]
        values = _of_spikes(task, n, np.array(spikes), search)
        k = int(np.argmax(values))
        if values[k] > best[0]:
            best = values[k], after, np.unique(levels)[k]
    spikes = free_run(np.ascontiguousarray(model.eta[held_out]), *best[1:], None)
    return best[0], _of_spikes(task, n, spikes[None], held_out)[0]


def _of_spikes(task, n, spikes, item):
    """The figure of an output for each of some answers, bool [answers, windows, steps]."""
    outputs = len(task.outputs)
    bits = np.zeros((len(spikes), -(-len(item) // 64), spikes.shape[-1], outputs), "u8")
    for k, one in enumerate(spikes):
        bits[k, ..., n] = pack(one[..., None])[..., 0]
    target = task.prepared.target
    sums = measures.sums(readings(bits, item, target), target, item, task.step_ms)
    return measures.figure(task.scored_by, sums, task.precision_ms)[:, n]


def _rate(model, runs=RUNS):
    """Spikes expected in every step, [windows, steps]."""
    if not model.exponential:
        return np.maximum(model.eta, 0.0)
    if not len(model.after):
        return np.exp(np.minimum(model.eta, 5.0))
    rng = np.random.default_rng(0)
    drawn = [free_run(model.eta, model.after, 0.0, rng.random(model.eta.shape)) for _ in range(runs)]
    return np.mean(drawn, axis=0)


def _of_rate(task, n, rate, item):
    """The figure of a rate: a train of many small spikes."""
    target, w = task.prepared.target, task.prepared.windows
    rate = np.where(w.scored[item], rate, 0.0)
    if target.bins is not None:
        xx = sum((_binned(one, w.start[i], target.bins[0]) ** 2).sum() for one, i in zip(rate, item, strict=True))
    else:
        decay = float(target.kernels[0, 1])
        forth = lfilter([1.0], [1.0, -decay], rate, axis=1)
        back = lfilter([1.0], [1.0, -decay], rate[:, ::-1], axis=1)[:, ::-1]
        xx = (rate * (forth + back - rate)).sum()
    xy = (rate * target.overlap[item, n, :, 0]).sum()
    length = w.lengths[item].sum() * task.step_ms
    m, yy = target.counts[item, n].sum(), target.own[item, n, 0].sum()
    sums = measures.Sums(*(np.array([v], float) for v in (rate.sum(), m, 0.0, xx, xy, yy)), float(length))
    return float(measures.figure(task.scored_by, sums, task.precision_ms)[0])


def _binned(rate, start, width):
    """The sums of a rate [steps] in bins of so many steps, from `start` on."""
    return np.add.reduceat(rate, np.arange(start, len(rate), width))
