"""Evolved circuits beside a measured connectome: the table and the figure."""

import math
from pathlib import Path

from rich.console import Console
from rich.text import Text

from circuits.drawing.canvas import Figure, own_style
from evo.inspect import pictures
from evo.inspect.finite import finite
from evo.inspect.terminal.plain_table import note, plain_table
from evo.studies.motifs.against import LEVEL, Against, Side
from evo.studies.motifs.signed_graphs import BETWEEN

SIDES = ("evolved", "measured")


def as_json(comparison: Against) -> dict:
    """`{"evolved": {...}, "measured": {...}}`; numbers that are infinite or were not tested are null."""
    return {name: _side(side) for name, side in zip(SIDES, comparison, strict=True)}


def _side(side: Side) -> dict:
    rows = [
        {"motif": motif.name, "pattern": motif.pattern} | {k: finite(v) for k, v in excess._asdict().items()}
        for motif, excess in zip(BETWEEN, side.motifs, strict=True)
    ]
    return side._asdict() | {"motifs": rows, "false_positives": finite(side.false_positives)}


def show(comparison: Against, console: Console):
    """Print the number of each motif, beside its number in graphs of the same degrees."""
    for name, side in zip(SIDES, comparison, strict=True):
        graphs = f"{side.graphs} graphs" if side.graphs > 1 else "1 graph"
        size = f"{side.excitatory} E and {side.inhibitory} I neurons, {side.connections:,} connections"
        wrong = f"{side.false_positives:.1%} of {side.tests} tests on graphs drawn from the null come out below {LEVEL}"
        console.print(Text(f"{name:10}{graphs}, {size}; {wrong}"))
    headings = [heading for name in SIDES for heading in (name, "by degrees", "ratio", "p")]
    table = plain_table(("motif", *headings), left=("motif",))
    for k, motif in enumerate(BETWEEN):
        cells = [cell for side in comparison for cell in _cells(side.motifs[k])]
        table.add_row(motif.name, *cells)
    console.print()
    console.print(table)
    note(
        console,
        "\nBy degrees: the mean of graphs that keep every neuron's sign, how many it projects to, and how many E and I neurons "
        f"project to it. p: of as many or more by chance, corrected for the motifs; * below {LEVEL}",
    )


def _cells(excess):
    p = "" if math.isnan(excess.corrected) else f"{excess.corrected:.3f}{'*' if excess.corrected < LEVEL else ' '}"
    ratio = "" if not math.isfinite(excess.ratio) else f"{excess.ratio:.2f}"
    return f"{excess.number:,}", f"{excess.mean:,.1f}", ratio, p


def draw(comparison: Against, path: Path) -> Path:
    """Write the figure; the format is that of the file's ending."""
    return pictures.save(picture(comparison), path)


@own_style({"font.size": 8})
def picture(comparison: Against) -> Figure:
    """The ratio of each motif's number to that in graphs of the same degrees, for both sides; filled where significant."""
    figure = Figure(figsize=(6.5, 3.2))
    ax = figure.add_axes((0.32, 0.16, 0.64, 0.78))
    for name, side, colour, shift in zip(SIDES, comparison, ("#b3432b", "#2b6cb3"), (-0.14, 0.14), strict=True):
        for k, excess in enumerate(side.motifs):
            if math.isfinite(excess.ratio) and excess.ratio > 0:
                face = colour if excess.corrected < LEVEL else "white"
                ax.plot(excess.ratio, k + shift, "o", color=colour, markerfacecolor=face, label=name if not k else None)
    ax.axvline(1, color="0.7", linewidth=0.8)
    ax.set_xscale("log")
    ax.set_yticks(range(len(BETWEEN)), [motif.name for motif in BETWEEN])
    ax.invert_yaxis()
    ax.set_xlabel("number, relative to graphs of the same signs and degrees (filled: corrected p < 0.05)")
    ax.legend(frameon=False)
    return figure
