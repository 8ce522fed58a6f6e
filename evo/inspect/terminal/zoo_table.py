"""The zoo for the terminal: all motifs as a table, one as its card."""

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

import fitness
from circuits.graph.named_motifs import occurrences
from circuits.zoo import Card, Zoo
from evo.inspect.terminal.plain_table import note, plain_table

WORST = 6  # lesions that are shown of each sort


def as_json(cards: list[Card]) -> list[dict]:
    """The cards as plain data, without pictures."""
    return [json.loads(card.model_dump_json()) | {"commands": list(card.commands)} for card in cards]


def show(cards: list[Card], console: Console):
    """One line for each."""
    table = plain_table(("motif", "held out", "worst", "E", "I", "events"), left=("motif",), no_wrap=True)
    table.expand = True
    table.add_column("what it does", no_wrap=True, overflow="ellipsis", ratio=1)
    for card in cards:
        worst = f"{card.worst.score:.3f}" if card.worst else ""
        numbers = str(card.excitatory), str(card.inhibitory), f"{card.energy['events']:.0f}"
        about = Text(", ".join([card.title, *unusual(card)]))
        table.add_row(card.name, f"{card.held_out.score:.3f}", worst, *numbers, about)
    console.print(table)
    note(console, "held out: 0 chance, 1 perfect; worst: in the worst condition; events: synaptic, per trial")
    note(console, "evo zoo MOTIF shows one")


def unusual(card: Card) -> list[str]:
    """The settings of its task that are not the default ones: "detectors 8"."""
    usual = fitness.task(card.task["name"])
    return [f"{key} {value}" for key, value in card.settings.items() if getattr(usual, key) != value]


def show_one(card: Card, zoo: Zoo, console: Console):
    """A card in full."""
    score, worst, circuit = card.held_out, card.worst, zoo[card.name]
    lines = {
        "task": f"{card.task['name']}: {card.title}",
        "settings": ", ".join(f"{key} = {value}" for key, value in card.settings.items()) or "none",
        "held out": f"{score.score:.3f} (95 %: {score.low:.3f} to {score.high:.3f}), mean of {score.draws} draws of "
        f"{score.trials} trials, {score.minimum:.3f} to {score.maximum:.3f} (seeds from {score.seed})",
        **(
            {"worst": f"{worst.score:.3f}: {worst.condition} (of {worst.conditions}; {worst.trials} trials a draw)"}
            if worst
            else {}
        ),
        "size": f"{card.excitatory} E, {card.inhibitory} I, {card.synapses} synapses, {circuit.neuron_model}",
        "holds": ", ".join(motif.name for motif in occurrences(circuit)) or "no motif with a name",
        "per trial": f"{card.energy['spikes']:.1f} spikes, {card.energy['events']:.1f} synaptic events",
        "energy": ", ".join(f"{value:.2g} J on {name}" for name, value in _joules(card)),
        **{f"without {sort}": text for sort, text in _lesions(card)},
        "found by": f"{card.made.algorithm}, after {card.made.evaluations:,} circuits",
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines.items():
        table.add_row(name, Text(text))
    console.print(Text(card.name, style="bold"))
    console.print(table)
    console.print("\nTo make it again:", style="dim")
    for command in card.commands:
        console.print(Text(f"  {command}"), soft_wrap=True)  # to be copied: never broken


def _joules(card):
    return [(name.removeprefix("joules_"), value) for name, value in card.energy.items() if name.startswith("joules_")]


def _lesions(card):
    """The most harmful lesions of each sort: the part and the score without it."""
    for sort, kinds in (("neuron", ("neuron",)), ("synapse", ("synapse", "input")), ("class", ("class",))):
        parts = [f"{lesion.part} {lesion.score:.3f}" for lesion in card.lesions if lesion.kind in kinds]
        if parts:
            more = f", and {len(parts) - WORST} more" if len(parts) > WORST else ""
            yield sort, ", ".join(parts[:WORST]) + more
