"""The entry point: errors of the user's making are one line."""

import os
import sys
from contextlib import suppress

import click

from circuits.errors import MachineError, UserError
from evo.cli.group import cli
from evo.cli.terminal import harmless_output


def main():
    """Entry point of the `evo` command."""
    _write_anything()
    with harmless_output():
        _main()


def _main():
    try:
        cli(prog_name="evo", standalone_mode=False)
        _flush(sys.stdout)
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
        _nobody_reads()
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "), 1)


def _write_anything():
    """A terminal or pipe that is not UTF-8 gets characters that it cannot show as \\xfc, so that no output ends a command; the
    same holds for bytes of file names that are not text."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _fail(message, code):
    with suppress(OSError, ValueError):  # there may be nobody to read it
        click.echo("evo: " + " ".join(str(message).split()), err=True)
    _nobody_reads()
    sys.exit(code)


def _flush(stream):
    if stream is not None:
        stream.flush()


def _nobody_reads():
    """Discard output whose reader has gone: Python would complain of it as it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            _flush(stream)
        except OSError:
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
