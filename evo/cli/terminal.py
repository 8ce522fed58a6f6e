"""Printing tables."""

import sys


def console():
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)
