"""The interface of differentiable neuron models."""

from collections.abc import Callable
from dataclasses import dataclass

from circuits.neurons import NeuronModel


@dataclass(frozen=True)
class Form:
    """A neuron model in tensor operations.

    model    the neuron model of the simulator
    times    names of its trainable time constants
    columns  (parameters by name, dt) -> the columns of the model's table as differentiable functions of the parameters
    bias     the column of the constant drive, and (parameters by name as arrays, dt) -> the drive per mV of bias
    reset    the column of the potential after a spike
    linear   do the columns begin with those of lif_psc_exp, and is V linear in the state? The fused kernels have such models
    states   number of states beyond V, I_e and I_i
    step     (columns, v, i_e, i_i, further states, fire) -> (v, further states, spikes) before the reset: one step, with the
             operations of the kernel in their order. fire(v, threshold) -> v to continue with, and the spikes
    """

    model: NeuronModel
    times: tuple[str, ...]
    columns: Callable
    bias: tuple[int, Callable]
    reset: int
    linear: bool
    states: int
    step: Callable
