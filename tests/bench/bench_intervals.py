"""How often 95 % confidence intervals of scores cover: for every task its reference circuit, every motif of the zoo, and each
without the part that leaves nearest to half of the score, over many independent draws of trials.

make bench-intervals [DRAWS=300] [TRIALS=256] [TASKS="gain separation"]

What is to be covered is the score's mean over all draws, which has an error of its own, so small that it does not matter. The
last column is the interval's width over 3.92 standard deviations of the scores, that of an ideal one; where a score hardly
varies, or not at all, intervals cannot be narrower than what n trials can tell of rare failures, and the column says nothing.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

import fitness
from circuits import Circuit, zoo
from circuits.edit.lesion import lesion
from fitness.analysis.lesions import cuts
from fitness.tasks import BUILT_IN
from tests.bench.report import figure

ACCEPTED = 0.9, 1.0  # share of the intervals that cover: 0.95, less where scores are skewed, more where they hardly vary
SEED = 777  # no run, card or test draws with it


class Case(NamedTuple):
    name: str
    task: fitness.Task
    circuit: Circuit


class Coverage(NamedTuple):
    """share of the intervals that cover the mean score; mean and deviation of the scores; mean width of the intervals"""

    share: float
    mean: float
    deviation: float
    width: float


def cases(name: str) -> Iterator[Case]:
    """The circuits of a task."""
    if name != "several":
        yield Case("reference", fitness.task(name), fitness.reference(name).circuit)
    for card in (zoo.card(motif) for motif in zoo):
        if card.task["name"] == name:
            task, circuit = fitness.task(**card.task), zoo[card.name].circuit
            yield Case(card.name, task, circuit)
            worse = min(card.lesions, key=lambda one: abs(one.score - 0.5))
            (cut,) = [one for one in cuts(circuit) if (one.kind, one.part) == (worse.kind, worse.part)]
            yield Case(f"{card.name} without {worse.part}", task, lesion(circuit, cut.neurons, cut.connections))


def coverage(case: Case, draws: int, trials: int, intervals: int | None = None) -> Coverage:
    """Over so many draws of so many trials; intervals: of so many of them only, None: of all."""
    scores, ends = np.empty(draws), []
    for k in range(draws):
        drawn = case.task.trials((SEED, k), trials, "held_out")
        score = case.task.evaluate(case.circuit, drawn, "float32")
        scores[k] = score.value
        if intervals is None or k < intervals:
            ends.append([float(end) for end in case.task.interval(score, drawn)])
    low, high = np.transpose(ends)
    covered = (low <= scores.mean() + 1e-9) & (scores.mean() <= high + 1e-9)
    return Coverage(float(covered.mean()), float(scores.mean()), float(scores.std()), float((high - low).mean()))


def main():
    draws, trials = (int(os.environ.get(name, default)) for name, default in (("DRAWS", 300), ("TRIALS", 256)))
    names = os.environ.get("TASKS", " ".join(BUILT_IN)).split()
    outside = []
    for case in (case for name in names for case in cases(name)):
        found = coverage(case, draws, trials)
        title, ideal = f"{case.task.title()}: {case.name}", 3.92 * found.deviation
        varies = (f"{found.mean:.4f} +- {found.deviation:.4f}", found.width / ideal) if ideal > 1e-3 else (None, None)
        figure(title, found.share, "covered", *varies)
        if not ACCEPTED[0] <= found.share <= ACCEPTED[1]:
            outside.append(title)
    if outside:
        raise SystemExit(f"not within {ACCEPTED[0]} to {ACCEPTED[1]}: {', '.join(outside)}")


if __name__ == "__main__":
    main()
