"""Rivals in processes and environments of their own (`make rivals`), each on one core; how they answer: rivals/protocol.py."""

import json
import os
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple

import numpy as np

from circuits import Circuit
from circuits.simulation.simulate import simulate
from tests.bench.report import figure, skipped
from tests.bench.yardstick_job import circuit_of

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "rivals"
SAME_SPIKES = 0.01  # float32 and other orders of summation move single spikes; a wrong set-up moves far more
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


class AbsentError(Exception):
    """This rival cannot be asked here; the message says why."""


class Entry(NamedTuple):
    """A rival: its name, its script in `SCRIPTS`, its environment at the root, more arguments for the script."""

    name: str
    script: str
    environment: str
    more: tuple[str, ...] = ()


TORCH = Entry("torch step loop", "torch_loop.py", ".venv")
RIVALS = (
    Entry("Brian2 C++ standalone", "brian2_standalone.py", ".venv-brian2"),
    Entry("NEST iaf_psc_exp", "nest_iaf.py", ".venv-nest"),
    Entry("JAX scan, trials last", "jax_scan.py", ".venv-rivals-jax", ("delays",)),
    Entry("JAX vmap and scan", "jax_scan.py", ".venv-rivals-jax", ("vmap",)),
    Entry("JAX scan, trials last", "jax_scan.py", ".venv-rivals-jax"),
    TORCH,
    Entry("snnTorch RSynaptic", "snntorch_rsynaptic.py", ".venv-rivals-torch"),
    Entry("Norse LIFRecurrent", "norse_lif.py", ".venv-rivals-torch"),
)


class Rival:
    """A rival's process, set up, warm and waiting. Raises AbsentError if it cannot be had.

    about  version; spikes (of each neuron); leaves_out: parts of the job that it has not;
    build_seconds, of some: what each circuit costs before it runs
    """

    def __init__(self, entry: Entry, job_file: Path):
        self.entry = entry
        python = ROOT / entry.environment / "bin" / "python"
        if not python.exists():
            raise AbsentError(f"there is no {entry.environment} (make rivals)")
        self._log = TemporaryFile("w+", errors="replace")  # noqa: SIM115 until close()
        self._process = subprocess.Popen(
            [python, SCRIPTS / entry.script, job_file, *entry.more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        try:
            self.about = json.loads(self._answer())
            if "absent" in self.about:
                raise AbsentError(f"{self.about['absent']} in {entry.environment} (make rivals)")
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What it is, and what its figures are without."""
        missing = self.about["leaves_out"]
        without = ", without delays" if "delays" in missing else ""
        simpler = ", simpler equations" if set(missing) - {"delays"} else ""
        return f"{self.entry.name} {self.about['version']}{without}{simpler}"

    def go(self) -> float:
        """One run of the job; the seconds that the rival says it took."""
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._answer())

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            said = self._log.read().strip().splitlines()
            raise AbsentError(f"it stopped: {said[-1] if said else 'without a word'}")
        return line


@contextmanager
def contest(job, entries=RIVALS, more=()):
    """The rivals that can be asked and simulate the job rightly, ready to go; the others are named with the reason. `more`
    names further parts of the job for them."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = write_job(job, Path(folder) / "job.npz", more)
        ready = []
        for entry in entries:
            try:
                rival = Rival(entry, path)
            except AbsentError as absent:
                skipped(" ".join([entry.name, *entry.more]), absent)
                continue
            stack.callback(rival.close)
            if same_simulation(rival, job):
                ready.append(rival)
        yield ready


def same_simulation(rival, job) -> bool:
    """Whether its spikes are ours (float64), where its equations are; a rival set up wrongly is no rival."""
    leaves_out = set(rival.about["leaves_out"])
    ours, theirs = expected_spikes(job, delays="delays" not in leaves_out), np.array(rival.about["result"])
    ratio = theirs.sum() / ours.sum()
    same = "each neuron's" if np.array_equal(ours, theirs) else "in all"
    if leaves_out - {"delays"}:
        same = "other equations"
    elif abs(ratio - 1) > SAME_SPIKES:
        skipped(rival.name, f"it does not simulate this job: {theirs.sum()} spikes, ours {ours.sum()}")
        return False
    figure(f"spikes, {rival.name}", theirs.sum().item(), "spikes", f"ours: {ours.sum()}, {same}", ratio)
    return True


def expected_spikes(job, delays=True) -> np.ndarray:
    """Spikes of each neuron over all trials in our float64 reference, int64 [neurons]; without delays, all are one step."""
    spikes = np.ascontiguousarray(job.spikes.transpose(2, 0, 1))
    return simulate(circuit_for(job, delays), spikes).counts().sum(axis=0)


def circuit_for(job, delays=True) -> Circuit:
    """The job's circuit, as it is or with every delay one step."""
    circuit = circuit_of(job)
    if delays:
        return circuit
    synapses = [s.model_copy(update={"delay_ms": job.dt}) for s in circuit.synapses]
    return circuit.model_copy(update={"synapses": synapses})


def write_job(job, path: Path, more=()) -> Path:
    """The job as arrays: times in ms, delays in steps, an input spike of row k arrives in step k + 1; `more` names others."""
    np.savez(
        path,
        **{name: getattr(job, name) for name in ("neurons", "channels", "dt", "tau_m", "tau_e", "tau_i", "t_ref", *more)},
        **{name: job.synapses[name] for name in ("pre", "post", "weight", "delay")},
        **{f"input_{name}": job.inputs[name] for name in ("channel", "post", "weight")},
        excitatory=job.excitatory,
        spikes=job.spikes,
    )
    return path


@contextmanager
def one_core():
    """This process, and those that it starts meanwhile, on one and the same core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
