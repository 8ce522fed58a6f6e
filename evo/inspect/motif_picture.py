"""Figure of `evo motifs`: the wirings that recurred, and the motifs."""

from pathlib import Path

from circuits.circuit import Circuit, InputChannel, InputSynapse, Synapse
from circuits.drawing.canvas import Figure, own_style
from circuits.drawing.layout import COLUMN, ROW, Part, Place, positions
from circuits.graph.subgraphs import INPUT, Subgraph
from circuits.neurons import Neuron
from evo.inspect import pictures
from evo.inspect.terminal.motif_table import significant
from evo.studies.motifs import Motifs
from evo.studies.motifs.overrepresented import Finding

WIRINGS, MOTIFS, ACROSS = 3, 12, 4
_WIDTH, _CAPTION, _MOTIF = 10.0, 0.45, 1.1  # inches: the picture, a caption, a motif below it
_LEFT, _RIGHT, _TOP = (0.0, -0.6), (0.8, -0.6), (0.4, 0.6)


def draw(motifs: Motifs, path: Path) -> Path:
    """Write the picture; the format is that of the file's ending."""
    return pictures.save(picture(motifs), path)


@own_style({"font.size": 8})
def picture(results: Motifs) -> Figure:
    """Up to 3 wirings of more than one run, and up to 12 significant motifs, those with a name first."""
    recurring = [row for row in results.recurring if len(row.runs) > 1][:WIRINGS]
    named = [f for f in results.named if significant(f)]
    others = [f for f in results.subgraphs if significant(f) and f.drawn not in [n.drawn for n in named]]
    motifs = [*named, *others][:MOTIFS]
    high = max((_inches(row.circuit) for row in recurring), default=0.0)
    height = (_CAPTION + high) * bool(recurring) + (_CAPTION + _MOTIF) * -(-len(motifs) // ACROSS) or _CAPTION
    figure = Figure(figsize=(_WIDTH, height))

    def cell(across, columns, top, inches, caption):
        """Axes below a caption, `top` inches from the top."""
        figure.text((across + 0.5) / columns, 1 - (top + 0.1) / height, caption, ha="center", va="top", fontsize=7.5)
        return figure.add_axes((across / columns, 1 - (top + _CAPTION + inches) / height, 1 / columns, inches / height))

    for k, row in enumerate(recurring):
        worst = "" if row.member.condition is None else f" ({row.member.worst:.3f} in its worst condition)"
        caption = f"in {len(row.runs)} of {len(results.winners)} runs, best score {row.member.held_out:.3f}{worst}"
        ax = pictures.wiring(row.circuit, cell(k, len(recurring), 0.0, high, caption), delays=False)
        ax.set_xlim(left=ax.get_xlim()[0] - 0.1 * max(len(c.name) for c in row.circuit.inputs))  # room for the names
    for k, finding in enumerate(motifs):
        top = (_CAPTION + high) * bool(recurring) + (_CAPTION + _MOTIF) * (k // ACROSS)
        _subgraph(finding.drawn, cell(k % ACROSS, ACROSS, top, _MOTIF, _caption(finding, finding in named)))
    if not recurring and not motifs:
        figure.text(0.5, 0.5, "no wiring came up twice, and chance explains every motif", ha="center", va="center")
    return figure


def _inches(circuit):
    """A suitable height for the drawing of a wiring, in inches."""
    ys = [y for _, y in positions(circuit).values()]
    return 0.9 + 0.55 * (max(ys) - min(ys)) / ROW


def _caption(f: Finding, by_name: bool) -> str:
    """The name of a motif, and its number relative to chance in circuits of the same size."""
    title = f.name if by_name else f"just {f.name}" if f.name else "just these connections"
    p = "p < 0.001" if f.of_size.corrected < 0.001 else f"p = {f.of_size.corrected:.3f}"
    excess = f"{f.of_size.ratio:.1f} times chance" if f.of_size.mean else "never by chance"
    return f"{title}\n{excess}, {p}"


def _subgraph(subgraph: Subgraph, ax):
    names, nodes = subgraph.names, subgraph.nodes
    neurons = [k for k, kind in enumerate(nodes) if kind != INPUT]
    edges = [(names[a], names[b]) for a, b in subgraph.edges]
    circuit = Circuit(
        dt_ms=1.0,
        neurons=tuple(Neuron(id=names[k], sign=nodes[k]) for k in neurons),
        inputs=tuple(
            InputChannel(name=INPUT, synapses=tuple(_synapse(InputSynapse, post=b) for a, b in edges if a == INPUT))
            for kind in nodes
            if kind == INPUT
        ),
        synapses=tuple(_synapse(Synapse, pre=a, post=b) for a, b in edges if a != INPUT),
    )
    if len(nodes) == 3:
        corners = [_LEFT, _RIGHT, _TOP] if nodes.count("I") == 1 else [_LEFT, _TOP, _RIGHT]
    else:
        corners = [(0.4, 0.0)] if len(nodes) == 1 else [(0.0, 0.0), (0.8, 0.0)]
    parts = [("input" if kind == INPUT else "neuron", name) for name, kind in zip(names, nodes, strict=True)]
    places: dict[Part, Place] = {part: (x * COLUMN, y) for part, (x, y) in zip(parts, corners, strict=True)}
    pictures.wiring(circuit, ax, delays=False, places=places)
    ax.set(xlim=(-1.0, 2.84), ylim=(-1.3, 1.3))  # all at one scale


def _synapse(kind, **ends):
    return kind(weight_mv=1.0, delay_ms=1.0, **ends)
