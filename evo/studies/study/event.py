"""What happens to the runs of a study while it is computed."""

from typing import NamedTuple

from evo.engine.epochs import Result


class Event(NamedTuple):
    """What happened to a run of a study, for whoever looks on: its folder's name, and an epoch that was stored, or the error by
    which it fails; neither where it is over."""

    run: str
    result: Result | None = None
    error: Exception | None = None
