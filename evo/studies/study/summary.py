"""The summary of a study: results and costs of each arm, tests between arms of the same task, and a paragraph for a methods
section."""

import math
import platform
from collections.abc import Sequence
from typing import NamedTuple

from evo.studies.effect import Effect, effect
from evo.studies.study.design import Arm, Design
from evo.studies.study.folder import Study, StudyRun
from evo.studies.study.intervals import SAMPLES, Estimate, holm, log_rank, median, median_until, share


class ArmSummary(NamedTuple):
    """The summary of an arm's runs that are over.

    task                   or another judge
    runs, over, reached    numbers of runs, of those that are over, and of those that reached the target
    share                  that reached the target, with Wilson's interval
    evaluations, core_seconds   to the target, medians by Kaplan and Meier with bootstrap intervals
    held_out, worst        medians with bootstrap intervals
    """

    name: str
    task: str
    runs: int
    over: int
    reached: int
    share: Estimate
    evaluations: Estimate
    core_seconds: Estimate
    held_out: Estimate
    worst: Estimate


class Test(NamedTuple):
    """A test of an arm beside the first one of its task.

    measure   evaluations or core_seconds to the target, by the log-rank test; held_out, by Mann and Whitney's
    effect    the probability that a run of the arm does better (`evo.studies.effect`); runs that did not reach the target
              count as worse than any that did
    p, holm   two-sided p, and corrected for all tests of the study
    """

    arm: str
    beside: str
    measure: str
    effect: Effect
    p: float
    holm: float


class StudySummary(NamedTuple):
    """The summary of a study; methods: the paragraph for a methods section."""

    arms: list[ArmSummary]
    tests: list[Test]
    methods: str


def summed_up(study: Study) -> StudySummary:
    """Sum up the runs of a study that are over."""
    design = study.design
    over = {arm.name: [run for run in study.arm(arm.name) if run.over] for arm in design.arms}
    return StudySummary([_arm(design, arm, over[arm.name]) for arm in design.arms], _tests(design, over), methods(design))


def _arm(design: Design, arm: Arm, runs: Sequence[StudyRun]) -> ArmSummary:
    reached = [run.reached for run in runs]
    return ArmSummary(
        arm.name,
        arm.task,
        len(design.seeds),
        len(runs),
        sum(reached),
        share(sum(reached), len(runs)),
        median_until([run.evaluations_to_target for run in runs], reached),
        median_until([run.core_seconds_to_target for run in runs], reached),
        median([run.held_out for run in runs]),
        median([run.worst for run in runs]),
    )


def _tests(design: Design, over: dict[str, list[StudyRun]]) -> list[Test]:
    first: dict[str, str] = {}
    tests = []
    for arm in design.arms:
        beside = first.setdefault(arm.task, arm.name)
        if arm.name != beside and min(len(over[arm.name]), len(over[beside])) >= 2:
            for measure, by, p in _measured(over[arm.name], over[beside]):
                tests.append(Test(arm.name, beside, measure, by, p, math.nan))
    corrected = holm([test.p for test in tests])
    return [test._replace(holm=p) for test, p in zip(tests, corrected, strict=True)]


def _measured(runs: Sequence[StudyRun], reference: Sequence[StudyRun]):
    """Measure, effect and p of each test of two arms."""
    arms = runs, reference
    reached = [[run.reached for run in arm] for arm in arms]
    for measure in ("evaluations", "core_seconds"):
        spent = [[getattr(run, f"{measure}_to_target") for run in arm] for arm in arms]
        ranked = [
            [x if is_reached else math.inf for x, is_reached in zip(*pair, strict=True)]
            for pair in zip(spent, reached, strict=True)
        ]
        yield measure, effect(ranked[1], ranked[0]), log_rank(spent[0], reached[0], spent[1], reached[1])
    scores = effect([run.held_out for run in runs], [run.held_out for run in reference])
    yield "held_out", scores, scores.p


def methods(design: Design) -> str:
    """A paragraph for a methods section: versions, seeds, budgets, and statistics."""
    versions = ", ".join(f"{name} {version}" for name, version in design.versions.items() if name != "evocircuits")
    worst = f" and at least {design.worst:g} in the worst condition" if design.worst is not None else ""
    over = " and was ended there" if design.until_target else ""
    return (
        f"Circuits were evolved with evocircuits {design.versions.get('evocircuits', '')} (Python {platform.python_version()}, "
        f"{versions}): {_count(len(design.arms), 'search')} ({'; '.join(_budgets(design))}), each with "
        f"{_count(len(design.seeds), 'seed')} ({_shown(design.seeds)}). A run reached the target{over} in the first generation "
        f"in which the circuit that did best on validation trials scored at least {design.target:g} on held-out trials{worst}. "
        f"Shares are given with 95 % Wilson intervals, medians with 95 % percentile bootstrap intervals ({SAMPLES:,} samples); "
        "medians of evaluations and core seconds to the target are those of Kaplan and Meier's estimate, with runs that did "
        "not reach it censored at their end. Arms were compared with the first of their task by the log-rank test (evaluations "
        "and core seconds to the target) and the Mann-Whitney test (held-out scores), two-sided, with p values corrected by "
        "Holm's method."
    )


def _budgets(design: Design) -> list[str]:
    """The budgets of the arms, each once with its arms."""
    arms_by_budget: dict[str, list[str]] = {}
    for arm in design.arms:
        s = arm.spec(design.seeds[0]).search
        limits = [f"{s.generations:,} generations"]
        limits += [f"{s.evaluations:,} circuits"] if s.evaluations is not None else []
        limits += [f"{s.seconds:g} s of a core"] if s.seconds is not None else []
        ends = f", or until a score of {s.target:g} on validation trials" if s.target is not None else ""
        stagnant = f", or {s.stagnation:,} generations without a better circuit" if s.stagnation is not None else ""
        size = f"{s.islands} x {s.population}" if s.islands > 1 else f"{s.population}"
        after = ", doubled after epochs without progress" if s.growth == "stagnation" else ""
        grows = f" ({s.initial_population} at first{after})" if s.initial_population is not None else ""
        bred = f", {s.offspring} offspring in a generation" if s.offspring is not None else ""
        text = f"{s.algorithm}, population {size}{grows}{bred}, at most {' or '.join(limits)}{ends}{stagnant}"
        arms_by_budget.setdefault(text, []).append(arm.name)
    return [f"{', '.join(names)}: {text}" for text, names in arms_by_budget.items()]


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 'es' if noun.endswith('ch') else 's'}"


def _shown(seeds: Sequence[int]) -> str:
    """Seeds in few words: 1 to 20, or 3, 5, 8."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))
