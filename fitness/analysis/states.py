"""The circuit read as a state machine."""

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from fitness.analysis.numbers import rounded
from fitness.analysis.state_machine import machine
from fitness.base.task import Task
from fitness.base.trials import Trials


class State(TypedDict):
    """A state of the circuit between symbols, see `fitness.analysis.state_machine`.

    holds    its conditions, by neuron (its id as text) or input channel: "fires", "silent", "current above 3.2 mV",
             "potential up to -70.9 mV", "release above 60 %" (of its depressing or facilitating synapses), several joined by
             " and "; empty if there is but one state
    share    of all moments
    """

    name: str
    holds: dict[str, str]
    share: float


class Transition(TypedDict):
    """A transition between states.

    probability  of ending in `target` when `symbol` comes in `source` (numbers of states);   count  how often it did
    answers      by port: probability that the output fires before the next symbol
    """

    source: int
    symbol: str
    target: int
    probability: float
    count: int
    answers: dict[str, float]


class States(TypedDict):
    """The circuit read as a state machine, in tasks over sequences of symbols.

    symbols  their names;   states  the most frequent first;   start  number of the state before the first symbol
    explained  share of the transitions that are the most probable one of their state and symbol: 1 is deterministic
    """

    symbols: list[str]
    states: list[State]
    start: int
    transitions: list[Transition]
    explained: float


def states(task: Task, circuit: Circuit, held_out: Trials) -> States | None:
    """The part `states` of an analysis."""
    m = machine(task, held_out, circuit)
    if m is None:
        return None
    shares = m.transitions / np.maximum(m.transitions.sum(axis=2, keepdims=True), 1)
    transitions: list[Transition] = [
        {
            "source": source,
            "symbol": m.symbols[symbol],
            "target": target,
            "probability": rounded([shares[source, symbol, target]])[0],
            "count": int(m.transitions[source, symbol, target]),
            "answers": dict(zip(task.outputs, rounded(m.answers[source, symbol]), strict=True)),
        }
        for source, symbol, target in np.argwhere(m.transitions).tolist()
    ]
    return {
        "symbols": list(m.symbols),
        "states": [
            {"name": f"S{k}", "holds": _joined(conditions), "share": rounded([m.share[k]])[0]}
            for k, conditions in enumerate(m.conditions)
        ],
        "start": m.start,
        "transitions": transitions,
        "explained": m.explained,
    }


def _joined(conditions):
    parts = dict.fromkeys(c.part for c in conditions)
    return {part: " and ".join(str(c) for c in conditions if c.part == part) for part in parts}
