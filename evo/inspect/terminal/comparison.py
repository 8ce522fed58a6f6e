"""Runs side by side, as tables for people and as JSON for machines."""

import math

from rich.console import Console
from rich.text import Text

from circuits.errors import harmless
from evo.inspect.finite import finite
from evo.inspect.terminal.plain_table import note, plain_table
from evo.studies.compare import MORE_IS_BETTER, Comparison, Group, Outcome

RUN = 14  # characters of a run's name in a line
WIDTH = {"95 %": 9, "energy": 7, "time": 7}
MEDIANS = ("held_out", "worst", "evaluations_to_target", "excitatory", "inhibitory", "synapses", "energy", "seconds")


def as_json(comparison: Comparison) -> dict:
    """`{"target", "groups": [{"name", "settings", "runs": [...], "medians": {...}}], "effects": [{"group", "beside", "measure",
    "more_is_better", "a", "low", "high", "p"}]}`; null where there is no value, or a run never got there."""
    groups = [
        {
            "name": group.name,
            "settings": group.settings,
            "runs": [{name: finite(value) for name, value in run._asdict().items()} for run in group.runs],
            "medians": {name: finite(group.median(name)) for name in MEDIANS},
        }
        for group in comparison.groups
    ]
    effects = [
        {"group": group.name, "beside": comparison.groups[0].name, "measure": name, "more_is_better": MORE_IS_BETTER[name]}
        | effect._asdict()
        for group, effects in zip(comparison.groups[1:], comparison.effects, strict=True)
        for name, effect in effects.items()
    ]
    return {"target": comparison.target, "groups": groups, "effects": effects}


def show(comparison: Comparison, console: Console):
    """Print a table of the runs by group, and one of the effects."""
    longest = max(len(_name(run)) for group in comparison.groups for run in group.runs)
    for group in comparison.groups:
        if len(comparison.groups) > 1:
            console.print(Text(group.name, style="bold"))
        headings = ("run", "held out", "95 %", "worst", f"to {comparison.target:g}", "E", "I", "syn.", "energy", "time")
        table = plain_table(headings, left=("run",), no_wrap=True)
        for heading, column in zip(headings, table.columns, strict=True):
            column.min_width = WIDTH.get(heading, 0)
        first = table.columns[0]
        first.width, first.overflow, first.no_wrap = min(max(longest, len("median")), RUN), "fold", False
        for run in group.runs:
            table.add_row(Text(_name(run)), *_cells(run))
        if len(group.runs) > 1:
            table.add_row("median", *_medians(group), style="italic")
        console.print(table)
        console.print()
    about = f"to {comparison.target:g}: evaluations until a circuit scored that on validation trials"
    note(console, about)
    if not any(comparison.effects):
        if len(comparison.groups) > 1:
            note(console, "effect sizes take two runs or more of each spec, with other seeds")
        return
    shown = [(group, effects) for group, effects in zip(comparison.groups[1:], comparison.effects, strict=True) if effects]
    console.print("\nhow probable it is that a run does better than one of the first spec")
    effect_table = plain_table(("", *(group.name for group, _ in shown)), left=("",))
    for name in MORE_IS_BETTER:
        cells = (f"{e.a:.2f} ({e.low:.2f}-{e.high:.2f})" if (e := effects.get(name)) else "" for _, effects in shown)
        effect_table.add_row(f"{'higher' if MORE_IS_BETTER[name] else 'lower'} {name.replace('_', ' ')}", *cells)
    console.print(effect_table)
    note(console, "0.5: no difference; in brackets the 95 % confidence interval")


def _name(run: Outcome):
    return harmless(run.run if run.state == "finished" else f"{run.run} ({run.state})")


def _cells(run: Outcome):
    counts = (str(value) for value in (run.excitatory, run.inhibitory, run.synapses))
    interval = "" if math.isnan(run.low) else f"{run.low:.2f}-{run.high:.2f}"
    return (
        _number(run.held_out, ".3f"),
        interval,
        _number(run.worst, ".3f"),
        _number(run.evaluations_to_target, ",.0f"),
        *counts,
        _number(run.energy, ".1f"),
        _number(run.seconds, ".1f", " s"),
    )


def _medians(group: Group):
    held_out, worst, evaluations, *counts, energy, seconds = (group.median(name) for name in MEDIANS)
    shown = (_number(value, ".4g") for value in counts)
    ends = _number(energy, ".1f"), _number(seconds, ".1f", " s")
    return _number(held_out, ".3f"), "", _number(worst, ".3f"), _number(evaluations, ",.0f"), *shown, *ends


def _number(value, form, unit=""):
    return "" if math.isnan(value) else "never" if math.isinf(value) else f"{value:{form}}{unit}"
