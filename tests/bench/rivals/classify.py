"""Train a classifier of spike trains and judge it, the same way whatever it is made of. Needs numpy and torch alone: rivals
use it in environments of their own.

A network is called with x [steps, batch, lines] and returns logits [batch, classes]. If it has neurons that spike,
`forward_with_spikes(x)` returns logits and how many spikes they fire in each trial, [batch], both with gradients, and
`drive_(factor)` makes its input so many times stronger. Sets are pairs of spikes, uint8 tensor [trials, lines, steps], and
classes, int64 tensor [trials].
"""

import math
import time

import numpy as np
import torch

BATCH, LOOK, JUDGED = 64, 25, 256  # trials a step; validation every so many steps, on so many trials
CLIP = 1.0
FIRST_SPIKES = 1.0  # of a neuron in a trial, before training
SMALL = {"bias_mv": 5.0, "log_": 0.5, "alpha": 0.01, "beta": 0.01}  # size of a change to parameters that may start at 0


def learn(network, train, validation, test, steps: int, rate: float, seed: int, price: float = 0.0) -> dict:
    """Adam for so many steps; each tensor's learning rate is `rate` times the root mean square of its first values, and falls
    along half a cosine. Input is first made as strong as neurons need to fire `FIRST_SPIKES`. A step whose gradients are not
    finite is left out. What is made small is the cross-entropy plus, for every spike, a price that rises from 0 to `price`.

    accuracy, validation   at the end;   spikes  of all neurons, per trial of the test set
    steps_to_95            the first look at which validation accuracy was 95 % of that of the last look
    curve                  validation accuracy at each look;   seconds  of CPU
    """
    begin = time.process_time()
    if hasattr(network, "forward_with_spikes"):
        excite(network, picked(train, slice(0, 256))[0])
    groups = [{"params": [p], "first": rate * size(name, p)} for name, p in network.named_parameters() if p.requires_grad]
    adam = torch.optim.Adam(groups)
    rng, curve = np.random.default_rng(seed), []
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = group["first"] * (1 + math.cos(math.pi * step / steps)) / 2
        x, y = picked(train, torch.from_numpy(rng.integers(0, len(train[1]), BATCH)))
        adam.zero_grad()
        told = differentiated(loss(network, x, y, price * step / steps))
        if told and torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP).isfinite():
            adam.step()
        if (step + 1) % LOOK == 0 or step + 1 == steps:
            curve.append(accuracy(network, validation, JUDGED))
    enough = next(k for k, found in enumerate(curve) if found >= 0.95 * curve[-1])
    return {
        "accuracy": accuracy(network, test),
        "validation": accuracy(network, validation),
        "spikes": spikes(network, test),
        "steps_to_95": min(steps, (enough + 1) * LOOK),
        "curve": curve,
        "parameters": parameters(network),
        "seconds": time.process_time() - begin,
    }


def loss(network, x, y, price):
    """Cross-entropy and the price of all spikes, nats a trial; networks without spikes pay nothing."""
    if not price or not hasattr(network, "forward_with_spikes"):
        return torch.nn.functional.cross_entropy(network(x), y)
    logits, found = network.forward_with_spikes(x)
    return torch.nn.functional.cross_entropy(logits, y) + price * found.mean()


def differentiated(loss) -> bool:
    """Find the gradients of the loss; False where a network of ours says that they are not finite."""
    try:
        loss.backward()
    except Exception as error:
        if "not finite" not in str(error):
            raise
        return False
    return True


def size(name: str, parameter) -> float:
    """How large the values of a parameter are, or a change that matters if they may be 0."""
    known = (value for part, value in SMALL.items() if name.rpartition(".")[2].startswith(part))
    return next(known, max(parameter.detach().square().mean().sqrt().item(), 1e-3))


def parameters(network) -> int:
    """How many numbers learn."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def picked(found, which):
    """Input [steps, batch, lines] and classes of the trials `which`."""
    lines_first = found[0][which].permute(1, 2, 0).contiguous()
    return lines_first.float().permute(1, 2, 0), found[1][which]


@torch.no_grad()
def accuracy(network, found, most: int | None = None) -> float:
    """Share of trials whose class has the largest logit."""
    count, right = min(len(found[1]), most or len(found[1])), 0
    for start in range(0, count, 256):
        x, y = picked(found, slice(start, min(start + 256, count)))
        right += (network(x).argmax(-1) == y).sum().item()
    return right / count


@torch.no_grad()
def spikes(network, found) -> float | None:
    """Spikes of all neurons, the mean over at most 512 trials."""
    return fired(network, picked(found, slice(0, 512))[0]) if hasattr(network, "forward_with_spikes") else None


@torch.no_grad()
def fired(network, x) -> float:
    return network.forward_with_spikes(x)[1].double().mean().item()


@torch.no_grad()
def excite(network, x, halvings: int = 14):
    """Scale the input until neurons fire `FIRST_SPIKES` on average; or come as close as they can."""
    low, high, now = 0.01, 100.0, 1.0
    for _ in range(halvings):
        middle = math.sqrt(low * high)
        network.drive_(middle / now)
        now = middle
        enough = fired(network, x) >= FIRST_SPIKES * network.neurons
        low, high = (low, middle) if enough else (middle, high)
