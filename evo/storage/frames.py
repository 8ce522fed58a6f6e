"""Tables of a run as data frames, made when they are asked for."""

from typing import Any

from circuits.errors import UserError
from circuits.optional import optional
from fitness.evaluation.objectives import objective

LIBRARIES = ("pandas", "polars")


def frame(run, table: str = "front", library: str = "pandas") -> Any:
    """A table of a run (`evo.storage.run_folder.Run`).

    table    "front": one row per circuit;   "generations": one per island and generation, its log;   "epochs": one
             per island and epoch, with seconds by phase;   "lineage": one per circuit of the front and step of its descent
    library  "pandas" or "polars"
    Raises UserError for another table or library, MachineError where the library is not installed.
    """
    if table not in TABLES:
        raise UserError(f"frame: there is no table {table!r}; there are {', '.join(TABLES)}")
    if library not in LIBRARIES:
        raise UserError(f"frame: library must be {' or '.join(LIBRARIES)}, not {library!r}")
    frames = optional(library, "frame", f"pip install {library}")
    rows = TABLES[table](run)
    columns = dict.fromkeys(key for row in rows for key in row)
    return frames.DataFrame({key: [row.get(key) for row in rows] for key in columns})


def _front(run):
    return [
        _attributes(m, "rank", "score", "validation", "held_out", "low", "high", "worst")
        | {"worst_condition": m.condition.name if m.condition else None, "overfitted": m.overfitted, "uneven": m.uneven}
        | {"e": m.excitatory, "i": m.inhibitory, "synapses": m.circuit.synapse_count}
        | _attributes(m, "spikes", "events", "island", "generation")
        | {f"objective_{name}": value for name, value in m.objectives.items()}
        for m in run.front
    ]


def _attributes(source, *names):
    return {name: getattr(source, name) for name in names}


def _generations(run):
    names, evaluated, rows = run.spec.search.objectives, {}, []
    for epoch in sorted(run.epochs, key=lambda epoch: (epoch["island"], epoch["epoch"])):
        for row in epoch["log"]:
            island = epoch["island"]
            evaluated[island] = evaluated.get(island, 0) + row["evaluations"]
            objectives = {f"minimum_{n}": float(objective(n).show(x)) for n, x in zip(names, row["losses"], strict=True)}
            facts = {key: value for key, value in row.items() if key != "losses"}
            rows.append({"island": island, **facts, "evaluations_so_far": evaluated[island], **objectives})
    return rows


def _epochs(run):
    return [
        {key: epoch[key] for key in ("island", "epoch", "generation", "evaluations", "elapsed")}
        | {f"seconds_{phase}": seconds for phase, seconds in epoch["timings"].items()}
        for epoch in run.epochs
    ]


def _lineage(run):
    rows = []
    for member in run.front:
        for k, step in enumerate(run.lineage(member.rank)):
            excitatory = int(step.circuit.excitatory.sum())
            rows.append(
                {"rank": member.rank, "step": k}
                | _attributes(step, "generation", "island", "before", "score", "crossed")
                | {"e": excitatory, "i": len(step.circuit.neurons) - excitatory, "synapses": step.circuit.synapse_count}
            )
    return rows


TABLES = {"front": _front, "generations": _generations, "epochs": _epochs, "lineage": _lineage}
