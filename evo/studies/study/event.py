"""Events of a study while it is computed."""

from typing import NamedTuple

from evo.engine.epochs import Result


class Event(NamedTuple):
    """An event of a run of a study, for observers: its folder's name, and an epoch that was stored, or the error by which the
    run failed; neither if the run is over."""

    run: str
    result: Result | None = None
    error: Exception | None = None
