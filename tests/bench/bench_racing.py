"""What a race buys: how many circuits a budget of training steps tries, and how good the winner is, beside training in full:
python -m tests.bench.bench_racing [--circuits N] [--spec FILE]

N random circuits of a spec by learning are all trained in full, twice. The learning curve of the first training holds what a
network knew at the end of each stage of the race; by the second, from other first weights and on other trials, nothing is
chosen. From these, races of RACING circuits are run over and over, of circuits drawn at random; beside each as many of its
circuits as cost the same steps are trained in full, and the best of them wins. Reported: circuits for the budget of a race, the
score of the winner in its second training, the mean over DRAWS; and that of the best of all circuits of the race, trained in
full, at a multiple of the cost. Every circuit is a row of runs/results/racing.csv (or the file that BENCH_CSV names), and a
stopped benchmark goes on where it was.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from evo.engine.race import going_on
from evo.spec.run_spec import read_alone
from fitness.judges.learning import LearningJudge
from tests.bench.rows import add_csv, csv_rows

ROOT = Path(__file__).parents[2]
RACING, DRAWS = 16, 2000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--circuits", type=int, default=64)
    parser.add_argument("--spec", default=str(ROOT / "runs" / "learning" / "flip-flop.toml"))
    chosen = parser.parse_args()
    path = Path(os.environ.get("BENCH_CSV") or ROOT / "runs" / "results" / "racing.csv")
    spec = read_alone(chosen.spec)
    judge = spec.make_judge()
    assert isinstance(judge, LearningJudge)
    candidates = spec.founders(judge.interface, chosen.circuits)
    for k in range(len(rows(path)), chosen.circuits):
        first, second = (judge._trained(candidates.circuit(k), *where) for where in (("search", 0), ("held_out", 0)))
        if first is None or second is None:
            add(path, k, [-1.0] * len(judge.ends), -1.0)
            continue
        at = dict(zip(first.curve["steps"], first.curve["accuracy"], strict=True))
        add(path, k, [first.unit(at[end]) for end in judge.ends], second.score(judge.settings))
    found = np.array(rows(path))[: chosen.circuits, 1:]
    print(compared(found[:, :-1], found[:, -1], np.array(judge.race.shares), judge.race.keep))


def rows(path):
    return [[float(value) for value in row.values()] for row in csv_rows(path)]


def add(path, circuit, stages, fresh):
    add_csv(path, {"circuit": circuit} | {f"stage_{k}": score for k, score in enumerate(stages)} | {"fresh": fresh})


def raced(stages: np.ndarray, shares: np.ndarray, keep: float) -> tuple[int, float]:
    """The winner of a race by scores after each stage [circuits, stages], and what the race cost, in whole trainings."""
    going, cost, before = np.arange(len(stages)), 0.0, 0.0
    for rung, share in enumerate(shares):
        cost, before = cost + len(going) * (share - before), share
        if rung + 1 < len(shares):
            going = going[going_on(stages[going, rung], keep)]
    return int(going[np.argmax(stages[going, -1])]), cost


def compared(stages: np.ndarray, fresh: np.ndarray, shares: np.ndarray, keep: float, draws: int = DRAWS) -> str:
    """The comparison as text."""
    rng, won = np.random.default_rng(0), []
    for _ in range(draws):
        some = rng.choice(len(stages), min(RACING, len(stages)), replace=False)
        winner, cost = raced(stages[some], shares, keep)
        few = some[: int(cost) + (rng.random() < cost % 1)]  # as many as cost the same, on average
        best = [some[winner], few[np.argmax(stages[few, -1])], some[np.argmax(stages[some, -1])]]
        won.append(fresh[best])
    race, same, all_of_them = np.mean(won, axis=0)
    order = np.corrcoef(np.argsort(np.argsort(stages[:, 0])), np.argsort(np.argsort(stages[:, -1])))[0, 1]
    ahead = np.mean([row[0] - row[1] for row in won])
    n = min(RACING, len(stages))
    return (
        f"a race of {n} circuits costs {cost:.2f} trainings: {n / cost:.1f} times the circuits of training each in full\n"
        f"winner, in a training by which nothing was chosen: race {race:.3f}; in full, same budget {same:.3f} (race ahead by "
        f"{ahead:+.3f}); in full, all {n} circuits at {n / cost:.1f} times the cost {all_of_them:.3f}\n"
        f"rank correlation of the first stage with the last: {order:.2f}; {len(stages)} circuits, {draws} draws"
    )


if __name__ == "__main__":
    main()
