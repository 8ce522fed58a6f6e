"""Individuals: a genome and what became of it, many of them in one array."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.lib.recfunctions as rfn

from circuits.numerics.compiled import compiled

LOOKED_AT = ("validation", "held_out", "low", "high", "worst")  # NaN until measured on fresh trials


@cache
def outcome(objectives: int, noisy: bool = False) -> np.dtype:
    """Outcome of an individual: its objectives (`losses`, smaller is better), and its measures.

    score (on the search's trials), validation (on others, by which a target is judged) and held_out (on others still, by which
    nothing is chosen), with the ends low and high of its 95 % confidence interval, and worst, that of held_out in the worst
    condition, are 0 at chance and 1 when perfect, NaN until measured; condition is the number of that condition, -1 for none,
    and worst is NaN then; spikes and events are per trial; island and generation say where it was born, wired in which
    generation its wiring (neurons, synapses, outputs) came about; line is the step of its lineage at which its line did better
    last, see `evo.population.lineage`.

    Where scores are noisy, losses and score are bounds on which a circuit is as likely to be better, see `noise`; count says
    how often it was judged, mean and spread, of every objective and at last the score, hold the mean and the sum of squared
    deviations.
    """
    noise = [("count", "i4"), ("mean", "f8", objectives + 1), ("spread", "f8", objectives + 1)]
    return np.dtype(
        [
            ("losses", "f8", objectives),
            ("score", "f8"),
            *((name, "f8") for name in LOOKED_AT),
            ("condition", "i4"),
            ("spikes", "f8"),
            ("events", "f8"),
            ("island", "i4"),
            ("generation", "i4"),
            ("wired", "i4"),
            ("line", "i8"),
            *(noise if noisy else ()),
        ]
    )


def outcome_of(search: Any) -> np.dtype:
    """The outcome of individuals of a run, by the [search] section of its spec."""
    return outcome(len(search.objectives), search.noisy)


@cache
def record(genome_dtype: np.dtype, of_outcome: np.dtype) -> np.dtype:
    """An individual as it is stored: its genome and its outcome."""
    return np.dtype([("genome", genome_dtype), *((name, of_outcome[name]) for name in of_outcome.names or ())])


SINCE_0_5 = {"worst": np.nan, "condition": -1}  # fields that records of release 0.4 lack, and what stands for them


def record_of_0_4(kind: np.dtype) -> np.dtype:
    """The dtype of a record as release 0.4 stored it."""
    return np.dtype([(name, kind[name]) for name in kind.names or () if name not in SINCE_0_5])


def up_to_date(records: np.ndarray) -> np.ndarray:
    """The records, those of release 0.4 with the fields that they lack."""
    names = records.dtype.names or ()
    if all(name in names for name in SINCE_0_5):
        return records
    found = np.empty(len(records), record(records.dtype["genome"], outcome(records["losses"].shape[1])))
    for name in found.dtype.names or ():
        found[name] = records[name] if name in names else SINCE_0_5[name]
    return found


class Population(NamedTuple):
    """Individuals and how each did on every trial of the search. Genomes are large: they lie apart, and are copied little.

    genomes  [n], of `genome.dtype`;   outcomes  [n], of `outcome`;   case_scores  float32 [n, trials], larger is better
    """

    genomes: np.ndarray
    outcomes: np.ndarray
    case_scores: np.ndarray

    @classmethod
    def of(cls, individuals: np.ndarray, case_scores: np.ndarray) -> "Population":
        """The same from individuals as they are stored."""
        names = [name for name in individuals.dtype.names or () if name != "genome"]
        return cls(np.ascontiguousarray(individuals["genome"]), rfn.repack_fields(individuals[names]), case_scores)

    def individuals(self, chosen=slice(None)) -> np.ndarray:
        """Individuals as they are stored; chosen is an index array, int or bool."""
        outcomes = self.outcomes[chosen]
        found = np.empty(len(outcomes), record(self.genomes.dtype, outcomes.dtype))
        found["genome"] = self.genomes[chosen]
        for name in outcomes.dtype.names:
            found[name] = outcomes[name]
        return found

    def take(self, chosen) -> "Population":
        """Some of them: an index array."""
        return Population(*(part[chosen] for part in self))

    def joined(self, other: "Population") -> "Population":
        return Population(*(joined(mine, theirs) for mine, theirs in zip(self, other, strict=True)))

    def picked(self, other: "Population", chosen: np.ndarray) -> "Population":
        """`joined(other).take(chosen)`, each copied once."""
        return Population(*(_picked(mine, theirs, chosen) for mine, theirs in zip(self, other, strict=True)))


def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """np.concatenate; records stay packed."""
    out = np.empty((len(a) + len(b), *a.shape[1:]), a.dtype)
    out[: len(a)], out[len(a) :] = a, b
    return out


def _picked(a, b, chosen):
    out = np.empty((len(chosen), *a.shape[1:]), a.dtype)
    _pick(*(rows.reshape(len(rows), -1).view("u1") for rows in (a, b)), chosen, out.reshape(len(out), -1).view("u1"))
    return out


@compiled
def _pick(a, b, chosen, out):
    for k in range(len(chosen)):
        row = a[chosen[k]] if chosen[k] < len(a) else b[chosen[k] - len(a)]
        for x in range(out.shape[1]):
            out[k, x] = row[x]
