"""Environments: in a closed loop, a circuit's output spikes move a body, and the body's senses are the input.

An environment is one file here. It holds

    a kind: a NamedTuple of `start` float32 [trials, states], the initial states; `channels` and `ports`, the numbers of input
    channels that it fills and of output neurons that move it; and further numbers. numba compiles the kernel for its type, as
    for neuron models: circuits without an environment have no cost;
    a function under `@moves(kind)`: the state after a step, from the output spikes of that step;
    a function under `@senses(kind)`: the input spikes of a step, from the state at its beginning.

The state is `states` vectors of 64 lanes, an environment for each trial of a block, in float32 whatever the precision of the
circuit. Results must not depend on the processor: use only the operations of `simd`, and random numbers of `noise` by trial and
step. As `move` depends only on the outputs, their raster determines the states (`replay`).
"""

import numpy as np

from circuits.errors import UserError
from circuits.numerics.compiled import compiled
from circuits.numerics.parts import implementations
from circuits.numerics.simd import LANES, aligned
from circuits.simulation.raster import Raster


def move(environment, state, words):
    """Advance the state vectors by one step; words uint64 [ports]: the spikes of the outputs in this step, in 64 trials. This
    and `sense` are for compiled code only: numba chooses the functions by the environment's kind."""
    raise NotImplementedError


def sense(environment, state, trial, step, flat, at):
    """Put the spikes of all channels in this step into flat[at], flat[at + 1] ..., uint64; lane k is trial `trial + k`."""
    raise NotImplementedError


# Decorators that register the implementations for environments of a kind.
moves, senses = implementations(move), implementations(sense)


def checked(environment, trials: int, channels: int, ports: int):
    """The environment. Raises UserError unless it fits these trials and this circuit."""
    start = environment.start
    if start.ndim != 2 or len(start) != trials or start.dtype != np.float32:
        raise UserError(f"environment: start must be float32 [{trials} trials, states], not {start.dtype} {list(start.shape)}")
    if (environment.channels, environment.ports) != (channels, ports):
        has, wants = f"{channels} input channels and {ports} output neurons", f"{environment.channels} and {environment.ports}"
        raise UserError(f"environment: the circuit has {has}, a {type(environment).__name__} wants {wants}")
    return environment


@compiled
def begin(start, trial, state):
    """Set the initial states of 64 trials, the first of them `trial`; 0 in lanes without a trial."""
    for x in range(start.shape[1]):
        for lane in range(LANES):
            state[x * LANES + lane] = start[trial + lane, x] if trial + lane < len(start) else np.float32(0.0)


def replay(environment, outputs: Raster, course: bool = False) -> np.ndarray:
    """The final states of environments moved by these outputs: float32 [..., trials, states].

    course  return the states after all steps instead, [..., trials, steps, states]
    """
    *circuits, blocks, steps, ports = outputs.bits.shape
    checked(environment, outputs.trials, environment.channels, ports)
    flat = np.ascontiguousarray(outputs.bits).reshape(-1, blocks, steps, ports)
    states = environment.start.shape[1]
    results = np.empty((len(flat), outputs.trials, steps if course else 1, states), "f4")
    _replay(environment, flat, aligned(states * LANES, np.float32), results)
    results = results.reshape(*circuits, *results.shape[1:])
    return results if course else results[..., 0, :]


@compiled
def _replay(environment, bits, state, results):
    circuits, blocks, steps, ports = bits.shape
    rows, states = results.shape[2], results.shape[3]
    words = np.zeros(ports, np.uint64)
    for c in range(circuits):
        for block in range(blocks):
            begin(environment.start, block * LANES, state)
            for k in range(steps):
                for r in range(ports):
                    words[r] = bits[c, block, k, r]
                move(environment, state, words)
                if k >= steps - rows:
                    for lane in range(min(LANES, results.shape[1] - block * LANES)):
                        for x in range(states):
                            results[c, block * LANES + lane, k - (steps - rows), x] = state[x * LANES + lane]
