"""Environments: in a closed loop the spikes of a circuit's outputs move a body, and what the body senses is the input.

A world is one file here. It holds

    a kind: a NamedTuple of `start` float32 [trials, states], where each trial begins; `channels` and `ports`, how many input
    channels it fills and output neurons it follows; and whatever else it consists of, numbers alone. Its type is what numba
    compiles the kernel for, as with neuron models: a circuit without a world pays nothing for worlds;
    a function under `@moves(kind)`: the state after a step, from the output spikes of that step;
    a function under `@senses(kind)`: the input spikes of a step, from the state at its beginning.

The state is `states` vectors of 64 lanes, a world for each trial of a block, in float32 whatever the precision of the circuit.
What a circuit does in a world must not depend on the processor: only what `simd` offers, and chance from
`noise` by the numbers of trial and step. As `move` depends on nothing but the outputs, the raster of the outputs alone
tells what became of a body (`replay`).
"""

import numpy as np
from numba.extending import overload

from circuits.errors import UserError
from circuits.numerics.compiled import compiled
from circuits.numerics.simd import LANES, aligned
from circuits.simulation.raster import Raster


def move(world, state, words):
    """Advance the state vectors by one step; words uint64 [ports]: the spikes of the outputs in this step, in 64 trials.
    Compiled code alone calls this and `sense`: numba takes the functions of the world's kind."""
    raise NotImplementedError


def sense(world, state, trial, step, flat, at):
    """Put the spikes of all channels in this step into flat[at], flat[at + 1] ..., uint64; lane k is trial `trial + k`."""
    raise NotImplementedError


def moves(kind):
    """Declare a function of the signature of `move` as that of worlds of this kind."""

    def declare(function):
        @overload(move, inline="always")
        def of_this_kind(world, state, words):
            return function if getattr(world, "instance_class", None) is kind else None

        return function

    return declare


def senses(kind):
    """Declare a function of the signature of `sense` as that of worlds of this kind."""

    def declare(function):
        @overload(sense, inline="always")
        def of_this_kind(world, state, trial, step, flat, at):
            return function if getattr(world, "instance_class", None) is kind else None

        return function

    return declare


def checked(world, trials: int, channels: int, ports: int):
    """The world, or a UserError where it does not fit these trials and this circuit."""
    start = world.start
    if start.ndim != 2 or len(start) != trials or start.dtype != np.float32:
        raise UserError(f"world: start must be float32 [{trials} trials, states], not {start.dtype} {list(start.shape)}")
    if (world.channels, world.ports) != (channels, ports):
        has, wants = f"{channels} input channels and {ports} output neurons", f"{world.channels} and {world.ports}"
        raise UserError(f"world: the circuit has {has}, a {type(world).__name__} wants {wants}")
    return world


@compiled
def begin(start, trial, state):
    """Put the worlds of 64 trials, the first of them `trial`, at their start; lanes without a trial begin at 0."""
    for x in range(start.shape[1]):
        for lane in range(LANES):
            state[x * LANES + lane] = start[trial + lane, x] if trial + lane < len(start) else np.float32(0.0)


def replay(world, outputs: Raster, course: bool = False) -> np.ndarray:
    """Final states of the environments that these outputs moved: float32 [..., trials, states].

    course  instead the state after every step, [..., trials, steps, states]
    """
    *circuits, blocks, steps, ports = outputs.bits.shape
    checked(world, outputs.trials, world.channels, ports)
    flat = np.ascontiguousarray(outputs.bits).reshape(-1, blocks, steps, ports)
    states = world.start.shape[1]
    found = np.empty((len(flat), outputs.trials, steps if course else 1, states), "f4")
    _replay(world, flat, aligned(states * LANES, np.float32), found)
    found = found.reshape(*circuits, *found.shape[1:])
    return found if course else found[..., 0, :]


@compiled
def _replay(world, bits, state, found):
    circuits, blocks, steps, ports = bits.shape
    kept, states = found.shape[2], found.shape[3]
    words = np.zeros(ports, np.uint64)
    for c in range(circuits):
        for block in range(blocks):
            begin(world.start, block * LANES, state)
            for k in range(steps):
                for r in range(ports):
                    words[r] = bits[c, block, k, r]
                move(world, state, words)
                if k >= steps - kept:
                    for lane in range(min(LANES, found.shape[1] - block * LANES)):
                        for x in range(states):
                            found[c, block * LANES + lane, k - (steps - kept), x] = state[x * LANES + lane]
