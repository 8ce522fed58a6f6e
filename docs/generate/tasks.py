"""A page for each task: its docstrings, the reference circuit with its answers in example trials, and its settings."""

import inspect

from evo.inspect.terminal.examples import draw
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
            picture(f"tasks/{name}.svg", lambda file, task=task: draw(task(), file))
            parts += [
                f"![Example trials of {name}]({name}.svg)",
                "*The reference circuit, built by hand, and its answers in example trials. "
                f'`fitness.reference("{name}")` is the circuit.*',
            ]
        page(f"tasks/{name}.md", *parts, "## Settings" if task.model_fields else "", fields(task))
