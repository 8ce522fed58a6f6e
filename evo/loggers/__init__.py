"""Where else a run can be followed: one file each, imported only when asked for.

A logger observes a run (`observe=` of `evo.run`): it is called with every finished epoch once that is stored, and closed at the
end. It is a place to look at, not a store: the run folder holds everything.

with loggers.opened("tensorboard:logs", spec, "itd-1") as observe:
    evo.run("runs/itd.toml", "runs/itd-1", observe=observe)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from circuits.errors import UserError
from evo.epochs import Result
from evo.spec import RunSpec

LOGGERS = {"tensorboard": "a folder", "mlflow": "an address such as sqlite:///mlflow.db or http://HOST:PORT"}


@contextmanager
def opened(where: str, spec: RunSpec, name: str) -> Iterator[Callable[[Result], None]]:
    """A logger by KIND:PLACE; name is that of the run folder. Raises UserError for an unknown kind, MachineError with the
    remedy where its package is missing or the place does not answer."""
    kind, place = parts(where)
    logger = import_module(f"evo.loggers.{kind}").Logger(place, spec, name)
    try:
        yield logger
    finally:
        logger.close()


def parts(where: str) -> tuple[str, str]:
    """The kind and the place of KIND:PLACE. Raises UserError."""
    kind, _, place = where.partition(":")
    if kind not in LOGGERS or not place:
        ways = ", or ".join(f"{kind}: and {what}" for kind, what in LOGGERS.items())
        raise UserError(f"--log {where}: write {ways}")
    return kind, place


def scalars(result: Result, spec: RunSpec) -> Iterator[tuple[str, int, float]]:
    """What there is to log of an epoch: (name, generation, value), names beginning with the island."""
    from fitness.objectives import OBJECTIVES

    for row in result.log:
        found = {key: row[key] for key in ("best", "median", "validation", "held_out", "archive", "evaluations", "simulated")}
        for name, loss in zip(spec.search.objectives, row["losses"], strict=True):
            found[f"objective_{name}"] = float(OBJECTIVES[name].show(loss))
        for name, value in found.items():
            yield f"island_{result.island}/{name}", row["generation"], float(value)
    for phase, seconds in result.timings.items():
        yield f"island_{result.island}/seconds_{phase}", result.log[-1]["generation"], float(seconds)
