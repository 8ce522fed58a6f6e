"""The file of an `evo.Evolver`: the states of its islands after the last whole epoch, and the results since then, which are
replayed. Read without pickle, and checked (`evo.storage.stored`)."""

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.files import read_bytes
from circuits.motif_file import write_whole
from evo.engine.codec import MisfitError, Shape, from_bytes, to_bytes
from evo.engine.island import State
from evo.spec.run_spec import LARGEST, RunSpec, parse
from evo.storage.stored import CASES, check_states
from fitness.judges import Results
from fitness.judges.scores import NOT_SCORED

VERSION = 1
MAX_BYTES, MAX_CIRCUITS = 10**10, 10**8
SINCE = ("objectives", "score", "cases", "spikes", "events", "failed")  # fields of results


class _Arrays(NamedTuple):
    """Arrays, and as `log` the version, the spec as TOML, the epoch, the evaluations before it, the sizes of the states in
    bytes, and the number of circuits in each of the results since."""

    states: np.ndarray
    objectives: np.ndarray
    score: np.ndarray
    cases: np.ndarray
    spikes: np.ndarray
    events: np.ndarray
    failed: np.ndarray
    log: dict


class Saved(NamedTuple):
    """The state of an Evolver: states is None before the first epoch ends; since, the results in order."""

    spec: RunSpec
    epoch: int
    evaluations: int
    states: list[State] | None
    since: list[Results]


def write(path: Path, spec: RunSpec, epoch: int, evaluations: int, states: list[State] | None, since: list[Results]):
    """Write the file whole, or not at all."""
    blobs = [] if states is None else [to_bytes(state) for state in states]
    arrays: dict[str, Any] = {name: [getattr(results, name) for results in since] for name in SINCE}
    objectives, cases = len(spec.search.objectives), since[0].cases.shape[1] if since else 1
    empty = {"objectives": np.empty((0, objectives)), "cases": np.empty((0, cases), "f4"), "failed": np.empty(0, bool)}
    joined = {name: np.concatenate(parts) if parts else empty.get(name, np.empty(0)) for name, parts in arrays.items()}
    log = {
        "version": VERSION,
        "spec": spec.to_toml(),
        "epoch": epoch,
        "evaluations": evaluations,
        "sizes": [len(blob) for blob in blobs],
        "counts": [len(results.score) for results in since],
    }
    write_whole(path, to_bytes(_Arrays(np.frombuffer(b"".join(blobs), "u1"), **joined, log=log)))


def read(path: Path) -> Saved:
    """Read a file of `write`. Raises UserError for any other file."""
    damaged = UserError(f"{path}: is not a file that evo.Evolver saved, or it is damaged")
    n = (0, MAX_CIRCUITS)
    shapes = {
        "states": Shape("u1", ((0, MAX_BYTES),)),
        "objectives": Shape("f8", (n, (1, 100))),
        "cases": Shape("f4", (n, (1, CASES))),
        **{name: Shape("f8", (n,)) for name in ("score", "spikes", "events")},
        "failed": Shape("?", (n,)),
        "log": Shape("u1", ((2, 100 * LARGEST),)),
    }
    try:
        saved = from_bytes(_Arrays, read_bytes(path, MAX_BYTES), shapes)
        log = saved.log
        known = isinstance(log, dict) and log.get("version") == VERSION and isinstance(log["spec"], str)
        numbers = [log["epoch"], log["evaluations"], *log["sizes"], *log["counts"]] if known else [None]
        if not all(type(number) is int and number >= -1 for number in numbers):
            raise damaged
    except (MisfitError, KeyError, TypeError):
        raise damaged from None
    except UserError as error:
        raise (error if str(error).startswith(str(path)) else damaged) from None
    spec = parse(log["spec"], str(path))
    counts, sizes = log["counts"], log["sizes"]
    lengths = {len(getattr(saved, name)) for name in SINCE}
    sound = (
        lengths == {sum(counts)}
        and sum(sizes) == len(saved.states)
        and saved.objectives.shape[1] == len(spec.search.objectives)
    )
    finite = all(np.isfinite(getattr(saved, name)).all() for name in ("objectives", "score", "cases"))
    if not sound or not finite or len(sizes) != (0 if log["epoch"] < 0 else spec.search.islands):
        raise damaged
    ends = np.cumsum([0, *sizes])
    blobs = [saved.states[a:b].tobytes() for a, b in pairwise(ends)]
    states = check_states(spec, spec.make_judge().interface, blobs, log["epoch"], path) if blobs else None
    ends = np.cumsum([0, *counts])
    since = [_results(saved, slice(int(a), int(b))) for a, b in pairwise(ends)]
    return Saved(spec, log["epoch"], log["evaluations"], states, since)


def _results(saved, rows):
    arrays = {name: getattr(saved, name)[rows] for name in SINCE}
    fault = NOT_SCORED if arrays["failed"].any() else None
    return Results(**arrays, fault=fault, share=np.ones(len(arrays["score"])), seconds={})
