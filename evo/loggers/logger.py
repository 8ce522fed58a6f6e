"""Loggers, and the entries that they log."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from evo.spec.run_spec import RunSpec
from fitness.evaluation.objectives import objective


class Generation(NamedTuple):
    """The entry of a generation of an island; `values` by name, which begins with the island."""

    island: int
    generation: int
    values: dict[str, float]


class Logger(Protocol):
    """A destination for the logging thread. An exception from its methods means: try again later."""

    patience: float  # seconds that `prepare` may take before the run begins

    def prepare(self):
        """Slow preparations that need no entry yet."""

    def connect(self) -> bool:
        """Connect, or connect again, and find or create the run there. True if another process may have logged some of this run
        already."""

    def reached(self, island: int) -> int:
        """The last logged generation of an island; -1 if there is none."""

    def write(self, rows: list[Generation]):
        """Log generations. If this raises they may have been logged or not: see `reached`."""

    def close(self, status: str):
        """Close; the run is FINISHED, KILLED or FAILED."""


def generations(island: int, log: list[dict], timings: dict[str, float], spec: RunSpec) -> Iterator[Generation]:
    """The entries of an epoch, one for each generation; the last one has the epoch's durations."""
    for row in log:
        values = {key: row[key] for key in ("best", "median", "validation", "held_out", "archive", "evaluations", "simulated")}
        values |= {"worst": row["worst"]} if "worst" in row else {}
        for name, objective_value in zip(spec.search.objectives, row["losses"], strict=True):
            values[f"objective_{name}"] = objective(name).show(objective_value)
        if row is log[-1]:
            values |= {f"seconds_{phase}": seconds for phase, seconds in timings.items()}
        yield Generation(island, row["generation"], {f"island_{island}/{key}": float(v) for key, v in values.items()})
