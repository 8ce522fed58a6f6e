"""Loggers, and the entries that they log."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from evo.spec.run_spec import RunSpec
from fitness.evaluation.objectives import objective


class Generation(NamedTuple):
    """Entry for a generation of an island; `values` by name, names begin with the island."""

    island: int
    generation: int
    values: dict[str, float]


class Logger(Protocol):
    """A destination, as the logging thread sees it. An exception from its methods means: try again later."""

    patience: float  # seconds that `prepare` may take before the run begins

    def prepare(self):
        """Preparations that take a while and can be done before the first entry."""

    def connect(self) -> bool:
        """Find or make the run's place there, first or once more. True if another process may have logged something of this
        run already."""

    def reached(self, island: int) -> int:
        """The last generation of an island that is there; -1 if none is."""

    def write(self, rows: list[Generation]):
        """Log generations. If this raises they may be there or not: `reached` tells."""

    def close(self, status: str):
        """The run is FINISHED, KILLED or FAILED."""


def generations(island: int, log: list[dict], timings: dict[str, float], spec: RunSpec) -> Iterator[Generation]:
    """Entries of an epoch, generation by generation; its duration comes with the last."""
    for row in log:
        found = {key: row[key] for key in ("best", "median", "validation", "held_out", "archive", "evaluations", "simulated")}
        found |= {"worst": row["worst"]} if "worst" in row else {}
        for name, loss in zip(spec.search.objectives, row["losses"], strict=True):
            found[f"objective_{name}"] = objective(name).show(loss)
        if row is log[-1]:
            found |= {f"seconds_{phase}": seconds for phase, seconds in timings.items()}
        yield Generation(island, row["generation"], {f"island_{island}/{key}": float(v) for key, v in found.items()})
