"""The data sets of bench_assembly, and how large and how long trained the networks are."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from circuits import data

PRICED = "-priced"  # the name of a task in which spikes have a price is that of the other and this
KEPT_BACK = 0.2  # share of the training split that judges settings
PRICE = 0.03  # nats a spike
WORTH = 15.0  # nats that are worth as much as all of the accuracy, where spikes have a price
LEAST_COST = 0.0003  # of a spike, in accuracy, where they have none


class Task(NamedTuple):
    """make(seed) -> Data;   classes;   parameters  of every network;   steps  of training, 64 trials each

    features  the lines are first brought together into so many, by a matrix that learns, in every network; 0: they are not
    price     of a spike in training, nats
    """

    make: object
    classes: int
    parameters: int
    steps: int
    features: int = 0
    price: float = 0.0

    def score(self, accuracy: float, spikes: float | None) -> float:
        """What motifs are searched and settings are chosen by: the accuracy less what spikes cost."""
        return accuracy - max(LEAST_COST, self.price / WORTH) * (spikes or 0.0)


_ITD = Task(lambda seed: data.itd(5000, 1000, seed, classes=12), 12, 4000, 500, features=8)
_IN_PHASE = _ITD._replace(make=lambda seed: data.itd(5000, 1000, seed, classes=12, fibre_lag=0.0))
_RANDMAN = Task(lambda seed: data.randman(5000, 1000, seed), 10, 4000, 300)
TASKS = {
    "randman": _RANDMAN,
    "itd": _ITD,
    "itd-in-phase": _IN_PHASE,
    "yin-yang": Task(lambda seed: data.yin_yang(6250, 1000, seed), 3, 3000, 400),
    "digits": Task(lambda _: data.digits(450, 0), 10, 4000, 200),  # one split: what is tested on, no seed has seen
    "randman" + PRICED: _RANDMAN._replace(price=PRICE),
    "itd" + PRICED: _ITD._replace(price=PRICE),
    "itd-in-phase" + PRICED: _IN_PHASE._replace(price=PRICE),
}


class Sets(NamedTuple):
    """Pairs of spikes, uint8 tensor [trials, lines, steps], and classes, int64 tensor [trials]."""

    train: tuple
    validation: tuple
    test: tuple

    @property
    def lines(self) -> int:
        return self.train[0].shape[1]


@lru_cache(maxsize=1)
def sets_of(task: Task, seed: int) -> Sets:
    """The data of a seed; validation trials are the last ones of the training split."""
    train, test = task.make(seed)
    begin = len(train.targets) - round(KEPT_BACK * len(train.targets))
    return Sets(
        *(_tensors(part, which) for part, which in ((train, slice(begin)), (train, slice(begin, None)), (test, slice(None))))
    )


def _tensors(split, which):
    spikes = np.ascontiguousarray(split.spikes[which].transpose(0, 2, 1)).view("u1")
    return torch.from_numpy(spikes), torch.from_numpy(split.targets[which])
