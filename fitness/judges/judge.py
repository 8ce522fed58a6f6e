"""Judges, which evaluate circuits for a search. A search knows them by this file alone.

    a population of circuits in  ->  per circuit: objectives (minimised), case scores, measures; what failed, and why

A simulated task is one (`fitness.judges.simulated`), a function of the user's own another (`fitness.judges.function`); a new
kind is a class derived from `Judge` in a file beside them, with its name in `fitness.judges.kind`.

What a judge promises
---------------------
Pure            Its results for a circuit depend on the circuit, on the judge's settings and files and on its seeds: never on
                the time, the process, earlier calls, or the circuits that are judged with it. Where a circuit is judged again
                (`attempts`), it may draw anew for each attempt, and gives the same for the same attempt.
Chunkable       Circuits may be judged all together, one by one, or on many machines: the results are the same, bit for bit.
                It gets at most `max_batch` circuits at once, and in an epoch each circuit once.
Bits            If `exact`, results have the same bits on every machine, so archives have too. Otherwise they have the same bits
                whenever they are computed again on the same machine.
Faults          A circuit with which it fails gets the worst of everything, is marked, and spoils no other. UserError is for
                what fails whatever the circuit, MachineError for what another machine might do.
Racing          If it has a `race`, it can judge after a part of its work (`early`), which changes nothing of its results after
                all of it. The search decides which circuits go on.
Cost            It reports the time of its work, by phase (`Results.seconds`), the share that early stopping left
                (`Results.share`), and before anything is computed the memory that it will take (`memory`).
Warming up      Nothing is compiled, loaded or drawn before the first call. If `warms`, a search makes a miniature epoch with it
                before it begins, on every machine one process at a time.
Remembering     It may keep between calls whatever does not change a result. There is one in a process for each run.
Name and files  Its name is `title`. It is identified by the [task] section of the spec and the contents of the files named
                there (`fitness.checks.collect`): both are in the digest of a run, lie in its folder, and are sent to the
                workers. It reads nothing else.
Read in a run   Its class answers the questions of a run's readers from the [task] section, with nothing of the user's executed:
                how many case scores there are, what the scores mean, how a stored analysis is read. Readers know no names.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.simulation.packed import PackedCircuits
from circuits.simulation.population import Stop
from fitness.base.task import Task
from fitness.base.trials import Interface
from fitness.evaluation.objectives import Objective
from fitness.sandbox.code import Code

if TYPE_CHECKING:
    from fitness.recordings.inference import Ranges

Section = Mapping[str, Any]  # [task] of a spec


class Setup(NamedTuple):
    """Settings of a run's spec that its judge needs, besides its section.

    objectives  names;   seed;   trials, held_out  numbers of cases in the search, and of fresh ones
    seconds     limit of one call into the user's own code;   stop  the rule of early stopping, by the time step
    """

    objectives: tuple[str, ...]
    seed: int
    trials: int
    held_out: int
    seconds: float
    stop: Callable[[float], Stop]


class Candidates(Protocol):
    """Circuits to be judged, in whichever form a judge needs; each form is made when it is asked for."""

    @property
    def dt_ms(self) -> float: ...

    def __len__(self) -> int: ...

    def circuit(self, k: int) -> Circuit:
        """The k-th circuit."""
        ...

    def tables(self, refine: int = 1) -> PackedCircuits:
        """All circuits as the simulator reads them, float32, at a step `refine` times shorter."""
        ...


class Race(NamedTuple):
    """A race of new circuits (successive halving, Jamieson and Talwalkar, AISTATS 2016): all are judged after the first share
    of the work, the best of them after the next, and few after all of it.

    shares  of the work, ascending, the last of them 1;   keep  the share of the circuits that goes on after each
    """

    shares: tuple[float, ...]
    keep: float


class Results(NamedTuple):
    """Results of n circuits.

    objectives  float64 [n, objectives], finite, in the order of `Judge.objectives`, minimised
    score       float64 [n], finite: the figure for readers, larger is better; that of a task is 0 at chance, 1 perfect
    cases       float32 [n, cases], finite: scores on single cases (trials), larger is better: for lexicase selection
    spikes, events  float64 [n]: spikes and synaptic events per trial; NaN where nothing is simulated
    failed      bool [n]: the judge failed with this circuit;   fault  the message about the first, None for none
    share       float64 [n]: of the work that early stopping left, 1 for all of it
    seconds     of the work, by phase
    """

    objectives: np.ndarray
    score: np.ndarray
    cases: np.ndarray
    spikes: np.ndarray
    events: np.ndarray
    failed: np.ndarray
    fault: str | None
    share: np.ndarray
    seconds: dict[str, float]

    @classmethod
    def unmeasured(cls, objectives, score, cases, failed=None, fault=None, seconds=None) -> "Results":
        """The results of a judge that simulates nothing."""
        nothing, n = np.full(len(score), np.nan), len(score)
        failed = np.zeros(n, bool) if failed is None else failed
        return cls(objectives, score, cases, nothing, nothing, failed, fault, np.ones(n), seconds or {})


ARRAYS = tuple(name for name in Results._fields if name not in ("fault", "seconds"))  # of results, a row for each circuit
PUT_OFF = -np.inf  # the ends of a confidence interval that was not asked for


class Fresh(NamedTuple):
    """Scores of n circuits on cases that the search never saw.

    validation  float64 [n]: the score on fresh cases, by which a target is judged and the best are told from the lucky
    held_out    float64 [n]: the score on other fresh cases, by which nothing is chosen
    low, high   float64 [n]: the ends of its 95 % confidence interval, NaN where none can be given
    worst, condition  float64 [n], int [n]: the held-out score in the condition where it is lowest, and the index of that
                condition in `Judge.describe`; NaN and -1 where there are none
    failed      int [n]: on how many of the two kinds of cases the judge failed;   fault, seconds  as those of `Results`
    """

    validation: np.ndarray
    held_out: np.ndarray
    low: np.ndarray
    high: np.ndarray
    worst: np.ndarray
    condition: np.ndarray
    failed: np.ndarray
    fault: str | None = None
    seconds: dict[str, float] = {}

    @classmethod
    def as_searched(cls, score: np.ndarray) -> "Fresh":
        """The score of the search for everything, for a judge that has no fresh cases."""
        n, nothing = len(score), np.full(len(score), np.nan)
        return cls(score, score, nothing, nothing, nothing, np.full(n, -1), np.zeros(n, int))


class Description(NamedTuple):
    """Description of a judge, kept with a run to be read without executing anything.

    conditions  name and number of trials of each condition of the held-out cases, [] for none
    about       its description in words (`fitness.analysis.about`), None for nothing
    examples    stimuli in which circuits can be shown: (spikes bool [trials, steps, channels], labels [trials]), perhaps with
                the signals of sampled channels, float32 [trials, steps, sampled channels]; None without
    """

    conditions: list[tuple[str, int]] = []
    about: dict[str, Any] | None = None
    examples: tuple[np.ndarray | None, ...] | None = None


class Judge(ABC):
    """Base of all judges; the promises are those above.

    title       its name in messages;   rule  what its user has to observe, so that it is pure
    interface   what circuits must have: input channels, output ports, the time step
    objectives  the names of the objectives, as in search.objectives of a spec
    cases       number of case scores of a circuit, None until the first results
    unit_score  are scores 0 at chance and 1 when perfect?
    own         is it the user's own code? Then circuits are judged again now and then, and must get the same results
    exact       see above;   max_batch  largest number of circuits at once
    task        the simulated task behind it, which `evo prune`, the analysis and the pictures of activity need; else None
    analysed    number of the best circuits of a run that it analyses at its end
    analyses    readers of a stored analysis, from its text and the place for messages, by the name of the section of the page
    race        how it judges after parts of its work; None if it cannot
    simulates   are circuits simulated, all on the same trials of `task`? Then these are the cases, and a run keeps examples
    computes    False if the scores come from outside (`evo.Evolver`)
    fits_data   does it compare circuits with what was measured? Then those that explain it equally well are counted
    code_keys   keys of the section that may name the user's own code
    defaults    of [search], where they are not those of a simulated task
    """

    title: str
    interface: Interface
    objectives: tuple[str, ...]
    cases: int | None
    rule: ClassVar[str] = ""
    unit_score: ClassVar[bool] = False
    own: bool = False
    exact: ClassVar[bool] = True
    max_batch: ClassVar[int] = 1000
    warms: ClassVar[bool] = True
    task: Task | None = None
    race: Race | None = None
    analysed: ClassVar[int] = 0
    analyses: ClassVar[Mapping[str, Callable[[str, str], Mapping[str, Any]]]] = {}
    simulates: ClassVar[bool] = False
    computes: ClassVar[bool] = True
    fits_data: ClassVar[bool] = False
    code_keys: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[Mapping[str, Any]] = {"objectives": ["score"], "trials": 1, "held_out": 1}

    def __init__(
        self, section: Section, setup: Setup, objectives: Mapping[str, Objective], source: Code | None = None, folder=Path()
    ):
        """The user's own code is executed, from `source` or else from its file, relative to `folder`. Raises UserError."""
        self.setup, self.objectives, self._objectives = setup, tuple(objectives), dict(objectives)

    @staticmethod
    def check_section(section: Section) -> Any:
        """Check a section, with nothing executed. Raises UserError."""
        return

    @classmethod
    def data_key(cls, section: Section) -> str | None:
        """The key of the section that names a file of data, None for none."""
        return None

    @classmethod
    def neurons_read(cls, section: Section) -> Literal["outputs", "all"]:
        """The neurons whose spikes count, "all" where that is not known."""
        return "all"

    @classmethod
    def docstring(cls, section: Section) -> str | None:
        """The docstring that describes it to readers, "" where the run keeps a description; None if it does not ship."""
        return None

    @classmethod
    def closed_loop(cls, section: Section) -> Task | None:
        """The task, if it is a closed loop that ships: stored examples cannot show inputs that depend on the circuit."""
        return None

    @classmethod
    def comparison(cls, section: Section, folder: Path, interface: Interface) -> Callable[[Circuit, int], Any] | None:
        """The function that puts a circuit's spikes beside measured ones, from the circuit and the seed of the run in `folder`
        (`fitness.recordings.compared`); None where nothing was measured, or the file cannot be read."""
        return None

    @abstractmethod
    def evaluate(self, candidates: Candidates, attempts: np.ndarray | None = None) -> Results:
        """Judge circuits on the cases of the search; attempts, int [n]: how often each has been judged before (None: never)."""

    @abstractmethod
    def validate(self, candidates: Candidates, bounds: bool = True) -> Fresh:
        """Judge a few circuits, the best, on fresh cases. Without `bounds` the confidence intervals, which may take longer than
        all else, can be put off: their ends are then PUT_OFF."""

    def early(self, candidates: Candidates, rung: int) -> Results:
        """The results of circuits that were never judged, after `race.shares[rung]` of the work: the score so far, and the
        worst of every other objective that does not follow from the circuit alone. For judges with a race."""
        raise NotImplementedError

    def check(self, candidates: Candidates) -> str | None:
        """Check, before a run, everything that may fail later, by random circuits if necessary. Returns a remark of one line
        for the user, or None. Raises UserError."""
        return None

    def check_again(self):
        """Check that it still judges by the same cases. Raises UserError."""
        return

    def describe(self) -> Description:
        """The description that is kept with a run."""
        return Description()

    def inferred(self, ranges: "Ranges", rounds: int, rng: np.random.Generator) -> list[Circuit]:
        """Circuits within these ranges that its data suggest, the best first, to begin a search with: `rounds` says how much
        work that may be. Raises UserError for a judge without such data."""
        raise UserError(f"{self.title}: search.founders: inferred: circuits are inferred from a recording alone")

    def memory(self, population: int, archive: int, capacity: int) -> dict[tuple[str, ...], float]:
        """Bytes that it takes in one process with such a population and archive, and circuits of at most `capacity` neurons, by
        the keys of [search] to which they are proportional."""
        return {}

    def analyse(self, motif: Motif, name: str) -> Mapping[str, Any] | None:
        """Why a circuit works, as JSON: `fitness.analysis.Analysis` of a simulated task, `fitness.learning.curve.Curves` of
        learning; None for a judge without analysis. Raises UserError."""
        return None


def judged(judge: Judge, candidates: Any, attempts: np.ndarray | None = None, rung: int | None = None) -> Results:
    """`judge.evaluate`, or `judge.early` at a rung of a race, of at most `judge.max_batch` circuits at once. The candidates can
    be sliced."""

    def results(batch, batch_attempts):
        return judge.evaluate(batch, batch_attempts) if rung is None else judge.early(batch, rung)

    n, limit = len(candidates), judge.max_batch
    if n <= limit:
        return results(candidates, attempts)
    parts = np.array_split(np.arange(n), -(-n // limit))
    return joined([results(candidates[part[0] : part[-1] + 1], None if attempts is None else attempts[part]) for part in parts])


def joined(parts: Sequence[Results]) -> Results:
    """The results of circuits that were judged in parts, in their order."""
    seconds: Counter[str] = Counter()
    for part in parts:
        seconds.update(part.seconds)
    fault = next((part.fault for part in parts if part.fault is not None), None)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    return Results(**columns, fault=fault, seconds=dict(seconds))
