"""The entry point: errors of the user's making are one line."""

import os
import sys

import click

from circuits.errors import MachineError, UserError
from evo.cli.group import cli
from evo.cli.terminal import harmless_output


def main():
    """Entry point of the `evo` command."""
    with harmless_output():
        _main()


def _main():
    try:
        cli(prog_name="evo", standalone_mode=False)
    except UserError as error:
        _fail(error, 2)
    except MachineError as error:
        _fail(error, 1)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        _fail("stopped", 130)
    except MemoryError as error:
        _fail(f"there is not enough memory ({error})" if str(error) else "there is not enough memory", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "), 1)


def _fail(message, code):
    click.echo("evo: " + " ".join(str(message).split()), err=True)
    sys.exit(code)
