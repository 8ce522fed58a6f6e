"""Hidden circuits recovered from recordings of some of their neurons: python -m tests.bench.bench_recovery [NUMBER ...]

Each hidden circuit has 2 to 5 neurons, 1 to 3 of them recorded, and gets three Poisson trains; sixty seconds are recorded, of
which the last twelve are held out. The search is given the CSV file and runs/recordings/recovery.toml, whose bounds are wider
than what the hidden circuit was drawn from: it begins with circuits inferred from the recording, which counts as its time. It
then goes on with a sharper likelihood of the measured spikes (evo fork DIR --set task.forcing_mv=0.1 --set search.polish=0.9).
Each ends after the seconds of the spec, or of processor time with --cpu, which depends less on what else the machine does (one
process), but not before the inference is done. --random: the search begins with random circuits alone. The circuit is chosen by
its validation score. Reported is the coincidence factor at 2 ms of every recorded neuron on the time held out, and whether the
wiring is the hidden one's, both without what can be taken away without a loss that the data show (`evo prune`). --seeds N: as
many whole searches as are needed for a validation score of 0.985, N at most; the best one by validation counts, and the time of
all. --csv FILE: rows are added to a file, and those that it has are not computed again.
"""

import argparse
import csv
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import evo
from circuits.circuit import Circuit
from circuits.graph.canonical import canonical_form
from circuits.graph.wiring import live
from evo.storage.task_code import checked_task
from fitness.analysis import trials_for
from fitness.analysis.core import smallest
from fitness.base.task import Task
from tests.bench.hidden import Hidden, hidden, to_csv

GOOD, ENOUGH = 0.95, 0.985
POLISH = {"task.forcing_mv": "0.1", "search.polish": "0.9"}
SPEC = Path(__file__).parents[2] / "runs" / "recordings" / "recovery.toml"
COLUMNS = "circuit,recorded,evaluations,processor s,validation,coincidence factor held out,found,true wiring"


def case(k: int) -> Hidden:
    """The k-th hidden circuit of the twenty."""
    neurons = 2 + k % 4
    return hidden(k, neurons, recorded=1 + k % min(3, neurons))


def recover(found: Hidden, folder: Path, workers=0, changes=None, cpu: float | None = None, **overrides):
    """The finished run on a recording of the hidden circuit; cpu: seconds of processor time after which it is ended."""
    (folder / "cell.csv").write_text(to_csv(found.recording), encoding="utf-8")
    spec = folder / "recovery.toml"
    spec.write_text(SPEC.read_text(encoding="utf-8"), encoding="utf-8")
    if cpu is None:
        return evo.run(spec, folder / "run", workers=workers, changes=changes, **overrides)
    overrides["seconds"] = 1e6
    return _within(cpu, folder / "run", partial(evo.run, spec, folder / "run", workers=0, changes=changes, **overrides))


def polish(run, folder: Path, seconds: float | None = None, cpu: float | None = None):
    """The run that goes on from this one, more of it by CMA-ES and with a sharper likelihood."""
    seconds = seconds if cpu is None else 1e6
    changes = POLISH | ({} if seconds is None else {"search.seconds": str(seconds)})
    fork = partial(evo.fork, run.folder, changes, folder, workers=0)
    return fork() if cpu is None else _within(cpu, folder, fork)


def _within(cpu, folder, start):
    """The run that `start` makes in a folder, ended after so many seconds of processor time."""
    end = time.process_time() + cpu

    def observe(_):
        if time.process_time() > end:
            raise KeyboardInterrupt

    try:
        return start(observe=observe)
    except KeyboardInterrupt:
        return evo.open_run(folder)


def task_of(run) -> Task:
    """The run's task."""
    return checked_task(run.spec, run.folder, "there is no recording")


def factors(run):
    """The member of the front that is best on validation windows, and its coincidence factors held out, by neuron."""
    best = max(run.front, key=lambda member: np.nan_to_num(member.validation, nan=-1.0))
    task = task_of(run)
    trials = task.trials_of("held_out", run.spec.search.seed, run.spec.search.held_out)
    return best, task.figures_of(task.evaluate(best.circuit, trials, "float32"), trials)


def wiring(run) -> Callable[[Circuit], object]:
    """What tells the wiring of a circuit from others, without what the data do not show."""
    task = task_of(run)
    held_out, draw = trials_for(task, run.spec.search.seed, run.spec.search.held_out)

    def form(circuit):
        core = smallest(task, circuit, draw, held_out)
        return canonical_form(live(circuit if core is None else core.circuit))

    return form


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("numbers", nargs="*", type=int, help="of the hidden circuits [default: 0 to 19]")
    asked.add_argument("--seconds", type=float, help="of each search [default: as in the spec]")
    asked.add_argument("--cpu", type=float, help="seconds of processor time of each search, in this process")
    asked.add_argument("--workers", default=0, help="processes")
    asked.add_argument("--seeds", type=int, default=1, help="searches at most")
    asked.add_argument("--random", action="store_true", help="begin with random circuits alone")
    asked.add_argument("--csv", type=Path, help="add rows to this file")
    options = asked.parse_args()
    known = _known(options.csv)
    numbers = options.numbers or sorted({*range(20), *known})
    good = sum(known[k] >= GOOD for k in numbers if k in known)
    print(COLUMNS)
    for k in (k for k in numbers if k not in known):
        one = case(k)
        with TemporaryDirectory() as folder:
            start, tried, runs = time.process_time(), 0, []
            begin = {"search.founders": "[]"} if options.random else None
            for seed in range(1, options.seeds + 1):
                place = Path(folder, str(seed))
                place.mkdir()
                run = recover(one, place, options.workers, begin, options.cpu, seconds=options.seconds, seed=seed)
                tried += run.evaluations
                runs.append(polish(run, place / "polished", options.seconds, options.cpu))
                tried += runs[-1].evaluations
                if factors(runs[-1])[0].validation >= ENOUGH:
                    break
            seconds = time.process_time() - start
            run = max(runs, key=lambda run: factors(run)[0].validation)
            best, by_neuron = factors(run)
            form = wiring(run)
            same = form(best.circuit) == form(one.circuit)
        good += min(by_neuron.values()) >= GOOD
        e, i = int(one.circuit.excitatory.sum()), int((~one.circuit.excitatory).sum())
        figures = " ".join(f"{value:.3f}" for value in by_neuron.values())
        found = f"{best.excitatory} E {best.inhibitory} I"
        row = [
            f"{k}: {e} E {i} I",
            len(by_neuron),
            f"{tried:,}",
            f"{seconds:.0f}",
            f"{best.validation:.3f}",
            figures,
            found,
            "yes" if same else "no",
        ]
        print(*row, sep=", ", flush=True)
        if options.csv:
            _add(options.csv, row)
    print(f"{good} of {len(numbers)} predict every recorded neuron with a coincidence factor of {GOOD} or more")


def _known(path) -> dict[int, float]:
    """The lowest factor of the hidden circuits that are in the file, by number."""
    if path is None or not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {int(row["circuit"].split(":")[0]): min(map(float, row["coincidence factor held out"].split())) for row in rows}


def _add(path, row):
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS.split(","), row] if new else [row])


if __name__ == "__main__":
    main()
