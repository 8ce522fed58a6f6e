"""Training a network: batches, windows, learning curves, checkpoints that resume, early stopping."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from circuits.errors import UserError
from circuits.torch.checks import whole_number
from circuits.torch.training.history import History
from circuits.torch.training.objective import Trials, gradients, judge, objective_of, trials_of
from circuits.torch.training.state import Training


def fit(
    network,
    train,
    validation=None,
    *,
    steps: int,
    batch: int = 64,
    rate: float = 0.03,
    optimiser: Callable | None = None,
    loss: Callable | None = None,
    spike_price: float = 0.0,
    window: int | None = None,
    clip_norm: float | None = 1.0,
    look: int = 50,
    patience: int | None = None,
    checkpoint=None,
    progress: Callable[[History], Any] | None = None,
    seed: int = 0,
) -> History:
    """Train a network in place.

    Steps whose gradients are not finite are skipped and counted. The same call gives the same network, bit for bit, on one
    machine with the same number of threads.

    Parameters
    ----------
    network : MotifNetwork
        The network.
    train : pair of arrays, Split or callable
        Spikes [trials, steps, features] and targets; or a function that makes such a pair from a number of trials and a
        `numpy.random.Generator`. Targets are classes, int64 [trials], or with `readout_ms` [trials, steps], where -1 is not
        scored; or 0 and 1 for each output alone, floats [trials, classes] or [trials, steps, classes], where NaN is not
        scored.
    validation : pair of arrays or Split, optional
        Trials that are scored at every look.
    steps : int
        Number of training steps.
    batch : int
        Number of trials of a step.
    rate : float
        Learning rate of Adam, relative to the root mean square of each tensor's first values; it falls along half a cosine.
    optimiser : callable, optional
        A function of the network's parameters that makes another optimiser, whose rates stay constant.
    loss : callable, optional
        A function of logits and targets, the mean loss; by default cross-entropy of classes or of outputs.
    spike_price : float
        Penalty added to the loss for every spike of a trial.
    window : int, optional
        Steps of a window of truncated backpropagation through time, see `windows`; None: the whole trial.
    clip_norm : float, optional
        Largest norm of the gradient of all parameters.
    look : int
        Training steps between two looks, at which curves get a point and checkpoints are written.
    patience : int, optional
        Training stops after this many looks without a better validation score, and the best parameters are restored.
    checkpoint : str or path-like, optional
        A file that is written at every look. If it exists, training resumes from it and ends as if it had never stopped.
    progress : callable, optional
        Called with the `History` at every look; `lambda history: print(history.line())` shows it.
    seed : int
        Seed of the batches.

    Returns
    -------
    History
        Learning curves.

    Raises
    ------
    circuits.errors.UserError
        For trials or options of the wrong form, and a checkpoint of another network or training.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifLayer, MotifNetwork, fit
    >>> train, test = circuits.data.itd(train=64, test=32, seed=0, classes=2)
    >>> network = MotifNetwork([MotifLayer(circuits.zoo["onset-2"], 4, train.spikes.shape[2])], classes=2)
    >>> history = fit(network, train, test, steps=4, look=2, batch=16)
    >>> history.step
    [2, 4]
    """
    for name, value in (("steps", steps), ("batch", batch), ("look", look)):
        whole_number(name, value)
    for name, option in (("window", window), ("patience", patience)):
        if option is not None:
            whole_number(name, option)
    if patience is not None and validation is None:
        raise UserError("patience: needs validation trials")
    objective = objective_of(loss)
    held_out = None if validation is None else trials_of(validation, "validation", network)
    source = train if callable(train) else trials_of(train, "train", network)
    run = Training(network, steps, rate, optimiser, seed)
    if checkpoint is not None and Path(checkpoint).exists():
        run.resume(checkpoint)
    begin, recent = time.process_time() - run.history.seconds, _Recent()
    while run.step < steps and not run.history.stopped:
        trials = _drawn(source, batch, np.random.default_rng([seed, run.step]), network)
        run.schedule()
        run.optimiser.zero_grad()
        network.train()
        means = gradients(network, trials, objective, spike_price, window)
        if means is not None and run.finite(clip_norm):
            run.optimiser.step()
        else:
            run.history.lost += 1
        recent.add(means)
        run.step += 1
        if run.step % look == 0 or run.step == steps:
            recent.record(run.history, run.step)
            if held_out is not None:
                run.judged(*judge(network, held_out, objective, batch), patience)
            run.history.seconds = time.process_time() - begin
            if checkpoint is not None:
                run.save(checkpoint)
            if progress is not None:
                progress(run.history)
    if patience is not None:
        run.restore_best()
    return run.history


def _drawn(source, batch, rng, network) -> Trials:
    if callable(source):
        return trials_of(source(batch, rng), "train", network)
    return source.pick(torch.from_numpy(rng.integers(0, len(source), batch)))


class _Recent:
    """Means of the batches since the last look."""

    def __init__(self):
        self.batches: list = []

    def add(self, means):
        self.batches += [] if means is None else [means]

    def record(self, history, step):
        means = np.mean(self.batches, 0) if self.batches else np.full(3, math.nan)
        history.step.append(step)
        for name, value in zip(("loss", "score", "spikes"), means, strict=True):
            getattr(history, name).append(float(value))
        self.batches = []
