"""Importing circuits of other tools: evo import."""

from pathlib import Path

import click

from circuits.errors import UserError
from evo.cli.group import cli


@cli.command("import")
@click.argument("path", metavar="PATH")
@click.option("--to", "out", metavar="MOTIF.json", help="Write the motif [default: only show the table].")
@click.option("--dt", "dt_ms", type=float, metavar="MS", help="The time step [default: that of the file, or 0.1].")
@click.option("--split", is_flag=True, help="Make two neurons of one that excites some and inhibits others.")
@click.option("--inputs", metavar="A,B", help="Edge lists and GraphML: which nodes are input channels.")
@click.option("--outputs", metavar="A,B", help="Edge lists and GraphML: which neurons are read, a port for each.")
@click.option(
    "--spikes",
    type=click.Choice(["auto", "pulses", "steps"]),
    default="auto",
    help="NIR: a spike is a pulse of area 1, or 1 for a step [default: inferred from the constants].",
)
def import_(path, out, dt_ms, split, inputs, outputs, spikes):
    """Read a circuit of another tool as a motif, and say what became of each of its features.

    \b
    NET.nir        a NIR graph: LIF, CubaLIF and IF neurons, linear nodes, delays, synapses, subgraphs
    DIR            a SONATA network of point neurons, or its circuit_config.json
    EDGES.csv      an edge list: columns source, target, sign or weight, delay_ms
    GRAPH.graphml  a graph with signs, weights and delays

    Other commands read these as they are, wherever they take a MOTIF. Nothing in them is executed.
    """
    from circuits.imports import read
    from circuits.motif_file import save

    if out is not None and Path(out).exists():
        raise UserError(f"{out}: exists already")
    imported = read(path, dt_ms, split, _names(inputs), _names(outputs), spikes)
    click.echo(imported.summary(), err=out is not None)
    if out is not None:
        click.echo(save(imported.motif, out))


def _names(text):
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()
