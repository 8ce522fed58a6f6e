"""The command `evo`, to which the commands are added."""

import click

from circuits.version import __version__

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command with settings of its own: click keeps the help option that it makes first."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **({"context_settings": SETTINGS} | named))


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


@click.group(cls=Group, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="evo")
def cli():
    """Evolve excitatory/inhibitory spiking microcircuits, inspect them, and export them as modules.

    \b
    evo tasks                          the tasks that circuits can be evolved for
    evo new itd -o my.toml             write a run spec with every key explained
    evo run my.toml                    run the search; Ctrl-C stops it, evo resume continues it
    evo inspect runs/my-1 --html       show the evolved circuits: a table, and a page
    evo export runs/my-1 --to torch    export the best circuit as a PyTorch module
    evo listen runs/my-1 sound.wav     let an evolved sound localiser listen to a recording
    """
