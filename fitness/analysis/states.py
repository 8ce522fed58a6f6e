"""The circuit read as a state machine."""

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from fitness.analysis.numbers import rounded
from fitness.analysis.state_machine import machine
from fitness.task import Task
from fitness.trials import Trials


class State(TypedDict):
    """Something that the circuit holds between symbols; how states are told apart: `fitness.analysis.state_machine`.

    holds    what holds in it, by neuron (its id as text) or input channel: "fires", "silent", "current above 3.2 mV",
             "potential up to -70.9 mV", "release above 60 %" (of its depressing or facilitating synapses), several joined by
             " and "; empty if there is but one state
    share    of all moments looked at that it is found in
    """

    name: str
    holds: dict[str, str]
    share: float


class Transition(TypedDict):
    """Transition of a state by a symbol.

    probability  of ending in `target` when `symbol` comes in `source` (numbers of states);   count  how often that was
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
    found = machine(task, held_out, circuit)
    if found is None:
        return None
    transitions: list[Transition] = []
    for source, symbol, target in zip(*np.nonzero(found.transitions), strict=True):
        count, answers = int(found.transitions[source, symbol, target]), found.answers[source, symbol]
        transitions.append(
            {
                "source": int(source),
                "symbol": found.symbols[symbol],
                "target": int(target),
                "probability": rounded([count / found.transitions[source, symbol].sum()])[0],
                "count": count,
                "answers": dict(zip(task.outputs, rounded(answers), strict=True)),
            }
        )
    return {
        "symbols": list(found.symbols),
        "states": [
            {"name": f"S{k}", "holds": _joined(conditions), "share": rounded([found.share[k]])[0]}
            for k, conditions in enumerate(found.conditions)
        ],
        "start": found.start,
        "transitions": transitions,
        "explained": found.explained,
    }


def _joined(conditions):
    holds: dict[str, str] = {}
    for c in conditions:
        holds[c.part] = f"{holds[c.part]} and {c}" if c.part in holds else str(c)
    return holds
