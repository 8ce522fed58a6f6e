"""A Sphinx extension: writes the pages of `reference/` from the classes, the spec's models and the command line."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from circuits import neurons, synapses, zoo
from evo.algorithms import ALGORITHMS, DEFAULT
from evo.cli import cli
from evo.inspect.examples import draw
from evo.spec.run_spec import CellType, CircuitBounds, Search, Stop
from fitness.evaluation.objectives import OBJECTIVES
from fitness.tasks import BUILT_IN

FOLDER = Path(__file__).parent / "reference"


def page(path: str, *parts: str):
    text, file = "\n\n".join(parts) + "\n", FOLDER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:  # Sphinx reads again what is newer
        file.write_text(text, encoding="utf-8")


def as_text(docstring: str | None) -> str:
    """A docstring as Markdown: indented blocks are equations or code; "Inputs: ..." and the like are paragraphs."""
    text = inspect.cleandoc(docstring or "").replace("<", "&lt;")
    return re.sub(r"\n(?=[A-Z][a-z]+: )", "\n\n", text)


def cell(value) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(head: tuple[str, ...], rows) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(lines + [f"| {' | '.join(map(cell, row))} |" for row in rows])


def settings(model) -> str:
    rows = (
        (f"`{key}`", "" if field.default is None else f"`{field.default}`", field.description or "")
        for key, field in model.model_fields.items()
    )
    return table(("key", "default", "meaning"), rows)


def tasks():
    rows = ((f"[`{name}`]({name}.md)", task.what()) for name, task in BUILT_IN.items())
    page(
        "tasks/index.md",
        "# Tasks",
        "What circuits can be asked to do. `evo new NAME` writes a spec for one.",
        table(("task", "what is computed"), rows),
        "```{toctree}\n:hidden:\n\n" + "\n".join(BUILT_IN) + "\n```",
    )
    for name, task in BUILT_IN.items():
        parts = [f"# `{name}`", as_text(inspect.getmodule(task).__doc__), as_text(task.__doc__)]
        if name != "several":
            picture = FOLDER / "tasks" / f"{name}.svg"
            if not picture.exists():
                draw(task(), picture)
            parts += [
                f"![Example trials of {name}]({name}.svg)",
                "*Example trials, with the answers of the reference circuit.*",
            ]
        page(f"tasks/{name}.md", *parts, "## Settings", settings(task))


def models():
    parts = [
        "# Neuron and synapse models",
        "`[circuit] neuron_model` and `synapse_model` in a run spec name one. The ranges of its parameters stand in "
        "`[circuit.parameters]`.",
    ]
    known = [(model.name, model.neuron, model.parameters) for model in neurons.MODELS.values()]
    known += [(model.name, model.section, model.parameters) for model in synapses.MODELS.values()]
    for name, section, parameters in known:
        rows = ((f"`{key}`", f"{p.default:g}", f"{p.low:g} to {p.high:g}", p.text) for key, p in parameters.items())
        parts += [f"## `{name}`", as_text(section.__doc__), table(("parameter", "default", "range", "meaning"), rows)]
    page("models.md", *parts)


def algorithms():
    parts = ["# Search algorithms and objectives", "`[search] algorithm` in a run spec names one.", "## Algorithms"]
    for name, algorithm in ALGORITHMS.items():
        parts += [
            f"### `{name}`{' (the default)' if name == DEFAULT else ''}",
            f"{algorithm.text}.",
            as_text(inspect.getmodule(algorithm).__doc__),
        ]
    rows = (
        (f"`{name}`", objective.unit, "largest" if objective.sign < 0 else "smallest", objective.text)
        for name, objective in OBJECTIVES.items()
    )
    parts += [
        "## Objectives",
        "`[search] objectives` in a run spec names one or more; `score` is always among them.",
        table(("objective", "unit", "best", "meaning"), rows),
    ]
    page("algorithms.md", *parts)


def spec():
    sections = [("[circuit]", CircuitBounds), ("[circuit.types.NAME]", CellType), ("[search]", Search), ("[search.stop]", Stop)]
    parts = [
        "# Run spec",
        "A run is one TOML file. A range is `[minimum, maximum]`; a single number stands for both. `[task]` holds the "
        "`name` of a [task](tasks/index.md) and its settings, `[circuit.parameters]` the ranges of the parameters of the "
        "[neuron and synapse models](models.md). `evo new TASK` writes a spec in which every key is explained.",
    ]
    for name, model in sections:
        parts += [f"## `{name}`", as_text(model.__doc__), settings(model)]
    page("spec.md", *parts)


def motifs():
    rows = ((f"`{name}`", f"{card.held_out.score:.3f}") for name in zoo for card in [zoo.card(name)])
    page(
        "zoo.md",
        "# Zoo",
        "Evolved motifs that ship with the package; `evo zoo NAME` shows one, `circuits.zoo[NAME]` loads it.",
        "![Nine evolved circuits](../../runs/zoo.svg)",
        table(("motif", "held-out score"), rows),
    )


def commands():
    parts = ["# Command line", "Every command explains itself with `--help`."]
    for name, command in sorted(cli.commands.items()):
        text = command.get_help(click.Context(command, info_name=f"evo {name}"))
        parts += [f"## evo {name}", f"```text\n{textwrap.dedent(text)}\n```"]
    page("cli.md", *parts)


def python():
    modules = {
        "circuits": ["circuits"],
        "circuits.torch": ["circuits.torch"],
        "fitness": ["fitness", "fitness.spike_trains"],
        "evo": ["evo", "evo.deap"],
    }
    for title, parts in modules.items():
        blocks = [block for part in parts for block in module(import_module(part))]
        page(f"{title.replace('.', '-')}.md", f"# {title} in Python", *blocks)


def module(found) -> Iterator[str]:
    """The public names of a module with their signatures and docstrings, as `help` shows them."""
    yield f"## `{found.__name__}`"
    yield literal(found.__doc__)
    for name in found.__all__:
        member = getattr(found, name)
        if inspect.ismodule(member) or not callable(member):
            continue
        yield f"### `{found.__name__}.{name}`"
        yield literal(member.__doc__, signature(name, member))
        if inspect.isclass(member):
            for inner, method in vars(member).items():
                function = getattr(method, "__func__", method)
                if not inner.startswith("_") and inspect.isfunction(function) and function.__doc__:
                    yield f"#### `{name}.{inner}`"
                    yield literal(function.__doc__, signature(inner, function))


def signature(name, member) -> str:
    try:
        return f"{name}{inspect.signature(member)}".replace("numpy.ndarray", "ndarray")
    except (TypeError, ValueError):
        return name


def literal(docstring, head="") -> str:
    text = "\n\n".join(part for part in (head, inspect.cleandoc(docstring or "")) if part)
    return f"```text\n{text}\n```"


def setup(app):
    for write in (tasks, models, algorithms, spec, motifs, commands, python):
        write()
    return {"parallel_read_safe": True}
