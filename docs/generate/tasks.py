"""A page for each task: its docstrings, example trials with the answers of the reference circuit, its wiring, its settings."""

import inspect

from circuits.drawing.diagram import wiring
from evo.inspect.examples import draw
from fitness import reference
from fitness.tasks import BUILT_IN
from generate.markdown import contents, fields, page, picture, prose, table


def write():
    rows = ((f"[`{name}`]({name}.md)", task.what()) for name, task in BUILT_IN.items())
    page(
        "tasks/index.md",
        "# Tasks",
        "The tasks that circuits can be evolved for. `evo new NAME` writes a run spec for one, `evo tasks NAME` draws trials.",
        table(("task", "computation"), rows),
        contents(BUILT_IN),
    )
    for name, task in BUILT_IN.items():
        parts = [f"# `{name}`", prose(inspect.getmodule(task).__doc__), prose(task.__doc__)]
        if name != "several":  # which is made of others
            circuit = reference(name).circuit
            picture(f"tasks/{name}.svg", lambda file, task=task: draw(task(), file))
            picture(f"tasks/{name}-circuit.svg", lambda file, circuit=circuit: wiring(circuit).figure.savefig(file))
            parts += [
                f"![Example trials of {name}]({name}.svg)",
                "*Example trials, with the answers of the reference circuit.*",
                f"![The reference circuit of {name}]({name}-circuit.svg)",
                "*The reference circuit, built by hand: `fitness.reference` gives it.*",
            ]
        page(f"tasks/{name}.md", *parts, "## Settings" if task.model_fields else "", fields(task))
