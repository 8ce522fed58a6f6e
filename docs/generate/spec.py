"""The pages of the run spec, the command line and the zoo."""

import textwrap

import click

from circuits import zoo
from evo.cli import cli
from evo.spec.circuit_section import CellType, CircuitBounds
from evo.spec.roles import Role
from evo.spec.search_section import Search, Stop
from generate.markdown import fields, page, prose, table

SECTIONS = [
    ("[circuit]", CircuitBounds),
    ("[circuit.types.NAME]", CellType),
    ("[roles.NAME]", Role),
    ("[search]", Search),
    ("[search.stop]", Stop),
]


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def write():
    parts = [
        "# Run spec",
        "A run is one TOML file. A range is `[minimum, maximum]`; a single number stands for both. `[task]` holds the "
        "`name` of a [task](tasks/index.md) and its settings, `[circuit.parameters]` the ranges of the parameters of the "
        "[neuron and synapse models](models/index.md). `evo new TASK` writes a spec in which every key is explained; "
        "[Write a run spec](../how-to/run-spec.md) has examples.",
    ]
    for name, model in SECTIONS:
        parts += [f"## `{name}`", sentence(prose(model.__doc__).partition(": ")[2]), fields(model)]
    page("spec.md", *parts)

    parts = ["# Command line", "Every command explains itself with `--help`."]
    for name, command in sorted(cli.commands.items()):
        text = command.get_help(click.Context(command, info_name=f"evo {name}"))
        parts += [f"## evo {name}", f"```text\n{textwrap.dedent(text)}\n```"]
    page("cli.md", *parts)

    cards = [(name, zoo.card(name)) for name in zoo]
    rows = (
        (f"`{name}`", f"{card.held_out.score:.3f}", f"{card.excitatory} E, {card.inhibitory} I", f"`{card.made.spec}`")
        for name, card in cards
    )
    page(
        "zoo.md",
        "# Zoo",
        "The evolved motifs that ship with the package: `evo zoo NAME` shows one, `circuits.zoo[NAME]` loads it. "
        "[Use the zoo](../how-to/zoo.md) has examples.",
        "![Nine evolved circuits](../pictures/zoo.svg)",
        table(("motif", "held-out score", "neurons", "found by"), rows),
    )
