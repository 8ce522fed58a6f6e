"""Hidden circuits recovered from recordings of some of their neurons: python -m tests.bench.bench_recovery [FIRST] [COUNT]

Each hidden circuit has 2 to 5 neurons, 1 to 3 of them recorded, and gets three Poisson trains; twenty seconds are recorded, of
which the last four are held out. The search is given the CSV file and runs/recordings/recovery.toml, whose bounds are wider
than what the hidden circuit was drawn from. The circuit is chosen by its validation score. Reported is the coincidence factor
at 2 ms of every recorded neuron on the time held out, and whether the wiring of its core is the hidden one's.
"""

import sys
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

SPEC = Path(__file__).parents[2] / "runs" / "recordings" / "recovery.toml"
POLISH = {"search.algorithm": "cma", "search.islands": "1", "search.population": "60"}


def case(k: int) -> Hidden:
    """The k-th hidden circuit of the twenty."""
    neurons = 2 + k % 4
    return hidden(k, neurons, recorded=1 + k % min(3, neurons))


def recover(found: Hidden, folder: Path, workers=0, seconds: float | None = None):
    """The run on the recording, and the circuit that does best on validation windows."""
    (folder / "cell.csv").write_text(to_csv(found.recording), encoding="utf-8")
    spec = folder / "recovery.toml"
    spec.write_text(SPEC.read_text(encoding="utf-8"), encoding="utf-8")
    return evo.run(spec, folder / "run", workers=workers, seconds=seconds)


def factors(run):
    """The coincidence factors held out, by neuron, of the member of the front that is best on validation windows."""
    best = max(run.front, key=lambda member: np.nan_to_num(member.validation, nan=-1.0))
    task = read_alone(run.folder / "run.toml").make_task(checked_code(run.spec, run.folder))
    trials = task.trials_of("held_out", run.spec.search.seed, run.spec.search.held_out)
    return best, task.figures_of(task.evaluate(best.circuit, trials, "float32"), trials)


def main():
    first, count = (int(text) for text in [*sys.argv[1:], "0", "20"][:2]) if len(sys.argv) > 1 else (0, 20)
    good = 0
    print("hidden (recorded)  evaluations  seconds  validation  held out: coincidence factors      circuit     same wiring")
    for k in range(first, first + count):
        one = case(k)
        with TemporaryDirectory() as folder:
            start = time.monotonic()
            run = recover(one, Path(folder))
            seconds = time.monotonic() - start
            best, by_neuron = factors(run)
        good += min(by_neuron.values()) >= 0.95
        same = canonical_form(live(best.circuit)) == canonical_form(live(one.circuit))
        e, i = int(one.circuit.excitatory.sum()), int((~one.circuit.excitatory).sum())
        figures = " ".join(f"{value:.3f}" for value in by_neuron.values())
        print(
            f"{k:2} {e} E {i} I ({len(by_neuron)})  {run.evaluations:12,} {seconds:8.0f} {best.validation:11.3f}  {figures:34} "
            f"{best.excitatory} E {best.inhibitory} I   {'yes' if same else 'no'}",
            flush=True,
        )
    print(f"{good} of {count} predict every recorded neuron with a coincidence factor of 0.95 or more")


if __name__ == "__main__":
    main()
