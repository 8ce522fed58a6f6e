"""Trials, the loss and score of a network on them, and its gradients, in windows or at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from circuits.errors import UserError
from circuits.torch.training.truncated import windows

IGNORED = -1  # as a class


class Trials(NamedTuple):
    """x  [trials, steps, features];   y  targets, int64 [trials] or [trials, steps], or real [trials, (steps,) classes]"""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self):
        return len(self.x)

    def pick(self, which) -> "Trials":
        return Trials(self.x[which], self.y[which])


class Objective(NamedTuple):
    """loss(logits, targets) -> the mean loss; weight(targets) -> the number of scored answers."""

    loss: Callable[..., torch.Tensor]
    weight: Callable[..., float]


def objective_of(loss: Callable | None) -> Objective:
    """The objective of a loss; by default cross-entropy of classes or of outputs."""
    if loss is None:
        return Objective(_loss, lambda y: float(is_scored(y).sum()))
    return Objective(loss, lambda y: float(y.numel()))


def is_scored(y):
    """The targets that are scored, bool."""
    return ~y.isnan() if y.is_floating_point() else y != IGNORED


def _loss(logits, y):
    """Mean cross-entropy of classes, or of outputs that are 0 or 1, over the scored targets."""
    scored = is_scored(y)
    if y.is_floating_point():
        targets = torch.where(scored, y, 0).to(logits.dtype)
        losses = functional.binary_cross_entropy_with_logits(logits, targets, weight=scored.to(logits.dtype), reduction="sum")
    else:
        losses = functional.cross_entropy(logits.flatten(0, -2), y.flatten(), ignore_index=IGNORED, reduction="sum")
    return losses / scored.sum().clamp(min=1)


def score(logits, y) -> float:
    """The fraction of right answers among the scored ones."""
    scored = is_scored(y)
    right = ((logits > 0) == (y > 0.5)) if y.is_floating_point() else logits.argmax(-1) == y
    return float((right & scored).sum() / scored.sum().clamp(min=1))


def trials_of(data: Any, name: str, network) -> Trials:
    """Convert a user's trials and check them for the network."""
    pair = (data.spikes, data.targets) if hasattr(data, "targets") else data
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise UserError(f"{name}: a pair of spikes [trials, steps, features] and targets, not {type(data).__name__}")
    x, y = (
        torch.from_numpy(np.ascontiguousarray(part)) if isinstance(part, np.ndarray) else torch.as_tensor(part) for part in pair
    )
    if x.ndim != 3 or x.shape[2] != network.in_features or 0 in x.shape:
        raise UserError(f"{name}: spikes must be [trials, steps, {network.in_features} features], not {list(x.shape)}")
    y = y if y.is_floating_point() else y.long()
    classes, lead = network.readout.out_features, [len(x)] + ([] if network.readout_ms is None else [x.shape[1]])
    shape = [*lead, classes] if y.is_floating_point() else lead
    if list(y.shape) != shape:
        kind = "real targets" if y.is_floating_point() else "classes"
        raise UserError(f"{name}: {kind} must be {shape} for this network and these spikes, not {list(y.shape)}")
    if not y.is_floating_point() and not (int(y.min()) >= IGNORED and int(y.max()) < classes):
        raise UserError(f"{name}: classes are 0 to {classes - 1}, or {IGNORED}, not {int(y.min())} to {int(y.max())}")
    return Trials(x, y)


def _on_device(network, trials):
    """Input in the network's axes, and targets, on its device."""
    device = next(network.parameters()).device
    x, y = trials.x.to(device), trials.y.to(device)
    return x if network.batch_first else x.transpose(0, 1), y


def gradients(network, trials, objective, price, window) -> tuple[float, float, float] | None:
    """Accumulate the gradients of a batch; returns loss, score and spikes of a trial, or None if gradients are not finite."""
    x, y = _on_device(network, trials)
    try:
        if window is None or network.readout_ms is not None:
            return _in_one_pass(network, x, y, objective, price, window)
        return _in_two_passes(network, x, y, objective, price, window)
    except UserError as error:
        if "not finite" in str(error) and "gradient" in str(error):
            return None
        raise


def _in_one_pass(network, x, y, objective, price, window):
    """Gradients of whole trials, or of windows with separate answers."""
    total, mean_loss, spikes, answers = objective.weight(y), 0.0, 0.0, []
    for part in windows(network, x, window):
        targets, logits = y, part.logits
        if network.readout_ms is not None:
            targets = y[:, part.steps]
            logits = logits if network.batch_first else logits.transpose(0, 1)
        loss = objective.loss(logits, targets) * (objective.weight(targets) / max(1.0, total))
        count = part.spikes.sum(-1).mean()
        (loss + price * count).backward()
        mean_loss, spikes = mean_loss + float(loss.detach()), spikes + float(count.detach())
        answers.append(logits.detach())
        del part, loss, logits, count
    answer = torch.cat(answers, 1) if network.readout_ms is not None else answers[-1]
    return mean_loss, score(answer, y), spikes


def _in_two_passes(network, x, y, objective, price, window):
    """Gradients of windows of trials with one answer: the first pass computes the gradient of the logits, the second
    propagates it through each window."""
    with torch.no_grad():
        logits = network(x)
    logits.requires_grad_()
    loss = objective.loss(logits, y)
    (grad_logits,) = torch.autograd.grad(loss, logits)
    state, spikes, time = None, 0.0, 1 if network.batch_first else 0
    for begin in range(0, x.shape[time], window):
        results = network.run(x.narrow(time, begin, min(window, x.shape[time] - begin)), state)
        # The window's contribution to the logits; the bias belongs to the first.
        added = results.logits if state is None else results.logits - network.readout(state.readout)
        count = results.spikes.sum(-1).mean()
        ((added * grad_logits).sum() + price * count).backward()
        spikes, state = spikes + float(count.detach()), results.state.detach()
        del results, added, count
    return float(loss.detach()), score(logits.detach(), y), spikes


@torch.no_grad()
def judge(network, trials, objective, batch) -> tuple[float, float]:
    """Loss and score of all trials, in eval mode."""
    training = network.training
    network.eval()
    sums = []
    for begin in range(0, len(trials), batch):
        part = trials.pick(slice(begin, begin + batch))
        x, y = _on_device(network, part)
        logits = network(x)
        if network.readout_ms is not None and not network.batch_first:
            logits = logits.transpose(0, 1)
        weight = objective.weight(y)
        sums.append((weight, weight * float(objective.loss(logits, y)), weight * score(logits, y)))
    network.train(training)
    weight, loss, right = np.sum(sums, 0)
    return float(loss / max(1.0, weight)), float(right / max(1.0, weight))
