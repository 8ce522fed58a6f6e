"""Results of `evo motifs`, as tables for people and as JSON for machines."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from circuits.errors import harmless
from evo.inspect.finite import finite
from evo.inspect.terminal.plain_table import note, plain_table
from evo.storage.front import Member
from evo.studies.motifs import Motifs, same_interface
from evo.studies.motifs.necessary import Necessity
from evo.studies.motifs.overrepresented import Finding

SHOWN = 10
SIGNIFICANT = 0.05
_WIDE = 110  # columns from which wirings and patterns are written out


def as_json(motifs: Motifs, necessity: Sequence[Necessity] | None = None) -> dict:
    """`{"runs": [...], "wirings": [...], "named": [...], "subgraphs": [...], "exact_size_share": ...}`, and "necessity" where
    connections were cut. Numbers that are infinite or were not tested are null."""
    cut = {} if necessity is None else {"necessity": [row._asdict() for row in necessity]}
    return cut | {
        "runs": [
            {
                "folder": str(w.run.folder),
                "task": w.run.spec.task,
                "seed": w.run.spec.search.seed,
                "best_held_out": w.run.front[0].held_out,
                **worst_of(w.run.front[0], "best_"),
                "equals": [m.rank for m in w.equals],
                "simplest": w.simplest.rank,
            }
            for w in motifs.winners
        ],
        "wirings": [
            {
                "form": row.form.digest,
                "parts": row.form.parts,
                "connections": row.form.connections,
                "wiring": row.form.text,
                "runs": [str(run.folder) for run in row.runs],
                "best": {
                    "folder": str(row.run.folder),
                    "rank": row.member.rank,
                    "held_out": row.member.held_out,
                    **worst_of(row.member),
                },
            }
            for row in motifs.recurring
        ],
        "named": [_finding(f) for f in motifs.named],
        "subgraphs": [_finding(f) for f in motifs.subgraphs],
        "exact_size_share": motifs.exact,
    }


def worst_of(member: Member, before: str = "") -> dict:
    """The score in a circuit's worst condition, and that condition; null where its task has none."""
    name = member.condition and member.condition.name
    return {f"{before}worst": member.worst if name else None, f"{before}worst_condition": name}


def _finding(f: Finding) -> dict:
    chances = {
        name: {key: finite(value) for key, value in chance._asdict().items()}
        for name, chance in (("of_size", f.of_size), ("drifted", f.drifted))
    }
    return {"name": f.name or None, "pattern": f.pattern, "mean": f.mean, "share": f.share, **chances}


def significant(f: Finding) -> bool:
    """Is the motif more frequent than by chance in a circuit of this size? False if it was not tested (NaN)."""
    return f.of_size.corrected < SIGNIFICANT


def show(motifs: Motifs, console: Console, necessity: Sequence[Necessity] | None = None):
    """Print the wirings of more than one run, the named motifs, other significant subgraphs, and what cuts cost."""
    best = sorted(w.run.front[0].held_out for w in motifs.winners)
    tasks = harmless(", ".join(dict.fromkeys(w.run.spec.judged_by for w in motifs.winners)))
    runs = f"{len(best)} runs" if len(best) > 1 else "1 run"
    worst = sorted(m.worst for w in motifs.winners if (m := w.run.front[0]).condition)
    uneven = f"; in their worst conditions {worst[0]:.3f} to {worst[-1]:.3f}" if worst else ""
    console.print(Text(f"{runs} of {tasks}, best held-out scores {best[0]:.3f} to {best[-1]:.3f}{uneven}\n"))
    _wirings(motifs, console)
    console.print()
    console.print(_motifs("motif", [(f.name, f) for f in motifs.named], console))
    rest = [(f.pattern, f) for f in motifs.subgraphs if significant(f)]
    console.print(
        Text(f"\n{len(rest)} of {len(motifs.subgraphs)} subgraphs come up more often than by chance in a circuit of this size")
    )
    if rest:
        console.print(_motifs("subgraph", rest[:SHOWN], console))
    note(
        console,
        "\nmean: per circuit, which is of each run the smallest that does as well as its best. Chance: genomes changed by the "
        f"same operators without selection, held to the same size ({motifs.exact:.0%} have it exactly), or as old. Ratio: mean "
        "to that by chance. p: of as many or more by chance, corrected for the rows tested; * below 0.05",
    )
    if necessity is not None:
        _necessity(necessity, console)


def _necessity(rows, console):
    headings = ("motif", "loss", "others", "circuits", "p ")
    table = plain_table(headings, left=("motif",), no_wrap=True)
    for row in rows:
        table.add_row(Text(row.name), f"{row.loss:.3f}", f"{row.others:.3f}", str(row.circuits), _p(row.corrected))
    console.print()
    console.print(table)
    note(
        console,
        "\nloss: of score, mean over connections of the motif, each cut by itself. Others: mean over other connections of the "
        "same kinds (E or input to I, ...) in the same circuits; circuits whose connections of a kind are all the motif's tell "
        "nothing of it. p: of such a difference if it did not matter which connections the motif has, corrected for the rows; "
        "* below 0.05",
    )


def _wirings(motifs, console):
    recurring = [row for row in motifs.recurring if len(row.runs) > 1]
    if not recurring:
        console.print(f"no wiring came up in more than one run ({len(motifs.recurring)} different ones)", highlight=False)
        return
    if not same_interface(motifs.winners):
        console.print("the runs differ in inputs or outputs: these are not told apart", highlight=False)
    headings = ("wiring", "runs", "E", "I", "connections", "best", "worst", "in", "")
    table = plain_table(headings, left=("wiring", "in", ""), no_wrap=True)
    table.columns[-1].no_wrap = False
    for row in recurring[:SHOWN]:
        kinds = [part[0] for part in row.form.parts if part[0] in "EI"]
        inner = sum(not row.form.parts[target].startswith("output") for _, target, _ in row.form.connections)
        example = Text(f"{harmless(row.run.name)} rank {row.member.rank}")
        scores = (f"{row.member.held_out:.3f}", f"{row.member.worst:.3f}" if row.member.condition else "")
        numbers = (len(row.runs), kinds.count("E"), kinds.count("I"), inner, *scores)
        table.add_row(
            row.form.digest, *map(str, numbers), example, Text(harmless(row.form.text) if console.width >= _WIDE else "")
        )
    console.print(table)
    if len(recurring) > SHOWN:
        console.print(f"and {len(recurring) - SHOWN} more: --json has them all", highlight=False)


def _motifs(heading, rows, console):
    wide = console.width >= _WIDE
    headings = (heading, "mean", "share", "same size", "ratio", "p ", *(("as old", "ratio", "p ") if wide else ()))
    table = plain_table(headings, left=(heading,), no_wrap=heading == "motif")
    if wide:
        table.add_column("pattern" if heading == "motif" else "name")
    for name, f in rows:
        cells = [f"{f.mean:.2f}", f"{f.share:.0%}", *_chance_cells(f.of_size)]
        if wide:
            cells += [*_chance_cells(f.drifted), Text(f.pattern if heading == "motif" else f.name)]
        table.add_row(Text(name), *cells)
    return table


def _chance_cells(chance):
    """The mean, the ratio and the p-value of a Chance as text."""
    if math.isnan(chance.p):
        return f"{chance.mean:.2f}", "-", "- "
    return f"{chance.mean:.2f}", f"{chance.ratio:.1f}", _p(chance.corrected)


def _p(corrected):
    return ("<0.001" if corrected < 0.001 else f"{corrected:.3f}") + ("*" if corrected < SIGNIFICANT else " ")
