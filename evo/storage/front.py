"""Circuits of a Pareto front: their scores, objectives and provenance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.motif_file import Motif, Parent
from circuits.version import __version__
from evo import genome
from evo.population.individual import LOOKED_AT
from evo.spec.run_spec import RunSpec
from fitness.base.trials import Interface
from fitness.evaluation.objectives import objective


class Condition(NamedTuple):
    """A condition of the held-out trials, see `fitness.scoring.conditions`: its name and its number of trials."""

    name: str
    trials: int


@dataclass(frozen=True)
class Member:
    """A circuit of the Pareto front.

    Scores of tasks are 0 at chance and 1 when perfect.

    Parameters
    ----------
    rank : int
        Place in the front, 0 for the best held-out score.
    score, validation, held_out : float
        Scores on the trials of the search, on validation trials and on held-out trials; NaN if not measured. Where scores are
        noisy, `score` is a lower bound of their mean.
    low, high : float
        Ends of the 95 % confidence interval of the held-out score.
    worst : float
        Held-out score in the condition where it is lowest; NaN if the task has no conditions.
    condition : Condition or None
        That condition.
    objectives : dict of float
        Values of the objectives, in their units.
    spikes, events : float
        Spikes and synaptic events per trial; NaN where nothing was simulated.
    island, generation : int
        Where and when the circuit was born.
    circuit : Circuit
        The circuit.
    unit_score : bool
        True if scores are 0 at chance and 1 when perfect.
    judgements : int
        Number of times that the circuit was judged.
    mean_score : float
        Mean of noisy scores.
    noisy : bool
        True if scores are noisy.

    Examples
    --------
    >>> import evo
    >>> best = evo.open_run("runs/mine").front[0]
    >>> best.rank, best.low <= best.held_out <= best.high
    (0, True)
    """

    rank: int
    score: float
    validation: float
    held_out: float
    low: float
    high: float
    worst: float
    condition: Condition | None
    objectives: dict[str, float]
    spikes: float
    events: float
    island: int
    generation: int
    circuit: Circuit
    unit_score: bool = True
    judgements: int = 1
    mean_score: float = float("nan")
    noisy: bool = False

    @property
    def fresh_scores(self) -> dict[str, float | None]:
        """Scores on trials that the search did not see, by name; None where not measured."""
        return {name: None if np.isnan(score := getattr(self, name)) else score for name in LOOKED_AT}

    @property
    def overfitted(self) -> bool:
        """True if the score in the search is above 0.9 and the held-out score lower by 0.05 or more."""
        return self.unit_score and self.score > 0.9 and self.held_out <= self.score - 0.05

    @property
    def uneven(self) -> bool:
        """True if the score in the worst condition is lower than the mean by 0.25 or more."""
        return self.unit_score and self.worst <= self.held_out - 0.25

    @property
    def mark(self) -> str:
        """The mark of the held-out score in tables, "!" where overfitted, "?" where uneven."""
        return "?" * self.uneven + "!" * self.overfitted

    @property
    def excitatory(self) -> int:
        """Number of excitatory neurons."""
        return int(self.circuit.excitatory.sum())

    @property
    def inhibitory(self) -> int:
        """Number of inhibitory neurons."""
        return len(self.circuit.neurons) - self.excitatory


def ranked(archive: np.ndarray) -> list[np.void]:
    """The records of an archive, best held-out score first; of equals, the better score, then the cheaper one."""
    return sorted(archive, key=lambda row: (-np.nan_to_num(row["held_out"], nan=-np.inf), *row["losses"]))


def members(
    records: Sequence[np.void], spec: RunSpec, interface: Interface, conditions: Sequence[Condition] = ()
) -> list[Member]:
    """Members of the front for the records of an archive, in their order."""
    encoding = spec.encoding(interface)
    names, noisy = spec.search.objectives, spec.search.noisy
    return [
        Member(
            rank,
            condition=conditions[row["condition"]] if row["condition"] >= 0 else None,
            objectives={n: float(objective(n).show(loss)) for n, loss in zip(names, row["losses"], strict=True)},
            circuit=genome.to_circuit(row["genome"], encoding, interface.inputs, interface.outputs),
            unit_score=spec.judge_class.unit_score,
            judgements=int(row["count"]) if noisy else 1,
            mean_score=float(row["mean"][-1] if noisy else row["score"]),
            noisy=noisy,
            **{name: row[name].item() for name in ("score", *LOOKED_AT, "spikes", "events", "island", "generation")},
        )
        for rank, row in enumerate(records)
    ]


def provenance(member: Member, spec: RunSpec, name: str, spec_sha256: str, parent: Parent | None = None) -> Motif:
    """A circuit of a run of this name as a motif, with its provenance; parent: the founder it descends from."""
    return Motif.of(
        member.circuit,
        run=name,
        spec_sha256=spec_sha256,
        seed=spec.search.seed,
        island=member.island,
        generation=member.generation,
        task=spec.task,
        scores={
            "score": member.score,
            **member.fresh_scores,
            **({} if np.isnan(member.spikes) else {"spikes_per_trial": member.spikes, "events_per_trial": member.events}),
        },
        versions=versions(),
        parent=parent,
    )


def versions():
    return {"evocircuits": __version__} | {name: _version(name) for name in ("numpy", "numba", "deap", "ray")}


@cache
def _version(name):
    """Version of an installed package; the look-up takes a millisecond or more."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
