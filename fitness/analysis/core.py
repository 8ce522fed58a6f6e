"""The smallest part of a circuit that does as well."""

import json
from collections.abc import Callable
from typing import Any

from typing_extensions import TypedDict

from circuits.motif_file import Motif, Parent, digest, dumps
from fitness.analysis import smallest as core
from fitness.task import Task, Trials


class Core(TypedDict):
    """The core: what is left when part after part is removed as long as the score stays above the floor of the whole
    circuit's (`Task.floor`). No neuron or synapse of it can be removed alone.

    motif           a motif file, its provenance naming the parent
    score, low, high, trials   of the core, on trials that had no part in choosing it (held-out ones)
    confirmed       is that score, too, above the floor of the whole circuit's on the same trials?
    removed         parts as in `Lesion.part`, neurons first, in the order in which they went; synapses of a removed neuron are
                    not named again
    """

    motif: dict[str, Any]
    score: float
    low: float
    high: float
    trials: int
    confirmed: bool
    removed: list[str]


def core_of(task: Task, motif: Motif, held_out: Trials, draw: Callable[[int], Trials], name: str | None = None) -> Core | None:
    """The part `core` of an analysis."""
    found = core.core(task, motif.circuit, draw, held_out)
    if found is None:
        return None
    smaller = Motif.of(
        found.circuit,
        **motif.provenance.model_dump(exclude={"scores", "parent"}),
        scores={"held_out": found.score, "low": found.low, "high": found.high},
        parent=Parent(sha256=digest(motif), name=name),
    )
    return {
        "motif": json.loads(dumps(smaller)),
        "score": found.score,
        "low": found.low,
        "high": found.high,
        "trials": len(held_out),
        "confirmed": found.confirmed,
        "removed": [*map(str, found.neurons), *(f"{source}>{target}" for source, target in found.synapses)],
    }
