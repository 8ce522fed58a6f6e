"""A walking body with two ears and one sound source in a plane."""

from math import cos, radians, sin
from typing import NamedTuple

import numpy as np

from circuits.numerics.simd import LANES, add, at_least, div, fma, get, like, load, mul, put, select, sqrt, store, sub
from circuits.simulation.environments.model import moves, senses
from circuits.simulation.noise import Noise, uniform_pair

X, Y, AHEAD_X, AHEAD_Y = range(4)


class TwoEars(NamedTuple):
    """The source is at the origin; the body moves ahead by `stride` in every step until it is within `reach` of the source.

    start   float32 [trials, 4]: position x, y and the heading as a unit vector
    turn    cosine and sine of the angle by which a motor spike turns the body before it moves: the left motor to the right, the
            right motor to the left, like wheels at its sides; simultaneous spikes cancel
    stride, reach  lengths, in the unit of x and y
    An ear fires in a step with probability `hum` + `loud` / (1 + r / near) (1 +- contrast sin a), at distance r and with the
    source at an angle a to the left of the heading; + is the left ear.

    low, high  key of the ears' random numbers (`of` makes it from a seed)
    """

    start: np.ndarray
    turn_cos: float
    turn_sin: float
    stride: float
    reach: float
    loud: float
    near: float
    contrast: float
    hum: float
    low: int
    high: int
    channels: int = 2  # left ear, right ear
    ports: int = 2  # left motor, right motor

    @classmethod
    def of(cls, start, seed, *, turn_deg, stride, reach, loud, near, contrast, hum) -> "TwoEars":
        """Make one from the angle of a turn in degrees and the seed of the ears' random numbers."""
        key = Noise.of((seed, 1))  # not the stream of the membrane noise of this seed
        turn, start = radians(turn_deg), np.ascontiguousarray(start, "f4")
        stride, reach, loud, near, contrast, hum = map(float, (stride, reach, loud, near, contrast, hum))
        return cls(start, cos(turn), sin(turn), stride, reach, loud, near, contrast, hum, key.low, key.high)


@moves(TwoEars)
def _move(environment, state, words):
    x, y = load(state, X * LANES), load(state, Y * LANES)
    ahead_x, ahead_y = load(state, AHEAD_X * LANES), load(state, AHEAD_Y * LANES)
    left, right = get(words, 0), get(words, 1)
    cosine = like(x, environment.turn_cos)
    sine = select(right, like(x, environment.turn_sin), like(x, -environment.turn_sin))
    turned_x = sub(mul(cosine, ahead_x), mul(sine, ahead_y))
    turned_y = add(mul(cosine, ahead_y), mul(sine, ahead_x))
    ahead_x, ahead_y = select(left ^ right, turned_x, ahead_x), select(left ^ right, turned_y, ahead_y)
    away = at_least(fma(x, x, mul(y, y)), like(x, environment.reach * environment.reach))
    stride = like(x, environment.stride)
    store(state, X * LANES, select(away, fma(stride, ahead_x, x), x))
    store(state, Y * LANES, select(away, fma(stride, ahead_y, y), y))
    store(state, AHEAD_X * LANES, ahead_x)
    store(state, AHEAD_Y * LANES, ahead_y)


@senses(TwoEars)
def _sense(environment, state, trial, step, flat, at):
    x, y = load(state, X * LANES), load(state, Y * LANES)
    distance = sqrt(fma(x, x, mul(y, y)))
    across = sub(mul(load(state, AHEAD_Y * LANES), x), mul(load(state, AHEAD_X * LANES), y))  # distance times the sine
    near = like(x, environment.near)
    share = div(near, mul(distance, add(near, distance)))
    level = fma(mul(like(x, environment.loud), share), distance, like(x, environment.hum))
    difference = mul(mul(like(x, environment.loud * environment.contrast), share), across)
    first, second = uniform_pair(environment.low, environment.high, trial, 0, step)
    put(flat, at, ~at_least(first, add(level, difference)))
    put(flat, at + 1, ~at_least(second, sub(level, difference)))
