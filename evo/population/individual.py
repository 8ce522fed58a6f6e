"""Individuals: genomes with their outcomes, many of them in one array."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.lib.recfunctions as rfn

from circuits.numerics.compiled import compiled

LOOKED_AT = ("validation", "held_out", "low", "high", "worst")  # NaN until measured on fresh trials


@cache
def outcome(objectives: int, noisy: bool = False) -> np.dtype:
    """Outcome of an individual: its objectives (minimised; `losses` in stores), and its measures.

    score (on the search's trials), validation (on others, by which a target is judged) and held_out (on others still, by which
    nothing is chosen), with the ends low and high of its 95 % confidence interval, and worst, the held-out score in the worst
    condition, are 0 at chance and 1 when perfect, NaN until measured; condition is the number of that condition, -1 for none,
    where worst is NaN; spikes and events are per trial; island and generation are those of its birth, wired is the generation
    in which its wiring (neurons, synapses, outputs) arose; line is the last step of its lineage at which its line improved,
    see `evo.population.lineage`.

    Where scores are noisy, objectives and score are confidence bounds, see `noise`; count is the number of judgements, mean and
    spread are the mean and the sum of squared deviations of every objective and, last, the score.
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
def record(genome_dtype: np.dtype, outcome_dtype: np.dtype) -> np.dtype:
    """The dtype of a stored individual: its genome and its outcome."""
    return np.dtype([("genome", genome_dtype), *((name, outcome_dtype[name]) for name in outcome_dtype.names or ())])


SINCE_0_5 = {"worst": np.nan, "condition": -1}  # fields that records of release 0.4 lack, and their values


def record_of_0_4(kind: np.dtype) -> np.dtype:
    """The dtype of a record in release 0.4."""
    return np.dtype([(name, kind[name]) for name in kind.names or () if name not in SINCE_0_5])


def up_to_date(records: np.ndarray) -> np.ndarray:
    """The records, with the fields that records of release 0.4 lack."""
    names = records.dtype.names or ()
    if all(name in names for name in SINCE_0_5):
        return records
    updated = np.empty(len(records), record(records.dtype["genome"], outcome(records["losses"].shape[1])))
    for name in updated.dtype.names or ():
        updated[name] = records[name] if name in names else SINCE_0_5[name]
    return updated


class Population(NamedTuple):
    """Individuals with their case scores. Genomes, which are large, are kept separate and rarely copied.

    genomes  [n], of `genome.dtype`;   outcomes  [n], of `outcome`;   case_scores  float32 [n, trials], larger is better
    """

    genomes: np.ndarray
    outcomes: np.ndarray
    case_scores: np.ndarray

    @classmethod
    def of(cls, individuals: np.ndarray, case_scores: np.ndarray) -> "Population":
        """The population of stored individuals."""
        names = [name for name in individuals.dtype.names or () if name != "genome"]
        return cls(np.ascontiguousarray(individuals["genome"]), rfn.repack_fields(individuals[names]), case_scores)

    def individuals(self, chosen=slice(None)) -> np.ndarray:
        """The individuals as records to be stored; chosen is an index array, int or bool."""
        outcomes = self.outcomes[chosen]
        records = np.empty(len(outcomes), record(self.genomes.dtype, outcomes.dtype))
        records["genome"] = self.genomes[chosen]
        for name in outcomes.dtype.names:
            records[name] = outcomes[name]
        return records

    def take(self, chosen) -> "Population":
        """Some of the individuals, by an index array."""
        return Population(*(part[chosen] for part in self))

    def joined(self, other: "Population") -> "Population":
        return Population(*(joined(a, b) for a, b in zip(self, other, strict=True)))

    def picked(self, other: "Population", chosen: np.ndarray) -> "Population":
        """`joined(other).take(chosen)`, each copied once."""
        return Population(*(_picked(a, b, chosen) for a, b in zip(self, other, strict=True)))


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
