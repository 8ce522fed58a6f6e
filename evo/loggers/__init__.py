"""Loggers to other tools: one file each, imported only when asked for.

A logger observes a run (`observe=` of `evo.run`): it is called with every finished epoch once that is stored, and closed at the
end. It is a view, not a store: the run folder holds everything. So it never ends or delays a run: entries that cannot be logged
now are logged later (`evo.loggers.background`).

with loggers.opened("tensorboard:logs", spec, "itd-1") as observe:
    evo.run("runs/itd.toml", "runs/itd-1", observe=observe)
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from circuits.errors import UserError
from evo.engine.epochs import Result
from evo.loggers.background import Background
from evo.spec.run_spec import RunSpec

LOGGERS = {"tensorboard": "a folder", "mlflow": "an address such as sqlite:///mlflow.db or http://HOST:PORT"}


@contextmanager
def opened(
    where: str, spec: RunSpec, name: str, folder: Path | None = None, before: Sequence[dict] = ()
) -> Iterator[Callable[[Result], None]]:
    """A logger by KIND:PLACE; name: of the run folder.

    folder   the run folder, to catch up from after a long outage; None: epochs beyond the queue are then lost to the logger
    before   epochs that were stored when the run was resumed (`Run.epochs`): those that the place lacks are logged first

    Each generation of an island is logged once and in order. Raises UserError for an unknown kind, and MachineError with the
    remedy if its package is missing or the place is impossible. A place that does not answer is reported once, and tried again.
    """
    kind, place = parts(where)
    logger = import_module(f"evo.loggers.{kind}").Logger(place, spec, name)
    shown = re.sub(r"//[^/@]*@", "//", where)  # without a password
    background = Background(shown, logger, spec, folder, before)
    try:
        yield background
    except BaseException as error:
        background.close("KILLED" if isinstance(error, KeyboardInterrupt | SystemExit) else "FAILED")
        raise
    background.close("FINISHED")


def parts(where: str) -> tuple[str, str]:
    """The kind and the place of KIND:PLACE. Raises UserError."""
    kind, _, place = where.partition(":")
    if kind not in LOGGERS or not place:
        forms = ", or ".join(f"{kind}: and {form}" for kind, form in LOGGERS.items())
        raise UserError(f"--log {where}: write {forms}")
    return kind, place
