"""Environments: in a closed loop the spikes of a circuit's outputs move a body, and what the body senses is the input.

An environment is one file here. It holds

    a kind: a NamedTuple of `start` float32 [trials, states], where each trial begins; `channels` and `ports`, how many input
    channels it fills and output neurons it follows; and whatever else it consists of, numbers alone. Its type is what numba
    compiles the kernel for, as with neuron models: a circuit without an environment pays nothing for environments;
    a function under `@moves(kind)`: the state after a step, from the output spikes of that step;
    a function under `@senses(kind)`: the input spikes of a step, from the state at its beginning.

The state is `states` vectors of 64 lanes, an environment for each trial of a block, in float32 whatever the precision of the
circuit. What a circuit does in an environment must not depend on the processor: only what `simd` offers, and chance from
`noise` by the numbers of trial and step. As `move` depends on nothing but the outputs, the raster of the outputs alone tells
what became of a body (`replay`).
"""

import numpy as np
from numba.extending import overload

from circuits.errors import UserError
from circuits.numerics.compiled import compiled
from circuits.numerics.simd import LANES, aligned
from circuits.simulation.raster import Raster


def move(environment, state, words):
    """Advance the state vectors by one step; words uint64 [ports]: the spikes of the outputs in this step, in 64 trials.
    Compiled code alone calls this and `sense`: numba takes the functions of the environment's kind."""
    raise NotImplementedError


def sense(environment, state, trial, step, flat, at):
    """Put the spikes of all channels in this step into flat[at], flat[at + 1] ..., uint64; lane k is trial `trial + k`."""
    raise NotImplementedError


def moves(kind):
    """Declare a function of the signature of `move` as that of environments of this kind."""

    def declare(function):
        @overload(move, inline="always")
        def of_this_kind(environment, state, words):
            return function if getattr(environment, "instance_class", None) is kind else None

        return function

    return declare


def senses(kind):
    """Declare a function of the signature of `sense` as that of environments of this kind."""

    def declare(function):
        @overload(sense, inline="always")
        def of_this_kind(environment, state, trial, step, flat, at):
            return function if getattr(environment, "instance_class", None) is kind else None

        return function

    return declare


def checked(environment, trials: int, channels: int, ports: int):
    """The environment, or a UserError where it does not fit these trials and this circuit."""
    start = environment.start
    if start.ndim != 2 or len(start) != trials or start.dtype != np.float32:
        raise UserError(f"environment: start must be float32 [{trials} trials, states], not {start.dtype} {list(start.shape)}")
    if (environment.channels, environment.ports) != (channels, ports):
        has, wants = f"{channels} input channels and {ports} output neurons", f"{environment.channels} and {environment.ports}"
        raise UserError(f"environment: the circuit has {has}, a {type(environment).__name__} wants {wants}")
    return environment


@compiled
def begin(start, trial, state):
    """Put the environments of 64 trials, the first of them `trial`, at their start; lanes without a trial begin at 0."""
    for x in range(start.shape[1]):
        for lane in range(LANES):
            state[x * LANES + lane] = start[trial + lane, x] if trial + lane < len(start) else np.float32(0.0)


def replay(environment, outputs: Raster, course: bool = False) -> np.ndarray:
    """Final states of the environments that these outputs moved: float32 [..., trials, states].

    course  instead the state after every step, [..., trials, steps, states]
    """
    *circuits, blocks, steps, ports = outputs.bits.shape
    checked(environment, outputs.trials, environment.channels, ports)
    flat = outputs.bits.reshape(-1, blocks, steps, ports)
    states = environment.start.shape[1]
    found = np.empty((len(flat), outputs.trials, steps if course else 1, states), "f4")
    _replay(environment, flat, aligned(states * LANES, np.float32), found)
    found = found.reshape(*circuits, *found.shape[1:])
    return found if course else found[..., 0, :]


@compiled
def _replay(environment, bits, state, found):
    circuits, blocks, steps, ports = bits.shape
    kept, states = found.shape[2], found.shape[3]
    words = np.zeros(ports, np.uint64)
    for c in range(circuits):
        for block in range(blocks):
            begin(environment.start, block * LANES, state)
            for k in range(steps):
                for r in range(ports):
                    words[r] = bits[c, block, k, r]
                move(environment, state, words)
                if k >= steps - kept:
                    for lane in range(min(LANES, found.shape[1] - block * LANES)):
                        for x in range(states):
                            found[c, block * LANES + lane, k - (steps - kept), x] = state[x * LANES + lane]
