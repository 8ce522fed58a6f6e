"""Motifs of the zoo on one sheet: their wirings, functions and scores."""

from collections.abc import Iterable
from textwrap import wrap

from circuits.circuit import Circuit
from circuits.drawing.canvas import Figure, own_style
from circuits.drawing.diagram import wiring
from circuits.zoo import Zoo

ACROSS = 3
_WIDTH, _HEIGHT, _CAPTION = 3.3, 1.6, 0.42  # inches: of a wiring, and of what is written above it
_UNIT = 0.55  # inches: the unit of a wiring, where it is not too large for that
_LETTER, _BESIDE = 0.065, 0.2  # inches: a letter of a name, and from a part's middle to its name


@own_style({"font.size": 7.5})
def sheet(zoo: Zoo, names: Iterable[str]) -> Figure:
    """The wirings of these motifs, three in a row, those that are not too large at one scale."""
    cards = [zoo.card(name) for name in names]
    across, rows = min(ACROSS, len(cards)), -(-len(cards) // ACROSS)
    width, height = across * _WIDTH, rows * (_HEIGHT + _CAPTION)
    figure = Figure(figsize=(width, height))
    for k, card in enumerate(cards):
        left, top = k % ACROSS * _WIDTH, k // ACROSS * (_HEIGHT + _CAPTION)

        def caption(inches, text, middle=(left + _WIDTH / 2) / width, top=top, **style):
            figure.text(middle, 1 - (top + inches) / height, text, ha="center", va="top", **style)

        worst = f"   worst {card.worst.score:.3f}" if card.worst else ""
        caption(0.06, f"{card.name}   {card.held_out.score:.3f}{worst}", fontsize=9, weight="bold")
        caption(0.24, wrap(card.title, 58)[0], fontsize=7, color="#555555")
        box = (left / width, 1 - (top + _CAPTION + _HEIGHT) / height, _WIDTH / width, _HEIGHT / height)
        _fitted(zoo[card.name], figure.add_axes(box))
    return figure


def _fitted(circuit: Circuit, ax):
    """Draw the wiring into axes of one size, with room for the names of inputs and outputs."""
    wiring(circuit, ax, delays=False)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    left, right = left + 0.9, right - 0.9  # less the margins of `wiring` for names
    before = _BESIDE + _LETTER * max((len(c.name) for c in circuit.inputs), default=0)
    after = _BESIDE + _LETTER * max((len(o.name) for o in circuit.outputs), default=0)
    unit = min(_UNIT, (_WIDTH - before - after) / (right - left), _HEIGHT / (top - bottom))
    middle = (left - before / unit + right + after / unit) / 2, (bottom + top) / 2
    ax.set_xlim(middle[0] - _WIDTH / unit / 2, middle[0] + _WIDTH / unit / 2)
    ax.set_ylim(middle[1] - _HEIGHT / unit / 2, middle[1] + _HEIGHT / unit / 2)
