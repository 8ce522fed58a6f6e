"""Evaluations and seconds until hard tasks are solved, by our search and by others with the same evaluator, in one run:
python -m tests.bench.bench_rivals [TASK ...] [--rivals NAME ...] [--seeds N] [--evaluations N]

Each search proposes circuits and is told their scores. It ends when its best circuit on validation trials scores 0.9 on
held-out trials and 0.75 in the worst condition, or after `--evaluations` circuits. DEAP breeds with our operators
(`evo.deap`); the others work on vectors of numbers, which `tests.bench.vectors` turns into circuits. A rival that is not
installed is left out: .venv/bin/pip install -r tests/bench/rivals/search.txt. Writes runs/results/rivals.csv.
"""

import argparse
import math
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import evo
from evo.engine.problem import Problem
from evo.spec.run_spec import read
from fitness.judges import judged
from fitness.judges.simulated import Simulated
from tests.bench import hard, studies
from tests.bench.rival_searches import RIVALS
from tests.bench.rows import merge_csv
from tests.bench.vectors import Vectors

TABLE = hard.ROOT / "runs" / "results" / "rivals.csv"
TASKS = ("coincidence", "direction", "gate", "several", "winner", "xor")
OURS = {"evocircuits": hard.ARMS["growing"], "evocircuits, search of 0.4": hard.ARMS[hard.BEFORE]}
HEAD = ("task", "search", "seeds", "circuits at most", "solved", "evaluations", "seconds of one core", "held-out score")


class OverError(Exception):
    """The task is solved, or all circuits are spent."""


class Outcome(NamedTuple):
    """reached  was the task solved?   evaluations, seconds of one core until then or until the end;   held_out  score"""

    reached: bool
    evaluations: int
    seconds: float
    held_out: float


class Contest:
    """A hard task as rivals see it.

    problem  the spec compiled;   vectors  circuits as vectors;   spec  its path
    """

    def __init__(self, name: str, seed: int, most: int):
        self.path, self.seed, self.most = hard.SUITE / f"{name}.toml", seed, most
        spec = read(self.path)[0]
        self.problem = Problem.of(spec.model_copy(update={"search": spec.search.model_copy(update={"seed": seed})}), None)
        self.vectors = Vectors(self.problem.encoding.bounds)
        self.evaluations, self.best, self.validation = 0, -math.inf, -math.inf
        self.held_out, self.worst, self.begin = math.nan, math.nan, time.process_time()

    def evaluate(self, genomes: np.ndarray) -> np.ndarray:
        """The objectives [n, objectives] of circuits, each to be made small, the score first. Raises OverError."""
        problem = self.problem
        results = judged(problem.judge, problem.candidates(genomes))
        self.evaluations += len(genomes)
        best = int(np.argmax(results.score))
        if results.score[best] > self.best:  # islands of ours validate their best circuit in the same way
            self.best = results.score[best]
            fresh = problem.judge.validate(problem.candidates(genomes[[best]]))
            if fresh.validation[0] > self.validation:
                self.validation, self.held_out, self.worst = fresh.validation[0], fresh.held_out[0], fresh.worst[0]
        if self.solved or self.evaluations >= self.most:
            raise OverError
        return results.objectives

    def evaluate_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """The same of vectors [n, size]."""
        return self.evaluate(self.vectors.genomes(vectors))

    @property
    def solved(self) -> bool:
        return self.held_out >= studies.SCORE and (math.isnan(self.worst) or self.worst >= studies.WORST)

    @property
    def outcome(self) -> Outcome:
        return Outcome(bool(self.solved), self.evaluations, time.process_time() - self.begin, float(self.held_out))


def main():
    Simulated.analysed = 0
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=TASKS, metavar="TASK")
    parser.add_argument("--rivals", nargs="+", default=[*OURS, *RIVALS], choices=[*OURS, *RIVALS])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--evaluations", type=int, default=50_000)
    chosen = parser.parse_args()
    for name in chosen.tasks:
        for rival in chosen.rivals:
            search = ours if rival in OURS else theirs
            outcomes = [search(rival, name, seed, chosen.evaluations) for seed in range(1, chosen.seeds + 1)]
            if None not in outcomes:
                write(row(name, rival, chosen.evaluations, outcomes))
    print(TABLE.read_text(encoding="utf-8"))


def ours(arm: str, name: str, seed: int, most: int) -> Outcome:
    """The outcome of our search on a hard task."""
    with TemporaryDirectory() as folder:
        study = evo.run_study(
            [hard.SUITE / f"{name}.toml"],
            Path(folder) / "study",
            [seed],
            OURS[arm] | {"search.evaluations": [str(most)]},
            workers=0,
            target=studies.SCORE,
            worst=studies.WORST,
            until_target=True,
        )
        run = study.runs[0]
    return Outcome(run.reached, run.evaluations_to_target, run.core_seconds_to_target, run.held_out)


def theirs(rival: str, name: str, seed: int, most: int) -> Outcome | None:
    """The outcome of a rival on a hard task; None where it is not installed."""
    contest = Contest(name, seed, most)
    contest.evaluations = 0
    try:
        RIVALS[rival](contest)
    except OverError:
        pass
    except ImportError as error:
        print(f"{rival}: {error}", flush=True)
        return None
    return contest.outcome


def row(name: str, rival: str, most: int, outcomes: list[Outcome]) -> tuple[str, ...]:
    """A row of the table: medians over the seeds, a run that did not get there counting as more than any that did."""
    return (
        name,
        rival,
        str(len(outcomes)),
        f"{most:,}",
        studies.solved(outcomes),
        *studies.medians(outcomes, ("evaluations", "seconds")),
        f"{median(outcome.held_out for outcome in outcomes):.3f}",
    )


def write(made: tuple[str, ...], path: Path = TABLE):
    """Write a row, by task and search, into the table; its other rows stay."""
    merge_csv(path, HEAD, [made], 2, lambda row: row[:2])
    print(*made, flush=True)


if __name__ == "__main__":
    main()
