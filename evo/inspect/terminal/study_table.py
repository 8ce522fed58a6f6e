"""A study as tables for people and as JSON for machines."""

import math
from collections import Counter
from typing import Any

from rich.console import Console
from rich.text import Text

from circuits.errors import harmless
from evo.inspect.finite import finite
from evo.inspect.terminal.plain_table import note, plain_table
from evo.studies.study.folder import Study
from evo.studies.study.intervals import Estimate
from evo.studies.study.summary import StudySummary, Test

MEASURES = {
    "evaluations": "fewer evaluations to the target",
    "core_seconds": "fewer core seconds to the target",
    "held_out": "higher held-out score",
}


def status_as_json(study: Study) -> dict[str, Any]:
    """`{"state", "runs", "over", "reached", "evaluations", "core_seconds", "arms": [{"name", "runs", "over", "reached"}]}`."""
    arms = [
        {"name": arm.name, "runs": len(runs := study.arm(arm.name)), "over": sum(r.over for r in runs)}
        | {"reached": sum(r.reached for r in runs), "states": dict(Counter(r.state for r in runs))}
        for arm in study.design.arms
    ]
    return {
        "state": study.state,
        "runs": len(study.runs),
        "over": sum(run.over for run in study.runs),
        "reached": sum(run.reached for run in study.runs),
        "evaluations": sum(run.evaluations for run in study.runs),
        "core_seconds": sum(run.core_seconds for run in study.runs),
        "arms": arms,
    }


def show_status(study: Study, console: Console):
    """Print the progress of each arm's runs."""
    status = status_as_json(study)
    line = f"{harmless(str(study.folder))}: {status['state']}, {status['over']} of {status['runs']} runs are over"
    line += f", {status['reached']} reached {_target(study)}"
    console.print(Text(f"{line}; {status['evaluations']:,} evaluations, {status['core_seconds']:,.0f} s of a core"))
    table = plain_table(("", "over", "reached", "running", "stopped", "waiting"), left=("",))
    for arm in status["arms"]:
        counts = (arm["states"].get(state, 0) for state in ("running", "stopped", "waiting"))
        table.add_row(Text(harmless(arm["name"])), f"{arm['over']}/{arm['runs']}", str(arm["reached"]), *map(_count, counts))
    console.print(table)


def as_json(summary: StudySummary) -> dict[str, Any]:
    """`{"arms": [{"name", "task", "runs", "over", "reached", "share", "evaluations", ...}], "tests": [{"arm", "beside",
    "measure", "a", "low", "high", "p", "holm"}], "methods"}`; estimates are `{"value", "low", "high"}`, null where there is no
    value or it was not reached."""
    arms = [
        {key: _estimate_as_json(value) if isinstance(value, Estimate) else value for key, value in arm._asdict().items()}
        for arm in summary.arms
    ]
    tests = [
        {"arm": test.arm, "beside": test.beside, "measure": test.measure}
        | {"a": test.effect.a, "low": test.effect.low, "high": test.effect.high, "p": test.p, "holm": test.holm}
        for test in summary.tests
    ]
    return {"arms": arms, "tests": tests, "methods": summary.methods}


def _estimate_as_json(estimate: Estimate) -> dict[str, Any]:
    return {key: finite(value) for key, value in estimate._asdict().items()}


def show(study: Study, summary: StudySummary, console: Console):
    """Print a table of the arms, one of the tests, and the sentence for a methods section."""
    table = plain_table(("", "runs", "reached", "evaluations", "core s", "held out", "worst"), left=("",))
    for arm in summary.arms:
        share = f"{arm.reached}/{arm.over} ({arm.share.low:.0%}-{arm.share.high:.0%})" if arm.over else ""
        runs = str(arm.runs) if arm.over == arm.runs else f"{arm.over} of {arm.runs}"
        spent = _estimate(arm.evaluations, ",.0f"), _estimate(arm.core_seconds, ",.1f")
        table.add_row(
            Text(harmless(arm.name)), runs, share, *spent, _estimate(arm.held_out, ".3f"), _estimate(arm.worst, ".3f")
        )
    console.print(table)
    note(console, f"evaluations, core s: until {_target(study)} was reached; medians, with 95 % intervals")
    if summary.tests:
        console.print("\nhow probable it is that a run does better than one of the first arm of its task")
        tests = plain_table(("", "beside", "", "A", "95 %", "p", "Holm"), left=("", "beside"))
        for test in summary.tests:
            tests.add_row(*map(Text, _test(test)))
        console.print(tests)
        note(console, "A: 0.5 is no difference; Holm: p corrected for all of these tests")
    console.print(f"\n{summary.methods}", soft_wrap=True, highlight=False)


def _test(test: Test):
    interval = f"{test.effect.low:.2f}-{test.effect.high:.2f}"
    names = harmless(test.arm), harmless(test.beside), MEASURES[test.measure]
    return *names, f"{test.effect.a:.2f}", interval, _p(test.p), _p(test.holm)


def _target(study):
    worst = study.design.worst
    return f"{study.design.target:g}" + (f" (worst condition {worst:g})" if worst is not None else "")


def _estimate(estimate: Estimate, form: str) -> str:
    if math.isnan(estimate.value):
        return ""
    value, low, high = (f"{x:{form}}" if math.isfinite(x) else "never" for x in estimate)
    return value if value == low == high else f"{value} ({low}-{high})"


def _p(p):
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _count(count):
    return str(count) if count else ""
