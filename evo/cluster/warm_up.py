"""Compilation once per machine: the first process compiles the code of an epoch, the others wait and read its cache."""

from contextlib import nullcontext

from circuits.numerics.compiled import cache_folder, processor
from evo.engine.epochs import compute, rehearse
from evo.engine.problem import problem
from evo.spec.run_spec import RunSpec
from evo.storage.lock import patiently
from fitness.sandbox.code import Code

_done: set[tuple[str, Code | None]] = set()


def warm_up(spec: RunSpec, source: Code | None):
    """Compile the code of an epoch, or read it from the disk, by a miniature run."""
    small = {"seed": 1, "population": 4, "generations": 2, "epoch": 1, "migrants": min(1, spec.search.migrants)}
    text = spec.model_copy(update={"search": spec.search.model_copy(update=small)}).model_dump_json()
    if (text, source) in _done:
        return
    with _alone():
        miniature = problem(text, source)
        if not miniature.judge.warms:
            rehearse(miniature)
            return
        state, sent, _ = compute(text, source, 0, 0, None, None)
        compute(text, source, 0, 1, state, sent)
    _done.add((text, source))


def _alone():
    """Context for one process at a time among those that share the cache, by a lock beside it."""
    folder = cache_folder()
    return nullcontext() if folder is None else patiently(folder / f"{processor()}.lock")
