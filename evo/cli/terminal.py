"""Printing tables, and what is said before code is executed."""

import sys
from pathlib import Path

import click


def console():
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


def say_executed(name: str, folder: Path):
    """Say on stderr that the code of a task is executed, if it is one of the user's own."""
    from fitness.code import is_own

    if is_own(name):
        click.echo(f"executing the code of task {name}, sought from {folder}", err=True)
