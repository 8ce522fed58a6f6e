"""Printing tables."""

import sys


def console():
    from rich.console import Console

    return Console(width=None if sys.stdout is not None and sys.stdout.isatty() else 120)
