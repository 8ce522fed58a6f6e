"""Truncated backpropagation through time: long trials in windows that pass on their state."""

from collections.abc import Iterator
from typing import NamedTuple

import torch

from circuits.errors import UserError
from circuits.torch.checks import whole_number


class Window(NamedTuple):
    """One window of a trial.

    Parameters
    ----------
    steps : slice
        Its steps of the trial.
    logits : torch.Tensor
        Logits, [batch, classes] (of the spike counts since the trial began), or with `readout_ms` [steps, batch, classes].
    spikes : torch.Tensor
        Spikes of all neurons of each layer in the window, [batch, layers].

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer, MotifNetwork, windows
    >>> network = MotifNetwork([MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10)], classes=3)
    >>> [window.steps.start for window in windows(network, torch.zeros(50, 8, 10), steps=20)]
    [0, 20, 40]
    """

    steps: slice
    logits: torch.Tensor
    spikes: torch.Tensor


def windows(network, x: torch.Tensor, steps: int | None) -> Iterator[Window]:
    """Run a network on long trials window by window.

    Spikes are those of the whole trials at once. Gradients go back to the beginning of their window (truncated backpropagation
    through time, Williams and Peng, Neural Computation 2, 1990): call `backward` on the loss of each window before the next
    one, and only one window is kept in memory.

    Parameters
    ----------
    network : MotifNetwork
        The network.
    x : torch.Tensor
        Input, [steps, batch, features], or [batch, steps, features] with `batch_first`.
    steps : int, optional
        Steps of a window; the last one may be shorter. None: the whole trial.

    Yields
    ------
    Window
        Steps, logits and spikes of each window.

    Raises
    ------
    circuits.errors.UserError
        For a window that is not a whole number above 0, and as `MotifNetwork`.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer, MotifNetwork, windows
    >>> layer = MotifLayer(circuits.zoo["toggle-2"], copies=4, in_features=10)
    >>> network = MotifNetwork([layer], classes=1, readout_ms=20.0)
    >>> x, target = (torch.rand(300, 8, 10) < 0.05).float(), torch.ones(300, 8, 1)
    >>> for window in windows(network, x, steps=100):
    ...     loss = (window.logits - target[window.steps]).square().mean()
    ...     loss.backward()
    """
    if steps is not None:
        whole_number("steps", steps)
    time = 1 if network.batch_first else 0
    if not isinstance(x, torch.Tensor) or x.ndim != 3 or x.shape[time] == 0:
        raise UserError("x: must be a sequence of at least one step, as the network takes it")
    total, state = x.shape[time], None
    for begin in range(0, total, steps or total):
        window = slice(begin, min(begin + (steps or total), total))
        results = network.run(x.narrow(time, window.start, window.stop - window.start), state)
        state = results.state.detach()
        yield Window(window, results.logits, results.spikes)
        del results  # frees the window's graph
