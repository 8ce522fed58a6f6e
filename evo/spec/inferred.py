"""Founders inferred from a recording: `search.founders = ["inferred"]`, or "inferred:2" to try two hidden neurons at most."""

import numpy as np

from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from evo.genome import Bounds, Encoding
from fitness.recordings.inference import Ranges

INFERRED, ROUNDS, MAX_ROUNDS = "inferred", 4, 100


def rounds_of(given: str) -> int | None:
    """The number of rounds of inference in a founder's name, in each of which one more hidden neuron is tested; None for a
    founder that is read from a file. Raises UserError."""
    name, colon, rounds = given.partition(":")
    if name != INFERRED:
        return None
    if colon and not (rounds.isdecimal() and 0 < int(rounds) <= MAX_ROUNDS):
        raise UserError(f"the number of rounds in inferred:ROUNDS must be 1 to {MAX_ROUNDS}, not {rounds!r}")
    return int(rounds) if colon else ROUNDS


def ranges(encoding: Encoding) -> Ranges:
    """The ranges of inferred circuits. Raises UserError for circuits that cannot be inferred."""
    b = encoding.bounds
    if (
        not isinstance(b, Bounds)
        or encoding.model is not LIF_PSC_EXP
        or encoding.noise_mv
        or encoding.synapse_model
        or any(encoding.types)
    ):
        raise UserError(f"only circuits of {LIF_PSC_EXP.name} neurons without noise, plasticity and cell types can be inferred")
    if b.sampled or not b.dale:
        raise UserError("only circuits with Dale's law, whose inputs are spikes, can be inferred")
    low, high = b.parameter[0]
    names = encoding.model.names
    return Ranges(
        dt_ms=b.dt_ms,
        delay_ms=(float(b.delay[0]) * b.dt_ms, float(b.delay[1]) * b.dt_ms),
        weight_mv=(float(b.weight[0, 0]), float(b.weight[0, 1])),
        inhibitory_mv=(float(b.weight[1, 0]), float(b.weight[1, 1])),
        parameters={name: (float(low[k]), float(high[k])) for k, name in enumerate(names)},
        counts=tuple((int(e), int(i)) for e, i in zip(*np.nonzero(b.allowed), strict=True)),
        in_degree=b.in_degree,
    )
