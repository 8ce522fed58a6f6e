"""Training of a network by gradient descent, which can pause after any step. Needs PyTorch.

Everything random comes from the seed. The same training takes the same steps bit for bit on the same machine and version of
PyTorch; on another processor sums may be rounded otherwise.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from circuits.errors import UserError
from circuits.torch.finite import NotFiniteError
from fitness.learning.curve import Curve, Learned
from fitness.learning.data import Sets, Trials
from fitness.learning.network import Network, Output
from fitness.learning.settings import Learning
from fitness.learning.streams import UNASKED

CLIP = 1.0  # norm of the gradients of a step
FIRST_HZ = 10.0  # firing rate of neurons before training
EXCITING, BISECTIONS = 16, 8  # trials and bisections to find the projection that gives this rate
BATCH = 64  # trials that are judged at once
SMALL = {"bias_mv": 5.0, "log_": 0.5}  # size of a change to parameters that may start at 0


class Training:
    """The training of a network. `advance` trains it further; `learned` is the result so far.

    sets   trials to learn from, and to judge by;   seed   of the order of trials;   ends  steps to judge after, besides others
    """

    def __init__(self, network: Network, sets: Sets, settings: Learning, seed: int, ends: tuple[int, ...] = ()):
        self.network, self.sets, self.settings = network, sets, settings
        self.step, self.rng = 0, np.random.default_rng(seed)
        with one_thread():
            excite(network, sets.train)
        self.rates, groups = [], []
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                groups.append({"params": [parameter]})
                self.rates.append(settings.rate * _size(name, parameter))
        self.adam = torch.optim.Adam(groups)
        even = np.linspace(0, settings.steps, settings.looks + 1).round().astype(int)
        self.due = {*even.tolist(), *ends, settings.steps}
        self.curve: Curve = {"steps": [], "accuracy": [], "spikes": [], "lost": 0}
        self.last: tuple[np.ndarray, float, float] | None = None
        self._look()

    def advance(self, until: int | None = None) -> Learned:
        """Train until this step, or to the end. Returns the result so far."""
        until = self.settings.steps if until is None else min(until, self.settings.steps)
        with one_thread():
            while self.step < until:
                self._one_step()
                if self.step in self.due or self.step == until:
                    self._look()
        return self.learned()

    def learned(self) -> Learned:
        assert self.last is not None
        recall, spikes, events = self.last
        share = self.step / self.settings.steps
        return Learned(self.curve, recall, spikes, events, self.network.sizes.classes, share)

    def _one_step(self):
        fraction = self.step / self.settings.steps
        for group, rate in zip(self.adam.param_groups, self.rates, strict=True):
            group["lr"] = rate * (1 + math.cos(math.pi * fraction)) / 2
        train = self.sets.train
        chosen = self.rng.integers(0, len(train.x), min(self.settings.batch, len(train.x)))
        self.adam.zero_grad()
        output = self.network(batch(train, chosen))
        loss = cross_entropy(output, train, chosen) + self.settings.price * fraction * output.spikes.mean()
        if differentiated(loss) and torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP).isfinite():
            self.adam.step()
        else:
            self.curve["lost"] += 1
        self.step += 1

    def _look(self):
        with one_thread():
            recall, spikes, events = judged(self.network, self.sets.judged)
        self.last = recall, spikes, events
        self.curve["steps"].append(self.step)
        self.curve["accuracy"].append(balanced(recall))
        self.curve["spikes"].append(spikes)


def batch(trials: Trials, rows) -> torch.Tensor:
    """Input of a network, float32 [steps, batch, channels]."""
    return torch.from_numpy(np.ascontiguousarray(trials.x[rows].swapaxes(0, 1), "f4"))


def cross_entropy(output: Output, trials: Trials, rows) -> torch.Tensor:
    """The mean cross-entropy of the answers that are asked, nats."""
    targets = torch.from_numpy(trials.targets[rows])
    targets = targets.transpose(0, 1) if trials.every_step else targets
    return torch.nn.functional.cross_entropy(output.logits.flatten(0, -2), targets.flatten(), ignore_index=UNASKED)


def differentiated(loss: torch.Tensor) -> bool:
    """Compute the gradients of the loss; False where they are not finite."""
    try:
        loss.backward()
    except NotFiniteError:
        return False
    except UserError as error:
        if "not finite" not in str(error):
            raise
        return False
    return True


@torch.no_grad()
def judged(network: Network, trials: Trials) -> tuple[np.ndarray, float, float]:
    """The recall of every class by every readout, float64 [heads * classes], NaN for classes that never occur; spikes and
    synaptic events per trial."""
    heads, classes = trials.heads, trials.classes
    right, asked = np.zeros((2, heads, classes))
    spikes = events = 0.0
    for start in range(0, len(trials.x), BATCH):
        rows = np.arange(start, min(start + BATCH, len(trials.x)))
        output = network(batch(trials, rows))
        answers = output.logits.argmax(-1).numpy()
        targets = trials.targets[rows].swapaxes(0, 1) if trials.every_step else trials.targets[rows]
        for head in range(heads):
            target, answer = targets[..., head].ravel(), answers[..., head].ravel()
            asked_here = target != UNASKED
            asked[head] += np.bincount(target[asked_here], minlength=classes)
            right[head] += np.bincount(target[asked_here & (target == answer)], minlength=classes)
        spikes, events = spikes + float(output.spikes.double().sum()), events + float(output.events.double().sum())
    with np.errstate(invalid="ignore"):
        recall = (right / asked).ravel()
    return recall, spikes / len(trials.x), events / len(trials.x)


def balanced(recall: np.ndarray) -> float:
    """Balanced accuracy."""
    return float(np.nanmean(recall))


@torch.no_grad()
def excite(network: Network, trials: Trials) -> None:
    """Scale the projection of each layer until its neurons fire `FIRST_HZ` on average, or come as close as they can."""
    x = batch(trials, np.arange(min(EXCITING, len(trials.x))))
    x = x if network.input_projection is None else network.input_projection(x)
    target = FIRST_HZ * len(x) * network.sizes.dt_ms / 1000
    for layer in network.layers:
        first, low, high = layer.projection_weight.clone(), 0.01, 100.0
        for _ in range(BISECTIONS):
            middle = math.sqrt(low * high)
            layer.set_projection(first * middle)
            rate = float(layer.run(x)[0].sum(0).mean())
            low, high = (low, middle) if rate >= target else (middle, high)
        x = layer(x)[0]


def _size(name, parameter):
    """The size of the values of a parameter, or of a change that matters if they may be 0."""
    sizes = (size for prefix, size in SMALL.items() if name.rpartition(".")[2].startswith(prefix))
    return next(sizes, max(parameter.detach().square().mean().sqrt().item(), 1e-3))


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread, so that sums are always made in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
