"""Inspecting a recording before a search: evo recording."""

import json
from pathlib import Path

import click

from evo.cli.group import cli


@cli.command()
@click.argument("file", metavar="FILE|SPEC.toml")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-o", "--out", metavar="FILE", help="Draw it as a picture (svg, png or pdf).")
@click.option(
    "--baselines",
    is_flag=True,
    help="Also fit the usual statistical models, which a circuit has to beat; takes a minute or more.",
)
@click.option(
    "--inputs", multiple=True, metavar="NAME", help="A train, or a pattern, that is an input [default: as the file says]."
)
@click.option("--outputs", multiple=True, metavar="NAME", help="A train to be explained [default: as the file says].")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the task, such as precision_ms=4.")
def recording(file, as_json, out, baselines, inputs, outputs, settings):
    """Show a recording: its trains, their rates and intervals, its repeats, and how much of it can be explained.

    FILE is .csv (trial,role,name,time_ms: a row a spike), .npz, SONATA spikes, .nwb or another format that Neo reads. For a
    spec whose task is recording, the file of the task is shown, with the task's settings.

    \b
    evo recording cell.csv -o cell.svg
    evo recording cell.csv --baselines
    evo new --recording cell.csv -o cell.toml
    """
    from evo.inspect.terminal import recording as view
    from evo.spec.from_recording import task_over

    selected = {"input_names": inputs, "output_names": outputs}
    task, data = task_over(file, settings, {key: names for key, names in selected.items() if names})
    summary = view.as_json(task, data)
    if baselines:
        from evo.studies.baselines import baselines as fitted

        summary["baselines"] = [row.as_json() for row in fitted(task)]
    if as_json:
        click.echo(json.dumps(summary, allow_nan=False))
    else:
        for line in view.lines(task, data):
            click.echo(line)
        for line in _baselines(summary.get("baselines", [])):
            click.echo(line)
    if out is not None:
        click.echo(f"picture: {view.draw(data, Path(out))}", err=as_json)


def _baselines(rows):
    """The fits as lines of text."""
    if rows:
        yield ""
        yield f"{'model':22}{'score on the search':>20}{'held out':>10}   held out, by neuron"
    for row in rows:
        by_neuron = "  ".join(f"{name} {value:.3f}" for name, value in row["figures"].items())
        yield f"{row['model']:22}{row['search']:>20.3f}{row['held_out']:>10.3f}   {by_neuron}"
