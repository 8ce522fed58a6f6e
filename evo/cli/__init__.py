"""The command line. Each command is a thin wrapper around the Python surface."""

from evo.cli import imports, lab, learn, recording, results, runs, study  # noqa: F401 - they add their commands
from evo.cli.entry import main
from evo.cli.group import cli

__all__ = ["cli", "main"]
