"""Compiling once per machine: the first process compiles what an epoch needs, the others wait and read what it cached."""

from contextlib import nullcontext

from circuits.numerics.compiled import cache_folder, processor
from evo.engine.epochs import compute, rehearse
from evo.engine.problem import problem
from evo.spec.run_spec import RunSpec
from evo.storage.lock import patiently
from fitness.sandbox.code import Code

_done: set[tuple[str, Code | None]] = set()


def warm_up(spec: RunSpec, source: Code | None):
    """Compile everything an epoch needs, or read it from the disk, on a throwaway miniature run."""
    small = {"seed": 1, "population": 4, "generations": 2, "epoch": 1, "migrants": min(1, spec.search.migrants)}
    text = spec.model_copy(update={"search": spec.search.model_copy(update=small)}).model_dump_json()
    if (text, source) in _done:
        return
    with _alone():
        here = problem(text, source)
        if not here.judge.warms:
            rehearse(here)
            return
        state, sent, _ = compute(text, source, 0, 0, None, None)
        compute(text, source, 0, 1, state, sent)
    _done.add((text, source))


def _alone():
    """One process at a time that uses the same cache, on whatever machine: a lock beside it."""
    folder = cache_folder()
    return nullcontext() if folder is None else patiently(folder / f"{processor()}.lock")
