"""Hidden circuits recovered from recordings of some of their neurons: python -m tests.bench.bench_recovery [NUMBER ...]

Each hidden circuit has 2 to 5 neurons, 1 to 3 of them recorded, and gets three Poisson trains; sixty seconds are recorded, of
which the last twelve are held out. The search is given the CSV file and runs/recordings/recovery.toml, whose bounds are wider
than what the hidden circuit was drawn from; CMA-ES then polishes the best circuit, wiring as it is (evo fork DIR --set
search.algorithm=cma). Each has the seconds of the spec. The circuit is chosen by its validation score. Reported is the
coincidence factor at 2 ms of every recorded neuron on the time held out, that of the worst one before polishing, and whether
the wiring that was found is the hidden one's.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import evo
from circuits.graph.canonical import canonical_form
from circuits.graph.wiring import live
from evo.spec.run_spec import read_alone
from evo.storage.task_code import checked_code
from tests.bench.hidden import Hidden, hidden, to_csv

GOOD = 0.95
POLISH = {"search.algorithm": "cma", "search.islands": "1", "search.population": "60", "search.generations": "400"}
SPEC = Path(__file__).parents[2] / "runs" / "recordings" / "recovery.toml"


def case(k: int) -> Hidden:
    """The k-th hidden circuit of the twenty."""
    neurons = 2 + k % 4
    return hidden(k, neurons, recorded=1 + k % min(3, neurons))


def recover(found: Hidden, folder: Path, workers=0, changes=None, **overrides):
    """The finished run on a recording of the hidden circuit."""
    (folder / "cell.csv").write_text(to_csv(found.recording), encoding="utf-8")
    spec = folder / "recovery.toml"
    spec.write_text(SPEC.read_text(encoding="utf-8"), encoding="utf-8")
    return evo.run(spec, folder / "run", workers=workers, changes=changes, **overrides)


def polish(run, folder: Path, seconds: float | None = None):
    """The run whose weights, delays and parameters CMA went on with, wiring as it was."""
    return evo.search.fork(
        run.folder, POLISH | ({} if seconds is None else {"search.seconds": str(seconds)}), folder, workers=0
    )


def factors(run):
    """The coincidence factors held out, by neuron, of the member of the front that is best on validation windows."""
    best = max(run.front, key=lambda member: np.nan_to_num(member.validation, nan=-1.0))
    task = read_alone(run.folder / "run.toml").make_task(checked_code(run.spec, run.folder))
    trials = task.trials_of("held_out", run.spec.search.seed, run.spec.search.held_out)
    return best, task.figures_of(task.evaluate(best.circuit, trials, "float32"), trials)


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("numbers", nargs="*", type=int, help="of the hidden circuits [default: 0 to 19]")
    asked.add_argument("--seconds", type=float, help="of each search [default: as in the spec]")
    asked.add_argument("--workers", default=0, help="processes")
    options = asked.parse_args()
    numbers = options.numbers or range(20)
    good = 0
    print(" # hidden (recorded)  evaluations  cpu s  score/simulate  before  validation  held out by neuron  found  wiring")
    for k in numbers:
        one = case(k)
        with TemporaryDirectory() as folder:
            start = time.process_time()
            run = recover(one, Path(folder), options.workers, seconds=options.seconds)
            before, tried = min(factors(run)[1].values()), run.evaluations
            run = polish(run, Path(folder) / "polished", options.seconds)
            seconds, tried = time.process_time() - start, tried + run.evaluations
            best, by_neuron = factors(run)
        good += min(by_neuron.values()) >= GOOD
        share = np.divide(*(sum(e["timings"].get(phase, 0) for e in run.epochs) for phase in ("score", "simulate")))
        same = canonical_form(live(best.circuit)) == canonical_form(live(one.circuit))
        e, i = int(one.circuit.excitatory.sum()), int((~one.circuit.excitatory).sum())
        figures = " ".join(f"{value:.3f}" for value in by_neuron.values())
        row = f"{k:2} {e} E {i} I ({len(by_neuron)}) {tried:19,} {seconds:6.0f} {share:15.2f} {before:7.3f}"
        found = f"{best.excitatory} E {best.inhibitory} I   {'yes' if same else 'no'}"
        print(f"{row} {best.validation:11.3f}  {figures:27}{found}", flush=True)
    print(f"{good} of {len(numbers)} predict every recorded neuron with a coincidence factor of {GOOD} or more")


if __name__ == "__main__":
    main()
