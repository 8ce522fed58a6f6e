"""Printing: all output of the command passes through here, since names and messages may come from a stranger's files."""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import click

from circuits.errors import harmless

LEFT = "\n\t"  # control characters that are written as they are


class Harmless:
    """A text stream that shows the codes on which terminals act instead of sending them. `raw` is the stream behind it."""

    buffer = None  # nobody writes past it

    def __init__(self, raw):
        self.raw = raw

    def write(self, text):
        return self.raw.write(harmless(text, LEFT))

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self.raw, name)


@contextmanager
def harmless_output():
    """Make standard output and standard error `Harmless` streams."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (None if stream is None else Harmless(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def console():
    """A console of rich whose own codes reach the terminal, but not those in the texts that it prints; texts are not read as
    markup."""
    from rich.console import Console
    from rich.segment import Segment

    class HarmlessConsole(Console):
        def render(self, *arguments, **options):
            for segment in super().render(*arguments, **options):
                text, style, control = segment
                yield segment if control else Segment(harmless(text, LEFT), style)

    out = sys.stdout
    return HarmlessConsole(
        file=getattr(out, "raw", out),
        width=None if out is not None and out.isatty() else 120,
        markup=False,
        emoji=False,
        highlight=False,
    )


def say_result(view, as_json: bool, result, *more):
    """Print a result by a module of `evo.inspect.terminal`, as JSON or as tables."""
    if as_json:
        click.echo(json.dumps(view.as_json(result, *more), allow_nan=False))
    else:
        view.show(result, console(), *more)


def say_code(spec, folder: Path):
    """Say which code of the user's own, named by a spec, is executed."""
    for key, name in spec.own_code.items():
        say_executed(name, folder, kind="task" if key.startswith("task.") else key.split(".")[1].removesuffix("s"))


def say_executed(name: str, folder: Path, err: bool = False, kind: str = "task"):
    """Say that the code of a task (or another `kind`) is executed, if it is the user's own; err: on standard error, where
    standard output may be saved."""
    from fitness.sandbox.code import is_own

    if is_own(name) and os.path.lexists(folder / name.rpartition(":")[0]):
        click.echo(f"executing the code of {kind} {name}, sought from {folder}", err=err)
