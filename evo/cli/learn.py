"""Commands that list choices and prepare runs: evo tasks, objectives, algorithms, models, new, warmup."""

from pathlib import Path

import click

from circuits.errors import UserError
from evo.cli.group import cli
from evo.cli.terminal import say_executed


@cli.command()
@click.argument("name", required=False)
@click.option("-o", "--out", metavar="FILE", help="Draw the example trials as a picture (svg, png or pdf) instead.")
def tasks(name, out):
    """List the tasks, or explain one and draw example trials with the answers of its reference circuit.

    A task of your own is FILE.py:CLASS, or PACKAGE:CLASS: its code is executed.
    """
    import inspect

    from evo.inspect.terminal.examples import draw, lines
    from fitness.learning.settings import NAME as LEARNING
    from fitness.registry import OVER_FILES, task_class, with_defaults
    from fitness.tasks import BUILT_IN

    if name is None:
        for task in BUILT_IN.values():
            click.echo(f"{task.name:14} {task.what()}")
        click.echo(f"{LEARNING:14} How well a network of copies of the circuit learns by gradient descent.")
        click.echo(f"\nevo tasks NAME explains one. {' and '.join(OVER_FILES)} read a file of yours;")
        click.echo("a task of your own is FILE.py:CLASS, here and in a spec.")
        return
    say_executed(name, Path(), err=True)
    task = task_class(name)
    if name == LEARNING and out is not None:
        raise UserError(f"--out: task {name} has no trials of its own to draw")
    if name in OVER_FILES and out is not None:
        raise UserError(f"--out: task {name} reads a file of yours, which evo recording FILE -o draws")
    if out is not None:
        click.echo(draw(with_defaults(task), Path(out)))
        return
    docstrings = [inspect.cleandoc(text) for text in (inspect.getmodule(task).__doc__, task.__doc__) if text]
    click.echo("\n\n".join([*(docstrings or [f"{name} has no docstring."]), "Settings:"]))
    for key, field in task.model_fields.items():
        default = "(must be set)" if field.is_required() else f"= {field.get_default(call_default_factory=True)}"
        click.echo(f"  {f'{key} {default}':<24} {field.description or ''}")
    for line in lines(with_defaults(task)) if name not in (*OVER_FILES, LEARNING) else ():
        click.echo(line)


@cli.command()
def objectives():
    """List the objectives that a search can optimise: search.objectives in a spec."""
    from fitness.evaluation.objectives import OBJECTIVES

    for name, objective in OBJECTIVES.items():
        click.echo(f"{name:18} {objective.text}")


@cli.command()
def algorithms():
    """List the search algorithms: search.algorithm in a spec."""
    from evo.algorithms import ALGORITHMS, DEFAULT

    for name, algorithm in ALGORITHMS.items():
        click.echo(f"{name:18} {algorithm.text}{' (the default)' if name == DEFAULT else ''}")


@cli.command()
@click.argument("name", metavar="[TASK|zoo:MOTIF]", required=False)
@click.option(
    "--recording", metavar="FILE", help="A recording to explain by circuits: the spec is made for its trains and rates."
)
@click.option("-o", "--out", metavar="FILE", help="File to write to [default: print the spec].")
@click.option("--neurons", metavar="MODEL", help="Neuron model, see evo models [default: the task's].")
@click.option("--synapses", metavar="MODEL", help="Synapse model, see evo models [default: the task's].")
def new(name, recording, out, neurons, synapses):
    """Write a run spec with every key explained; for zoo:MOTIF, the spec by which the motif was found.

    \b
    evo new itd -o my.toml
    evo new --recording cell.csv -o cell.toml

    A task of your own is FILE.py:CLASS, or PACKAGE:CLASS: its code is executed.
    """
    from circuits.motif_file import write_whole
    from evo.spec.resolve import shipped
    from evo.spec.starter import starter

    folder = None if out is None else Path(out).parent
    if (name is None) == (recording is None):
        raise UserError("new: name a task, or give --recording FILE")
    if recording is not None:
        from evo.spec.from_recording import from_recording

        text = from_recording(recording, neurons, synapses, folder)
    else:
        say_executed(name, Path(), err=True)
        text = None if neurons or synapses else shipped(name)
        if text is None:
            text = starter(name, neurons, synapses, folder)
    if out is None:
        click.echo(text, nl=False)
        return
    if Path(out).exists():
        raise UserError(f"{out}: exists already")
    click.echo(write_whole(out, text))


@cli.command()
@click.argument("name", required=False)
def models(name):
    """List the neuron and synapse models, or explain one."""
    import inspect

    from circuits import neurons, synapses
    from circuits.part import prose

    parts = {model.name: (model.neuron, model.parameters) for model in neurons.MODELS.values()}
    parts |= {model.name: (model.section, model.parameters) for model in synapses.MODELS.values()}
    if name is None:
        for model, (part, _) in parts.items():
            kind = "neuron" if model in neurons.MODELS else "synapse"
            click.echo(f"{model:14}{kind:9}{inspect.getmodule(part).__doc__.strip().splitlines()[0]}")
        click.echo("\nevo models NAME gives the equations and parameters; in a spec: [circuit] neuron_model, synapse_model.")
        return
    if name not in parts:
        raise UserError(f"there is no model {name!r}; known are {', '.join(parts)}")
    part, parameters = parts[name]
    click.echo(prose(part.__doc__))
    click.echo("\nParameters (default, minimum to maximum):")
    for key, p in parameters.items():
        click.echo(f"  {key:16}{p.default:<8g} {p.low:g} to {p.high:g}: {p.text}")


@cli.command()
@click.argument("spec", metavar="[SPEC.toml]", required=False)
def warmup(spec):
    """Compile the machine code that SPEC or most runs need, for instance when an image is built."""
    from evo.cluster.warm_up import warm_up
    from evo.spec.circuit_section import CircuitBounds
    from evo.spec.run_spec import RunSpec, read_alone

    resolved = read_alone(spec) if spec else RunSpec(task={"name": "coincidence"})
    if resolved.own_code or resolved.data_file or not resolved.judge_class.warms:  # code is executed by run and resume alone
        models = resolved.circuit.model_dump(include={"neuron_model", "synapse_model", "noise_mv"})
        resolved = RunSpec(task={"name": "coincidence"}, circuit=CircuitBounds(**models))
    warm_up(resolved, None)
    click.echo("compiled")
