"""Learning as a judge: the score of a circuit is how well a network of copies of it learns.

    [task]
    name = "learning"
    data = "flip-flop"          # `fitness.learning.settings` has the other keys
    trainable = []              # frozen inside: projection and readout learn alone

Each attempt trains from other initial weights, the k-th attempts of all circuits from the same, so that scores are noisy
(search.noisy). New circuits race: all are trained for the first steps, the best for more, and few in full. A paused training
goes on where it stopped while this process remembers it, and is repeated to the same bits elsewhere: pausing changes no result.

The bits of scores depend on the machine (`exact` is False), since the processor's vector instructions determine how PyTorch
rounds sums; so may the circuits that a search finds. On one machine, with one version of PyTorch, everything runs on one thread
and is reproducible bit for bit.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif, digest
from fitness.base.file_data import content_of
from fitness.base.task import PARTS
from fitness.base.trials import Interface
from fitness.evaluation.objectives import WORST
from fitness.judges.answers import CASES, Answer, answer, results
from fitness.judges.judge import Candidates, Description, Fresh, Judge, Race, Results
from fitness.learning.curve import Curves, Learned, from_text, values
from fitness.learning.data import FILES, Data
from fitness.learning.essential import essential
from fitness.learning.settings import NAME, Learning
from fitness.learning.settings import settings as settings_of
from fitness.registry import own_part
from fitness.sandbox.code import is_own
from fitness.scoring.confidence import half_width

DATA = "data"  # the key with the user's own code or file, and its kind in messages
REMEMBERED = 2_000  # paused trainings, and results of the best circuits
FRESH = ("validation", "held_out")


class _Validated(NamedTuple):
    """The trainings of a circuit on fresh trials, none where no network can be made of it."""

    validation: list[Learned]
    held_out: list[Learned]


class LearningJudge(Judge):
    """Judge by learning. Case scores are the recalls of each class.

    A circuit is trained `search.trials` times in the search, and `search.held_out` times in each of the other parts.
    """

    unit_score: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    warms: ClassVar[bool] = False  # a training takes long
    analysed: ClassVar[int] = 3
    analyses: ClassVar[Mapping[str, Any]] = {"learning": from_text}
    code_keys: ClassVar[tuple[str, ...]] = (DATA,)
    check_section = staticmethod(settings_of)
    defaults: ClassVar[Mapping[str, Any]] = {k: v for k, v in Learning.default_spec["search"].items() if v is not None}
    rule: ClassVar[str] = "all that is random must come from the seed, and nothing may depend on the time or earlier calls"

    def __init__(self, section, setup, objectives, source=None, folder=Path()):
        super().__init__(section, setup, objectives)
        s = self.settings = settings_of(section)
        self.title, self.cases, self.own = f"task {NAME}", None, is_own(s.data)
        function = own_part(s.data, DATA, source, setup.seconds, folder) if self.own else None
        content = None if self.own or source is None else content_of(s.data, source)
        where = function, setup.seconds, content, folder
        self.data = Data(s.data, s.settings, s.examples, s.judged, setup.seed, *where)
        self.race = Race(s.shares, s.keep) if s.rungs > 1 else None
        self._paused: dict[tuple[str, int], Any] = {}
        self._fresh: dict[str, _Validated] = {}

    @classmethod
    def data_key(cls, section):
        name = section.get(DATA)
        return DATA if isinstance(name, str) and name.lower().endswith(FILES) and not is_own(name) else None

    @classmethod
    def docstring(cls, section):
        return ""

    @cached_property
    def interface(self) -> Interface:  # type: ignore[override]
        """The channels of a copy, and an output, which matters only where ports are read."""
        return Interface(NAME, tuple(f"in{k}" for k in range(self.settings.channels)), ("out",), self.data.dt_ms, 0.0)

    def evaluate(self, candidates, attempts=None):
        attempts = np.zeros(len(candidates), int) if attempts is None else attempts
        return self._results(candidates, attempts, self.settings.steps)

    def early(self, candidates, rung):
        judged = self._results(candidates, np.zeros(len(candidates), int), self.ends[rung])
        measured = [not objective.structural and name != "score" for name, objective in self._objectives.items()]
        judged.objectives[:, measured] = WORST
        return judged

    @property
    def ends(self) -> tuple[int, ...]:
        """The last training step of each stage of the race."""
        steps = self.settings.steps
        return tuple(max(1, round(share * steps)) for share in self.settings.shares)

    def validate(self, candidates, bounds=True):
        start, n = perf_counter(), len(candidates)
        rows = np.array([self._row(self._validated(candidates.circuit(k))) for k in range(n)]).reshape(n, 4)
        nowhere = np.full(n, np.nan), np.full(n, -1), np.zeros(n, int)
        return Fresh(*rows.T, *nowhere, None, {"train": perf_counter() - start})

    def check(self, candidates):
        """Train the first candidate of which a network can be made, for one step."""
        for k in range(len(candidates)):
            training = self._training(candidates.circuit(k), "search", 0)
            if training is not None:
                training.advance(1)
                return self._remark(training.network)
        raise UserError(
            f"{self.title}: none of {len(candidates)} random circuits has a neuron that is read and that inputs reach"
        )

    def check_again(self):
        first, self.data.sets = self.data.sets("search"), self.data.anew()
        again = self.data.sets("search")
        if not all(
            np.array_equal(a.x, b.x) and np.array_equal(a.targets, b.targets) for a, b in zip(first, again, strict=True)
        ):
            raise UserError(f"{self.data.where}: gives other trials than before with the same seed: {self.rule}")

    def describe(self):
        sets, s = self.data.sets("search"), self.settings
        when = "at every step" if sets.train.every_step else "of every trial"
        text = (
            f"{Learning.__doc__} Data: {s.data}, {sets.train.x.shape[-1]} lines and {sets.train.x.shape[1]} steps of "
            f"{self.data.dt_ms:g} ms; {sets.train.heads} readouts of {sets.train.classes} classes are asked {when}."
        )
        inside = ", ".join(s.trainable) or "nothing"
        judged = f"Trained for {s.steps} steps of {s.batch} trials; inside of copies {inside} learns."
        return Description(about={"text": " ".join(text.split()), "judged": judged, "wanted": {}})

    def memory(self, population, archive, capacity):
        sets = self.data.sets("search")
        trials = float(sum(s.x.nbytes + s.targets.nbytes for s in sets))
        paused = 40.0 * self.settings.parameters * min(population, REMEMBERED)
        # of a training step: inputs and outputs of each neuron at each step of the batch
        step = 64.0 * self.settings.batch * sets.train.x.shape[1] * (sets.train.x.shape[2] + self.settings.parameters / 4)
        return {("trials",): 2 * trials + step, ("population", "trials"): paused * self.setup.trials}

    def analyse(self, motif: Motif, name: str) -> Mapping[str, Any] | None:
        """The learning curves of a circuit."""
        searched = self._learned(motif.circuit, "search", 0, self.settings.steps)
        if searched is None:
            return None
        held_out = self._validated(motif.circuit).held_out
        return Curves(search=searched.curve, held_out=[training.curve for training in held_out], chance=1 / searched.classes)

    def _results(self, candidates: Candidates, attempts, until) -> Results:
        start, n = perf_counter(), len(candidates)
        attempted = [self._attempted(candidates.circuit(k), int(attempts[k]), until) for k in range(n)]
        width = self.cases or max((len(each[0].recall) for each in attempted if each is not None), default=1)
        answers = [self._answer(each) for each in attempted]
        seconds = {"train": perf_counter() - start}
        judged = results(answers, self._objectives, candidates, self.title, width, None, seconds)
        if any(each is not None for each in attempted):
            self.cases = width
        spikes, events = (
            np.array([np.nan if each is None else np.mean([getattr(k, name) for k in each]) for each in attempted])
            for name in ("spikes", "events")
        )
        share = np.full(n, until / self.settings.steps)
        return judged._replace(spikes=spikes, events=events, share=share, failed=np.zeros(n, bool))

    def _attempted(self, circuit, attempt, until) -> list[Learned] | None:
        """The trainings of one attempt; None for a circuit of which no network can be made."""
        trainings = [self._learned(circuit, "search", attempt * self.setup.trials + k, until) for k in range(self.setup.trials)]
        return [learned for learned in trainings if learned is not None] or None

    def _answer(self, trainings) -> Answer | None:
        """The answer about a circuit from its trainings; None where there are none."""
        if trainings is None:
            return None
        each = [values(training, self.settings) for training in trainings]
        means: dict[str, Any] = {name: float(np.mean([figures[name] for figures in each])) for name in each[0]}
        means[CASES] = np.nan_to_num(np.mean([training.recall for training in trainings], axis=0))
        return answer(means, self.title)

    def _learned(self, circuit: Circuit, part, number, until) -> Learned | None:
        """The result of learning after `until` steps, continued from a paused training if there is one."""
        key = digest(circuit), number
        training = self._paused.pop(key, None)
        if training is None or training.step > until:
            training = self._training(circuit, part, number)
        if training is None:
            return None
        training.sets = self._sets(part, number)
        learned = training.advance(until)
        if training.step < self.settings.steps:
            del training.sets  # which may be other trials in each repetition
            _remember(self._paused, key, training)
        return learned

    def _sets(self, part, number):
        """The trials of a repetition: in the search all networks learn from the same, except that groups take turns."""
        return self.data.sets(part, number if part in FRESH or self.data.grouped else 0)

    def _training(self, circuit, part, number):
        """A training that has not begun; None for a circuit in which no neuron that is read is driven, and for an assembly that
        is too large."""
        kept = essential(circuit, self.settings.read)
        if kept is None:
            return None
        import circuits.torch  # noqa: F401, I001 - first: it says what to install where PyTorch is missing
        import torch
        from fitness.learning.network import Sizes, assembled
        from fitness.learning.training import Training

        sets = self._sets(part, number)
        seeds = np.random.SeedSequence((self.setup.seed, PARTS.index(part), number)).generate_state(2, "u4").tolist()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds[0])
            try:
                network = assembled(kept, self.settings, Sizes.of(sets.train, self.data.dt_ms))
            except UserError as error:
                raise UserError(f"{self.title}: {error}") from None
        if len(kept.inputs) > self.settings.channels and self._too_large(network):
            return None  # an assembly, which need not have so many copies
        return Training(network, sets, self.settings, seeds[1], self.ends)

    def _trained(self, circuit, part, number) -> Learned | None:
        training = self._training(circuit, part, number)
        return None if training is None else training.advance()

    def _validated(self, circuit) -> _Validated:
        """The trainings of a circuit on fresh trials. Remembered."""
        key = digest(circuit)
        if key not in self._fresh:
            trained = ([self._trained(circuit, part, k) for k in range(self.setup.held_out)] for part in FRESH)
            validated = _Validated(*([learned for learned in part if learned is not None] for part in trained))
            _remember(self._fresh, key, validated)
        return self._fresh[key]

    def _row(self, validated: _Validated):
        """The validation score, the held-out score, and the ends of its 95 % confidence interval."""
        validation, held_out = (np.array([learned.score(self.settings) for learned in part]) for part in validated)
        if not len(held_out):
            return -WORST, -WORST, np.nan, np.nan
        mean, half = held_out.mean(), half_width(held_out)
        return validation.mean(), mean, mean - half, min(mean + half, 1.0)  # no score is above 1

    def _too_large(self, network):
        """Has a single copy far more parameters than the settings ask for?"""
        return self.settings.copies is None and network.parameter_count > 1.5 * self.settings.parameters

    def _remark(self, network):
        """A remark for the user on the size of networks, None for none."""
        if self._too_large(network):
            return (
                f"{self.title}: parameters: one copy alone has {network.parameter_count:,}, more than "
                f"{self.settings.parameters:,}: combine the channels of the data by features, or raise parameters"
            )
        return None


def _remember(entries: dict, key, value):
    """Add an entry, without the oldest ones beyond `REMEMBERED`."""
    entries[key] = value
    while len(entries) > REMEMBERED:
        del entries[next(iter(entries))]
