"""The data sets of bench_assembly, and how large and how long trained the networks are."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from circuits.torch import data

KEPT_BACK = 0.2  # share of the training split that judges settings


class Task(NamedTuple):
    """make(seed) -> Data;   classes;   parameters  of every network;   steps  of training, 64 trials each"""

    make: object
    classes: int
    parameters: int
    steps: int


TASKS = {
    "itd": Task(lambda seed: data.itd(5000, 1000, seed, classes=12), 12, 6000, 500),
    "randman": Task(lambda seed: data.randman(5000, 1000, seed), 10, 4000, 300),
    "yin-yang": Task(lambda seed: data.yin_yang(6250, 1000, seed), 3, 3000, 400),
    "digits": Task(lambda _: data.digits(450, 0), 10, 4000, 200),  # one split: what is tested on, no seed has seen
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
