"""Trials and what is asked of them: the loss and score of a network, and its gradients, in windows or at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from circuits.errors import UserError
from circuits.torch.truncated import windows

IGNORED = -1  # as a class


class Trials(NamedTuple):
    """x  [trials, steps, lines];   y  targets, int64 [trials] or [trials, steps], or real [trials, (steps,) classes]"""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self):
        return len(self.x)

    def pick(self, which) -> "Trials":
        return Trials(self.x[which], self.y[which])


class Objective(NamedTuple):
    """loss(logits, targets) -> the mean loss; weight(targets) -> how many answers are judged."""

    loss: Callable[..., torch.Tensor]
    weight: Callable[..., float]


def objective_of(loss: Callable | None) -> Objective:
    """The objective of a loss, by default that of classes or of outputs."""
    if loss is None:
        return Objective(_loss, lambda y: float(judged(y).sum()))
    return Objective(loss, lambda y: float(y.numel()))


def judged(y):
    """The targets that count, bool."""
    return ~y.isnan() if y.is_floating_point() else y != IGNORED


def _loss(logits, y):
    """Cross-entropy of classes, or of outputs that are 0 or 1, over the targets that count."""
    counts = judged(y)
    if y.is_floating_point():
        known = torch.where(counts, y, 0).to(logits.dtype)
        each = functional.binary_cross_entropy_with_logits(logits, known, weight=counts.to(logits.dtype), reduction="sum")
    else:
        each = functional.cross_entropy(logits.flatten(0, -2), y.flatten(), ignore_index=IGNORED, reduction="sum")
    return each / counts.sum().clamp(min=1)


def score(logits, y) -> float:
    """The share of right answers among those that count."""
    counts = judged(y)
    right = ((logits > 0) == (y > 0.5)) if y.is_floating_point() else logits.argmax(-1) == y
    return float((right & counts).sum() / counts.sum().clamp(min=1))


def trials_of(given: Any, name: str, network) -> Trials:
    """Trials as people give them, checked for the network."""
    pair = (given.spikes, given.targets) if hasattr(given, "targets") else given
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise UserError(f"{name}: a pair of spikes [trials, steps, lines] and targets, not {type(given).__name__}")
    x, y = (
        torch.from_numpy(np.ascontiguousarray(part)) if isinstance(part, np.ndarray) else torch.as_tensor(part) for part in pair
    )
    if x.ndim != 3 or x.shape[2] != network.lines or 0 in x.shape:
        raise UserError(f"{name}: spikes must be [trials, steps, {network.lines} lines], not {list(x.shape)}")
    y = y if y.is_floating_point() else y.long()
    classes, lead = network.readout.out_features, [len(x)] + ([] if network.readout_ms is None else [x.shape[1]])
    wanted = [*lead, classes] if y.is_floating_point() else lead
    if list(y.shape) != wanted:
        what = "real targets" if y.is_floating_point() else "classes"
        raise UserError(f"{name}: {what} must be {wanted} for this network and these spikes, not {list(y.shape)}")
    if not y.is_floating_point() and not (int(y.min()) >= IGNORED and int(y.max()) < classes):
        raise UserError(f"{name}: classes are 0 to {classes - 1}, or {IGNORED}, not {int(y.min())} to {int(y.max())}")
    return Trials(x, y)


def _placed(network, trials):
    """Input as the network takes it, and targets with steps first where it has answers in every step."""
    device = next(network.parameters()).device
    x, y = trials.x.to(device), trials.y.to(device)
    return x if network.batch_first else x.transpose(0, 1), y


def gradients(network, trials, objective, price, window) -> tuple[float, float, float] | None:
    """Add up the gradients of a batch: loss, score and spikes of a trial; None where the backward pass finds that they are not
    finite."""
    x, y = _placed(network, trials)
    try:
        if window is None or network.readout_ms is not None:
            return _as_it_goes(network, x, y, objective, price, window)
        return _in_two_passes(network, x, y, objective, price, window)
    except UserError as error:
        if "not finite" in str(error) and "gradient" in str(error):
            return None
        raise


def _as_it_goes(network, x, y, objective, price, window):
    """At once, or in windows with answers of their own."""
    total, whole, spikes, answers = objective.weight(y), 0.0, 0.0, []
    for part in windows(network, x, window):
        here, logits = y, part.logits
        if network.readout_ms is not None:
            here = y[:, part.steps]
            logits = logits if network.batch_first else logits.transpose(0, 1)
        loss = objective.loss(logits, here) * (objective.weight(here) / max(1.0, total))
        count = part.spikes.sum(-1).mean()
        (loss + price * count).backward()
        whole, spikes = whole + float(loss.detach()), spikes + float(count.detach())
        answers.append(logits.detach())
        del part, loss, logits, count
    answer = torch.cat(answers, 1) if network.readout_ms is not None else answers[-1]
    return whole, score(answer, y), spikes


def _in_two_passes(network, x, y, objective, price, window):
    """In windows of a trial that is read as a whole: the first pass finds the gradient of the logits, the second one goes back
    through each window with it."""
    with torch.no_grad():
        logits = network(x)
    logits.requires_grad_()
    loss = objective.loss(logits, y)
    (of_logits,) = torch.autograd.grad(loss, logits)
    state, spikes, time = None, 0.0, 1 if network.batch_first else 0
    for begin in range(0, x.shape[time], window):
        found = network.run(x.narrow(time, begin, min(window, x.shape[time] - begin)), state)
        # What the window adds to the logits; the bias is in the first one.
        added = found.logits if state is None else found.logits - network.readout(state.readout)
        count = found.spikes.sum(-1).mean()
        ((added * of_logits).sum() + price * count).backward()
        spikes, state = spikes + float(count.detach()), found.state.detach()
        del found, added, count
    return float(loss.detach()), score(logits.detach(), y), spikes


@torch.no_grad()
def judge(network, trials, objective, batch) -> tuple[float, float]:
    """Loss and score of all trials, in eval mode."""
    was = network.training
    network.eval()
    found = []
    for begin in range(0, len(trials), batch):
        part = trials.pick(slice(begin, begin + batch))
        x, y = _placed(network, part)
        logits = network(x)
        if network.readout_ms is not None and not network.batch_first:
            logits = logits.transpose(0, 1)
        weight = objective.weight(y)
        found.append((weight, weight * float(objective.loss(logits, y)), weight * score(logits, y)))
    network.train(was)
    weight, loss, right = np.sum(found, 0)
    return float(loss / max(1.0, weight)), float(right / max(1.0, weight))
