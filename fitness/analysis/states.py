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
    transitions: list[Transition] = []
    for source, symbol, target in zip(*np.nonzero(m.transitions), strict=True):
        count, answers = int(m.transitions[source, symbol, target]), m.answers[source, symbol]
        transitions.append(
            {
                "source": int(source),
                "symbol": m.symbols[symbol],
                "target": int(target),
                "probability": rounded([count / m.transitions[source, symbol].sum()])[0],
                "count": count,
                "answers": dict(zip(task.outputs, rounded(answers), strict=True)),
            }
        )
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
    by_part: dict[str, str] = {}
    for c in conditions:
        by_part[c.part] = f"{by_part[c.part]} and {c}" if c.part in by_part else str(c)
    return by_part
